"""Exceptions of the interpolation."""


class InterpolationError(ValueError):
    """Sensors, a domain or a setting that no field can be made of."""
