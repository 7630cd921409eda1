"""A small generated sample in ClimSim's file format, for machines without ClimSim's data.

Nothing in it comes from a climate model: see `closures.climsim.sample_physics`. Each file says
so in its attribute ``title``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cftime
import netCDF4
import numpy as np

from closures.climsim.files import file_name
from closures.climsim.grid import ColumnGrid
from closures.climsim.sample_grid import sample_grid, write_grid
from closures.climsim.sample_physics import Moment, Variables, physics, state, surface
from closures.climsim.variables import TIMESTEP

TITLE = "Generated sample in ClimSim's format; not output of a climate model"

MLI_SCALARS = (
    *(f"cam_in_{name}" for name in ("ALDIF", "ALDIR", "ASDIF", "ASDIR", "ICEFRAC", "LANDFRAC")),
    *(f"cam_in_{name}" for name in ("LWUP", "OCNFRAC", "SNOWHICE", "SNOWHLAND")),
    *(f"pbuf_{name}" for name in ("COSZRS", "LHFLX", "SHFLX", "SOLIN", "TAUX", "TAUY")),
    "state_ps",
)
"""Variables ``(ncol,)`` of an mli file."""

PROGNOSTIC = ("q0001", "q0002", "q0003", "t", "u", "v")
"""Profiles that the physics advances, without their prefix ``state_``."""

MLI_PROFILES = (
    "state_pmid",
    *(f"state_{name}" for name in PROGNOSTIC),
    *(f"pbuf_{name}" for name in ("CH4", "N2O", "ozone")),
)
"""Variables ``(lev, ncol)`` of an mli file."""

MLO_SCALARS = tuple(
    f"cam_out_{name}"
    for name in ("FLWDS", "NETSW", "PRECC", "PRECSC", "SOLL", "SOLLD", "SOLS", "SOLSD")
)
"""Variables ``(ncol,)`` of an mlo file."""

MLO_PROFILES = tuple(f"state_{name}" for name in PROGNOSTIC)
"""Variables ``(lev, ncol)`` of an mlo file."""


@dataclass(frozen=True)
class SampleConfig:
    """Size of a sample.

    Parameters
    ----------
    n_per_month
        Pairs a month; at least 3, so that the interleaved split has test pairs.
    months
        Months of year 8; the default lets both splits find what they need.
    seed
        Seed of times, weather and unpredictable rain.
    n_level
        Number of levels.
    """

    n_per_month: int = 4
    months: tuple[int, ...] = (1, 2, 4, 5, 7, 8, 10, 11)
    seed: int = 0
    n_level: int = 60

    def __post_init__(self) -> None:
        if not 3 <= self.n_per_month <= 28:
            raise ValueError(
                f"sample: expected 3 to 28 pairs a month, got {self.n_per_month}: fewer leave "
                "no test pair, more do not fit one a day"
            )


def write_sample(folder: Path, config: SampleConfig | None = None) -> None:
    """Write mli and mlo files and a grid file below `folder`.

    Parameters
    ----------
    folder
        Root of the sample; laid out as ClimSim's low-resolution data.
    config
        Size and seed.
    """
    chosen = config or SampleConfig()
    rng = np.random.default_rng(chosen.seed)
    grid = sample_grid(chosen.n_level)
    (folder / "grid_info").mkdir(parents=True, exist_ok=True)
    write_grid(folder / "grid_info" / "generated_grid-info.nc", grid)
    for month in chosen.months:
        target = folder / "train" / f"{8:04d}-{month:02d}"
        target.mkdir(parents=True, exist_ok=True)
        days = np.sort(rng.choice(np.arange(1, 29), size=chosen.n_per_month, replace=False))
        for day in days:
            second = int(rng.integers(72)) * int(TIMESTEP)
            _write_pair(target, grid, (8, month, int(day), second), rng)


def _write_pair(
    folder: Path, grid: ColumnGrid, when: tuple[int, int, int, int], rng: np.random.Generator
) -> None:
    year, month, day, second = when
    day_of_year = cftime.DatetimeNoLeap(year, month, day).dayofyr
    before = surface(grid, Moment(day_of_year, second), rng)
    before |= state(grid, before, rng)
    after = physics(grid, before, rng)
    for name in PROGNOSTIC:
        after[f"state_{name}"] = before[f"state_{name}"] + TIMESTEP * after[f"tend_{name}"]
    for kind, variables, scalars, profiles in (
        ("mli", before, MLI_SCALARS, MLI_PROFILES),
        ("mlo", after, MLO_SCALARS, MLO_PROFILES),
    ):
        path = folder / file_name(kind, year, month, day, second)
        with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
            _write(file, grid, variables, scalars, profiles)
            file["ymd"][...] = year * 10000 + month * 100 + day
            file["tod"][...] = second


def _write(
    file: netCDF4.Dataset,
    grid: ColumnGrid,
    variables: Variables,
    scalars: Sequence[str],
    profiles: Sequence[str],
) -> None:
    file.createDimension("ncol", grid.n_column)
    file.createDimension("lev", grid.n_level)
    file.setncatts(
        {"ne": np.int32(4), "fv_nphys": np.int32(2), "calendar": "NO_LEAP", "title": TITLE}
    )
    for name in ("ymd", "tod"):
        file.createVariable(name, "i4")
    for name in scalars:
        file.createVariable(name, "f8", ("ncol",))
    for name in profiles:
        file.createVariable(name, "f8", ("lev", "ncol"))
    for name in scalars:
        file[name][...] = variables[name]
    for name in profiles:
        file[name][...] = variables[name].T
