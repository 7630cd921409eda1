"""Constants of the columns' physics, those of the model whose files the columns resemble."""

GRAVITY = 9.80616
"""Acceleration of gravity [m s-2]."""
HEAT_CAPACITY = 1004.64
"""Heat capacity of dry air at constant pressure, cp [J kg-1 K-1]."""
GAS_CONSTANT = 287.042
"""Gas constant of dry air [J kg-1 K-1]."""
VAPOUR_GAS_CONSTANT = 461.505
"""Gas constant of water vapour [J kg-1 K-1]."""
KAPPA = GAS_CONSTANT / HEAT_CAPACITY
"""R / cp [1]."""
EPSILON = GAS_CONSTANT / VAPOUR_GAS_CONSTANT
"""Ratio of the gas constants [1]."""
VIRTUAL = 1.0 / EPSILON - 1.0
"""Factor of humidity in the virtual temperature [1]."""
EVAPORATION_HEAT = 2.501e6
"""Latent heat of evaporation, Lv [J kg-1]."""
FUSION_HEAT = 3.337e5
"""Latent heat of fusion, Lf [J kg-1]."""
FREEZING = 273.16
"""Temperature above which cloud is liquid and snow melts [K]."""
ALL_ICE = 253.16
"""Temperature below which cloud is ice [K]."""
WATER_DENSITY = 1000.0
"""Density of liquid water [kg m-3]."""
STEFAN_BOLTZMANN = 5.670374e-8
"""Stefan-Boltzmann constant [W m-2 K-4]."""
SOLAR = 1361.0
"""Sunlight at the mean distance of the sun [W m-2]."""
REFERENCE_PRESSURE = 1e5
"""Pressure that multiplies the coefficient a of hybrid levels [Pa]."""
TIMESTEP = 1200.0
"""Default time step [s]."""
DAY = 86400.0
"""Length of a day [s]."""
YEAR = 365
"""Days of a year without leap days."""
