"""What people look at: the terminal, figures, pages."""
