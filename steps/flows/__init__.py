"""What each command does, in order; the commands themselves are in the folder above."""
