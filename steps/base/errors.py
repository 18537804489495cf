"""The failures that a person reads about in one line."""


class InputError(ValueError):
    """A value the person gave cannot be used; the message is the one line to show (exit code 2)."""


class StepError(Exception):
    """A step could not do its work, whatever was given; the message is the one line to show (exit code 1)."""


class StepInterrupted(Exception):
    """The person stopped the step; the message says how to go on (exit code 130)."""


class ChildFailed(Exception):
    """A step that this one has started failed, and has shown the line with the reason.

    Attributes:
        code: Exit code of that step.
    """

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code
