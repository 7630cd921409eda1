"""Exceptions of native programs."""


class NotExpressedError(Exception):
    """The native engine cannot express a forward; the message says why, for people."""


class ProgramError(ValueError):
    """A program contradicts itself or what it is given."""
