"""The columns' places and the levels' pressures."""

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.folders import files_by_folder

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnGrid:
    """Columns on the sphere and hybrid levels, model top first.

    Parameters
    ----------
    area
        Area of each column ``(n_column,)`` [sr].
    lat, lon
        Latitude and longitude ``(n_column,)`` [degrees].
    hyai, hybi
        Hybrid coefficients at layer interfaces ``(n_level + 1,)`` [1].
    hyam, hybm
        Hybrid coefficients at layer midpoints ``(n_level,)`` [1].
    p0
        Reference pressure [Pa].
    """

    area: Array
    lat: Array
    lon: Array
    hyai: Array
    hybi: Array
    hyam: Array
    hybm: Array
    p0: float

    @property
    def n_column(self) -> int:
        """Number of columns."""
        return self.area.size

    @property
    def n_level(self) -> int:
        """Number of levels."""
        return self.hyam.size

    @property
    def reference_pressure(self) -> Array:
        """Midpoint pressure where the surface pressure is `p0`, ``(n_level,)`` [hPa]."""
        return (self.hyam + self.hybm) * self.p0 / 100.0

    def midpoint_pressure(self, surface_pressure: Array) -> Array:
        """Return p = hyam p0 + hybm ps [Pa], shape ``(*ps.shape, n_level)``."""
        return self.hyam * self.p0 + self.hybm * surface_pressure[..., None]

    def layer_thickness(self, surface_pressure: Array) -> Array:
        """Return the pressure thickness of each layer [Pa], shape ``(*ps.shape, n_level)``."""
        interface = self.hyai * self.p0 + self.hybi * surface_pressure[..., None]
        return np.diff(interface, axis=-1)


def find_grid(folder: Path) -> Path:
    """Find ClimSim's grid file below a data folder.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    found = sorted(
        place / name
        for place, names in files_by_folder(folder)
        for name in names
        if name.endswith("grid-info.nc")
    )
    if len(found) != 1:
        which = f" ({', '.join(str(path.relative_to(folder)) for path in found)})" if found else ""
        raise DataError(
            f"{folder}: expected one file *grid-info.nc, found {len(found)}{which}; put "
            "ClimSim_low-res_grid-info.nc, and no other, beside the data, or name it with --grid "
            "if the command has that option"
        )
    return found[0]


def read_grid(path: Path) -> ColumnGrid:
    """Read a ClimSim grid file.

    Raises
    ------
    DataError
        If a variable is missing.
    """
    names = ("area", "lat", "lon", "hyai", "hybi", "hyam", "hybm", "P0")
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        missing = [name for name in names if name not in file.variables]
        if missing:
            raise DataError(f"{path}: expected variables {list(names)}, missing {missing}")
        values = {name: np.asarray(file[name][...], dtype=np.float64) for name in names}
    p0 = float(values.pop("P0"))
    return ColumnGrid(**values, p0=p0)
