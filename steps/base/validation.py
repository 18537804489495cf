"""Errors of pydantic in one line, in this project's wording."""

from __future__ import annotations

from pydantic import ValidationError


def problem(error: ValidationError) -> tuple[tuple[int | str, ...], str]:
    """The first problem that a validation found.

    Returns:
        Its place, from the outside in, and a phrase to follow the name of that place: "must be less than 1, got 1.0".
    """
    first = error.errors(include_url=False)[0]
    if first["type"] == "missing":
        return first["loc"], "is missing"
    if first["type"] == "value_error":  # raised by a validator of ours, which has worded it
        return first["loc"], str(first["ctx"]["error"])
    message = first["msg"].partition(" after validation")[0]
    subject, _, expected = message.partition(" should ")
    return first["loc"], f"must {expected}, got {first['input']!r}" if expected else subject
