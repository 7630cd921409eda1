"""Exceptions of the bridge."""


class BridgeError(RuntimeError):
    """The native library refused a call; the message says what to do."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BuildError(RuntimeError):
    """The native library could not be built."""


class HostError(RuntimeError):
    """A Fortran host ended with an error, or reported one in this process."""
