"""Physical constants, with the values of the climate model that made ClimSim."""

GRAVITY = 9.80616
"""Acceleration of gravity [m s-2]."""

HEAT_CAPACITY = 1004.64
"""Specific heat of dry air at constant pressure [J kg-1 K-1]."""

GAS_DRY = 287.042
"""Gas constant of dry air [J kg-1 K-1]."""

VAPORIZATION = 2.501e6
"""Latent heat of vaporisation [J kg-1]."""

FUSION = 3.337e5
"""Latent heat of fusion [J kg-1]."""

WATER_DENSITY = 1000.0
"""Density of liquid water [kg m-3]: turns a precipitation rate [m s-1] into a mass flux."""
