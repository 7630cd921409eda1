"""Exceptions of ClimSim's data."""


class DataError(ValueError):
    """A data folder or file is not what ClimSim's format says."""
