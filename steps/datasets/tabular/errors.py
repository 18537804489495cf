"""Errors in tables, for people."""


class SchemaError(ValueError):
    """Unusable table, column or row; the message is one line that names it."""
