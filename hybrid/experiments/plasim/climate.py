"""Read what the hooks write of the state of a run: daily zonal means and maps."""

from pathlib import Path

import numpy as np
import xarray as xr

SINGLE = {
    "surface_temperature": "K",
    "outgoing_longwave": "W m-2",
    "absorbed_shortwave": "W m-2",
    "surface_longwave": "W m-2",
    "surface_shortwave": "W m-2",
    "sensible_heat": "W m-2",
    "latent_heat": "W m-2",
    "precipitation": "m s-1",
    "precipitable_water": "kg m-2",
}
"""Zonal means of single fields in the order of a record, with units."""

PROFILES = {"temperature": "K", "specific_humidity": "kg kg-1", "eastward_wind": "m s-1"}
"""Zonal means at each level, likewise."""

MAPS = {
    "surface_temperature": "K",
    "outgoing_longwave": "W m-2",
    "absorbed_shortwave": "W m-2",
    "precipitation": "m s-1",
}
"""Fields of the maps in the order of a record, with units."""

N_LATITUDE, N_LONGITUDE, N_LEVEL = 32, 64, 10

_AT_SURFACE = ("surface_longwave", "surface_shortwave", "sensible_heat", "latent_heat")

_FILE, _MAPS_FILE = "hybrid_climate", "hybrid_maps"
_N_FIELD = len(SINGLE) + N_LEVEL * len(PROFILES)


def _record(n_latitude: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("step", "<i4"),
            ("latitude", "<f4", (n_latitude,)),
            ("means", "<f4", (_N_FIELD, n_latitude)),
        ]
    )


def _maps_record(n_latitude: int) -> np.dtype[np.void]:
    return np.dtype([("step", "<i4"), ("means", "<f4", (len(MAPS), n_latitude, N_LONGITUDE))])


def _of_ranks(folder: Path, stem: str) -> list[Path]:
    """Return the files of a run, one for each of its ranks."""
    return sorted(folder.glob(f"{stem}.*"))


def n_day_written(folder: Path) -> int:
    """Return how many days a run has written so far."""
    paths = _of_ranks(folder, _FILE)
    if not paths:
        return 0
    size = _record(N_LATITUDE // len(paths)).itemsize
    return min(path.stat().st_size // size for path in paths)


def _zonal(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes ``(latitude,)`` and means ``(day, field, latitude)`` as written."""
    paths = _of_ranks(folder, _FILE)
    parts = [np.fromfile(path, _record(N_LATITUDE // len(paths))) for path in paths]
    latitude = np.concatenate([part["latitude"][0] for part in parts])
    return latitude.astype(float), np.concatenate([part["means"] for part in parts], axis=2)


def read_climate(folder: Path) -> xr.Dataset:
    """Return the daily zonal means of a run.

    Returns
    -------
    Dataset
        `SINGLE` over time and latitude, `PROFILES` over time, level and latitude, level 0 at the
        top; ``weight`` over latitude, Gaussian, with sum 1; ``time`` is in days since the start.
    """
    latitude, written = _zonal(folder)
    order = np.argsort(latitude)
    latitude, means = latitude[order], written[:, :, order].astype(float)
    variables: dict[str, xr.Variable] = {}
    for i, (name, units) in enumerate(SINGLE.items()):
        variables[name] = xr.Variable(("time", "latitude"), means[:, i], {"units": units})
    for i, (name, units) in enumerate(PROFILES.items()):
        first = len(SINGLE) + i * N_LEVEL
        variables[name] = xr.Variable(
            ("time", "level", "latitude"), means[:, first : first + N_LEVEL], {"units": units}
        )
    _, weight = np.polynomial.legendre.leggauss(len(latitude))
    variables["weight"] = xr.Variable("latitude", weight / weight.sum(), {"units": "1"})
    time = xr.Variable("time", np.arange(len(means)) + 0.5, {"units": "d"})
    return xr.Dataset(
        variables,
        {"time": time, "latitude": xr.Variable("latitude", latitude, {"units": "degrees_north"})},
    )


def read_maps(folder: Path) -> xr.Dataset:
    """Return the daily means of a run on its grid.

    Returns
    -------
    Dataset
        `MAPS` over time, latitude and longitude, with ``weight``, ``time`` and ``latitude`` as of
        `read_climate`.
    """
    zonal = read_climate(folder)
    # Latitudes of the files are those of the zonal means before they were sorted.
    latitude, _ = _zonal(folder)
    paths = _of_ranks(folder, _MAPS_FILE)
    record = _maps_record(N_LATITUDE // len(paths))
    written = np.concatenate([np.fromfile(path, record)["means"] for path in paths], axis=2)
    means = written[:, :, np.argsort(latitude)]
    dims = ("time", "latitude", "longitude")
    variables: dict[str, xr.Variable] = {
        name: xr.Variable(dims, means[:, i], {"units": units})
        for i, (name, units) in enumerate(MAPS.items())
    }
    longitude = np.arange(N_LONGITUDE) * 360.0 / N_LONGITUDE
    return xr.Dataset(
        {**variables, "weight": zonal["weight"]},
        {
            "time": zonal["time"],
            "latitude": zonal["latitude"],
            "longitude": xr.Variable("longitude", longitude, {"units": "degrees_east"}),
        },
    )


def global_means(climate: xr.Dataset) -> xr.Dataset:
    """Return global means of the single fields, and the net fluxes at both ends of the atmosphere.

    ``net_top`` and ``net_surface`` are positive downward [W m-2].
    """
    means = climate[list(SINGLE)].weighted(climate["weight"]).mean("latitude", keep_attrs=True)
    top = means["absorbed_shortwave"] - means["outgoing_longwave"]
    surface = sum((means[name] for name in _AT_SURFACE[1:]), means[_AT_SURFACE[0]])
    return means.assign(
        net_top=top.assign_attrs(units="W m-2"), net_surface=surface.assign_attrs(units="W m-2")
    )
