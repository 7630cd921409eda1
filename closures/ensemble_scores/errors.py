"""Exceptions of scores."""


class ScoreError(ValueError):
    """Predictions, truth or weights that cannot be scored as they are."""
