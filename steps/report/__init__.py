"""Output for people: the terminal, figures, pages."""
