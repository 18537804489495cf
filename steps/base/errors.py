"""The failures that a person reads about in one line."""


class InputError(ValueError):
    """A value the person gave cannot be used; the message is the one line to show (exit code 2)."""


class StepError(Exception):
    """A step could not do its work, whatever was given; the message is the one line to show (exit code 1)."""


class StepInterrupted(Exception):
    """The person stopped the step; the message says how to go on (exit code 130)."""
