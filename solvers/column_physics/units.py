"""Units of the columns' variables."""

UNITS = {
    **dict.fromkeys(("temperature",), "K"),
    **dict.fromkeys(("vapour", "liquid", "ice"), "kg kg-1"),
    **dict.fromkeys(("eastward_wind", "northward_wind"), "m s-1"),
    **dict.fromkeys(("pressure", "surface_pressure"), "Pa"),
    **dict.fromkeys(("ozone", "methane", "nitrous_oxide"), "mol mol-1"),
    **dict.fromkeys(("cosine_zenith", "sine_latitude"), "1"),
    **dict.fromkeys(("ice_fraction", "land_fraction", "ocean_fraction"), "1"),
    **dict.fromkeys(("snow_on_ice", "snow_on_land"), "m"),
    **dict.fromkeys(("albedo_visible_direct", "albedo_visible_diffuse"), "1"),
    **dict.fromkeys(("albedo_infrared_direct", "albedo_infrared_diffuse"), "1"),
    **dict.fromkeys(("toa_sunlight", "surface_emission", "net_sunlight"), "W m-2"),
    **dict.fromkeys(("latent_heat_flux", "sensible_heat_flux", "downward_longwave"), "W m-2"),
    **dict.fromkeys(("sunlight_visible_direct", "sunlight_visible_diffuse"), "W m-2"),
    **dict.fromkeys(("sunlight_infrared_direct", "sunlight_infrared_diffuse"), "W m-2"),
    **dict.fromkeys(("eastward_stress", "northward_stress"), "N m-2"),
    **dict.fromkeys(("precipitation", "snowfall"), "m s-1"),
}
"""UDUNITS string of each variable."""
