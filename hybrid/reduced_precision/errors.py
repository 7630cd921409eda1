"""Exceptions of reduced precision."""


class PrecisionError(ValueError):
    """An archive cannot be tested in a reduced precision as asked."""
