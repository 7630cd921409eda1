"""Exceptions of trainings."""


class TrainingError(ValueError):
    """A training has settings or samples that do not work, or its loss is no longer finite."""
