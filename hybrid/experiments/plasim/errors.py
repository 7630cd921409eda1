"""Exceptions of the coupling with PlaSim."""


class SourceError(RuntimeError):
    """The model's source could not be had, or is not the one that this project knows."""


class HostBuildError(RuntimeError):
    """The model could not be compiled."""


class HostRunError(RuntimeError):
    """A run of the model ended before its time."""
