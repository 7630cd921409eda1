"""Generated columns as ClimSim's files: what stands in wherever the real files are absent.

Nothing in these files comes from a climate model, and each says so in its attribute ``title``.
The physics is that of `solvers.column_physics`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.atomic import write_text
from closures.climsim.errors import DataError
from closures.climsim.files import file_name
from closures.climsim.grid import ColumnGrid, read_grid
from closures.climsim.pair_files import write_grid, write_pair
from solvers.column_physics import Columns, ColumnSettings, Grid, Scheme, generated_grid
from solvers.column_physics.constants import DAY, REFERENCE_PRESSURE, TIMESTEP, YEAR

Array = NDArray[np.float64]

TITLE = "Generated sample in ClimSim's format; not output of a climate model"
YEAR_OF_FILES = 8
"""Year that the first file carries, that of the public sample."""
STEPS_OF_DAY = int(DAY / TIMESTEP)
"""Time steps of a day."""
MANIFEST = "generated.json"
"""File that says how a folder was generated."""

BEFORE = {
    "cam_in_ALDIF": "albedo_infrared_diffuse",
    "cam_in_ALDIR": "albedo_infrared_direct",
    "cam_in_ASDIF": "albedo_visible_diffuse",
    "cam_in_ASDIR": "albedo_visible_direct",
    "cam_in_ICEFRAC": "ice_fraction",
    "cam_in_LANDFRAC": "land_fraction",
    "cam_in_LWUP": "surface_emission",
    "cam_in_OCNFRAC": "ocean_fraction",
    "cam_in_SNOWHICE": "snow_on_ice",
    "cam_in_SNOWHLAND": "snow_on_land",
    "pbuf_CH4": "methane",
    "pbuf_COSZRS": "cosine_zenith",
    "pbuf_LHFLX": "latent_heat_flux",
    "pbuf_N2O": "nitrous_oxide",
    "pbuf_SHFLX": "sensible_heat_flux",
    "pbuf_SOLIN": "toa_sunlight",
    "pbuf_TAUX": "eastward_stress",
    "pbuf_TAUY": "northward_stress",
    "pbuf_ozone": "ozone",
    "state_pmid": "pressure",
    "state_ps": "surface_pressure",
}
"""Name in the columns' Datasets of each further variable of an mli file."""
STATE = {
    "state_q0001": "vapour",
    "state_q0002": "liquid",
    "state_q0003": "ice",
    "state_t": "temperature",
    "state_u": "eastward_wind",
    "state_v": "northward_wind",
}
"""Name of each variable of both files."""
AFTER = {
    "cam_out_FLWDS": "downward_longwave",
    "cam_out_NETSW": "net_sunlight",
    "cam_out_PRECC": "precipitation",
    "cam_out_PRECSC": "snowfall",
    "cam_out_SOLL": "sunlight_infrared_direct",
    "cam_out_SOLLD": "sunlight_infrared_diffuse",
    "cam_out_SOLS": "sunlight_visible_direct",
    "cam_out_SOLSD": "sunlight_visible_diffuse",
}
"""Name of each further variable of an mlo file."""


@dataclass(frozen=True)
class Generation:
    """What to generate.

    Parameters
    ----------
    starts
        First moment of each run, since the start of the year: (day of the year, step of the day).
    n_consecutive
        Pairs of each run, one every 1200 s.
    scheme
        ``"low"`` or ``"high"``, see `solvers.column_physics`.
    warming
        Warming at the ground against the present climate [K].
    seed
        Seed of the weather.
    n_spin_up
        Steps before each run, in which clouds form.
    n_level
        Number of levels.
    """

    starts: tuple[tuple[int, int], ...]
    n_consecutive: int = 1
    scheme: Scheme = "high"
    warming: float = 0.0
    seed: int = 0
    n_spin_up: int = 6
    n_level: int = 60

    def __post_init__(self) -> None:
        if not self.starts or self.n_consecutive < 1 or self.n_spin_up < 0:
            raise DataError(
                "generate: expected at least one run of at least one pair and a spin-up of 0 or "
                f"more steps, got {len(self.starts)} runs, {self.n_consecutive} pairs, "
                f"{self.n_spin_up} steps"
            )

    @property
    def n_pair(self) -> int:
        """Number of pairs of files."""
        return len(self.starts) * self.n_consecutive


def starts_over_year(n_run: int, n_consecutive: int, seed: int = 0) -> tuple[tuple[int, int], ...]:
    """Return moments evenly over a year, each at a random time of day.

    Parameters
    ----------
    n_run
        Number of moments.
    n_consecutive
        Steps of the runs that begin there, which must not overlap.
    seed
        Seed of the times of day.
    """
    spacing = YEAR / n_run
    if n_consecutive + STEPS_OF_DAY > spacing * STEPS_OF_DAY and n_run > 1:
        raise DataError(
            f"generate: expected {n_run} runs of {n_consecutive} steps to fit into a year with a "
            "day between them, got too many; ask for fewer pairs or longer runs"
        )
    rng = np.random.default_rng(seed)
    steps = rng.integers(STEPS_OF_DAY, size=n_run)
    return tuple((int(i * spacing) + 1, int(step)) for i, step in enumerate(steps))


def generate(
    folder: Path,
    what: Generation,
    on_progress: Callable[[float], None] | None = None,
    n_thread: int = 1,
    grid_file: Path | None = None,
) -> None:
    """Write pairs and a grid file below `folder`; continues what was interrupted.

    Parameters
    ----------
    folder
        Root; laid out as ClimSim's low-resolution data.
    what
        How much of what.
    on_progress
        Called with the fraction done.
    n_thread
        Threads of the physics; the files do not depend on it.
    grid_file
        ClimSim's grid file; by default the same grid is generated.

    Raises
    ------
    DataError
        If the folder holds pairs that were not generated in this way.
    OSError
        If the folder cannot be written.
    """
    grid = generated_grid(what.n_level) if grid_file is None else solver_grid(grid_file)
    settings = ColumnSettings(what.scheme, what.warming, what.seed, TIMESTEP, n_thread)
    columns = Columns(settings, grid)
    _claim(folder, what, grid_file)
    (folder / "grid_info").mkdir(parents=True, exist_ok=True)
    # Written again each time, so that an interrupted one does not stay.
    write_grid(folder / "grid_info" / "generated_grid-info.nc", column_grid(grid), TITLE)
    for done, start in enumerate(what.starts, 1):
        if not _is_complete(folder, start, what.n_consecutive):
            for when, before, after in _run(columns, start, what):
                target = _folder_of(folder, when)
                target.mkdir(parents=True, exist_ok=True)
                write_pair(target, when, before, after, TITLE)
        if on_progress is not None:
            on_progress(done / len(what.starts))


def generated_label(folder: Path) -> str | None:
    """Return how the pairs of a folder were generated, None if they were not."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    made = json.loads(path.read_text(encoding="utf-8"))
    return f"generated columns, scheme {made['scheme']}, {made['warming']:+g} K"


def _run(
    columns: Columns, start: tuple[int, int], what: Generation
) -> Iterator[tuple[tuple[int, int, int, int], dict[str, Array], dict[str, Array]]]:
    time = (start[0] - 1) * DAY + start[1] * TIMESTEP
    for index, step in enumerate(columns.run(time, what.n_consecutive, what.n_spin_up)):
        yield (
            _moment(start, index),
            _named(step.before, BEFORE | STATE),
            _named(step.after, AFTER | STATE),
        )


def _named(columns: xr.Dataset, names: Mapping[str, str]) -> dict[str, Array]:
    return {name: np.asarray(columns[own]) for name, own in names.items()}


def _moment(start: tuple[int, int], index: int) -> tuple[int, int, int, int]:
    days, step = divmod(start[1] + index, STEPS_OF_DAY)
    years, day = divmod(start[0] - 1 + days, YEAR)
    # Without leap days every year has the same calendar.
    date = cftime.num2date(day, "days since 0001-01-01", calendar="noleap")
    return YEAR_OF_FILES + years, date.month, date.day, step * int(TIMESTEP)


def _folder_of(folder: Path, when: tuple[int, int, int, int]) -> Path:
    return folder / "train" / f"{when[0]:04d}-{when[1]:02d}"


def _is_complete(folder: Path, start: tuple[int, int], count: int) -> bool:
    moments = [_moment(start, index) for index in range(count)]
    return all(
        (_folder_of(folder, when) / file_name(kind, *when)).is_file()
        for when in moments
        for kind in ("mli", "mlo")
    )


def _claim(folder: Path, what: Generation, grid_file: Path | None) -> None:
    """Write down what is generated here; refuse a folder that holds anything else."""
    wanted = json.dumps(
        {"title": TITLE, **asdict(what), "grid": None if grid_file is None else grid_file.name},
        indent=2,
    )
    path = folder / MANIFEST
    if path.is_file():
        if path.read_text(encoding="utf-8") != wanted:
            raise DataError(
                f"{folder}: expected pairs generated with the same settings, got others; "
                "choose another folder, or empty this one"
            )
        return
    if folder.is_dir() and next(folder.rglob("E3SM-MMF.*.nc"), None) is not None:
        raise DataError(
            f"{folder}: expected an empty folder, got ClimSim files; choose another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, wanted)


def column_grid(grid: Grid) -> ColumnGrid:
    """Return the grid of the columns as ClimSim's grid files describe it."""
    return ColumnGrid(
        grid.area,
        grid.lat,
        grid.lon,
        grid.hyai,
        grid.hybi,
        grid.hyam,
        grid.hybm,
        REFERENCE_PRESSURE,
    )


def solver_grid(path: Path) -> Grid:
    """Return the grid of a grid file in ClimSim's format, for columns to run on.

    Raises
    ------
    DataError
        If the file is no grid file, or its reference pressure is another one.
    """
    grid = read_grid(path)
    if grid.p0 != REFERENCE_PRESSURE:
        raise DataError(f"{path}: P0: expected {REFERENCE_PRESSURE:g} Pa, got {grid.p0:g}")
    return Grid(grid.area, grid.lat, grid.lon, grid.hyai, grid.hybi)
