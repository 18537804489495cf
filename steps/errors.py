"""What a person can put right."""


class InputError(ValueError):
    """A value the person gave cannot be used; the message is the one line to show (exit code 2)."""
