"""Exceptions of the closure contract."""


class SpecError(ValueError):
    """A field or closure specification contradicts itself or another one."""
