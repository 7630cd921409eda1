"""Long runs as years, each of which goes on from the last one and stays once it is finished."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import xarray as xr

from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.climate import read_climate
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.report import Report, added, read_report
from hybrid.experiments.plasim.running import RESTART, run_model, seconds_a_day

N_DAY = 360
"""Days of a year of the model."""

OnProgress = Callable[[float], None]


def lengths(n_day: int) -> list[int]:
    """Return the days of each piece: whole years, and what is left.

    Examples
    --------
    >>> lengths(800)
    [360, 360, 80]
    """
    whole, rest = divmod(n_day, N_DAY)
    return [N_DAY] * whole + [rest] * (rest > 0)


def year_folders(folder: Path) -> list[Path]:
    """Return the folders of the years of a run, in their order."""
    return sorted(folder.glob("year_*"))


def run_years(host: Host, run: Run, folder: Path, on_progress: OnProgress) -> Path:
    """Run the model year after year in folders below `folder`; finished ones are not done again.

    Parameters
    ----------
    host
        The compiled model.
    run
        What to run; settings of schemes that count steps begin anew each year.
    folder
        Of the whole run.
    on_progress
        Called with the fraction of the days done.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    HostRunError
        If the model ends before its time.
    """
    pieces = lengths(run.n_day)
    for stale in year_folders(folder)[len(pieces) :]:
        shutil.rmtree(stale)
    part = run
    for i, n_day in enumerate(pieces):
        done = sum(pieces[:i])

        def so_far(fraction: float, done: int = done, n_day: int = n_day) -> None:
            on_progress((done + fraction * n_day) / run.n_day)

        year = folder / f"year_{i + 1:02d}"
        run_model(host, replace(part, n_day=n_day), year, so_far)
        # Only the first fluxes of all make the members of an ensemble differ.
        part = replace(run, restart=year / RESTART, member=0)
    return folder


def climate_of(folder: Path) -> xr.Dataset:
    """Return the daily zonal means of all years, see `read_climate`."""
    return joined(read_climate(year) for year in year_folders(folder))


def joined(years: Iterable[xr.Dataset]) -> xr.Dataset:
    """Return one Dataset whose days are counted from the beginning of the first year."""
    parts: list[xr.Dataset] = []
    n_day = 0
    for year in years:
        parts.append(year.assign_coords(time=year["time"] + n_day))
        n_day += year.sizes["time"]
    return xr.concat(parts, "time", data_vars="minimal", coords="minimal", compat="override")


def report_of(folder: Path) -> Report:
    """Return the calls of all years, see `read_report`."""
    return added([read_report(year) for year in year_folders(folder)])


def seconds_a_day_of(folder: Path) -> list[float]:
    """Return the processor time of a day in each year [s]."""
    return [seconds_a_day(year) for year in year_folders(folder)]
