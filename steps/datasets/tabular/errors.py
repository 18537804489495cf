"""The failure of a table, for people."""


class SchemaError(ValueError):
    """A table, a column or a row that cannot be used; the message is one line that names it."""
