"""Exceptions of the assimilation."""


class AssimilationError(ValueError):
    """An ensemble, an observation or a setting that no analysis can be made of."""
