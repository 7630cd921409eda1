"""What a closure and its rivals change in the first days, before the weather differs.

All runs begin with the state of the first native run, so what differs at first is the radiation.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hybrid.experiments.plasim.climate import read_maps
from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.years import year_folders
from hybrid.experiments.result import Table

FIELDS = {
    "outgoing_longwave": "OLR [W m-2]",
    "absorbed_shortwave": "absorbed sunlight [W m-2]",
    "surface_temperature": "Ts [K]",
}
"""What is compared, and what it is called."""

_LAST = 5

FirstDays = Mapping[str, Sequence[float]]
"""By name of a run: root mean square differences on the first day and on the fifth, field by
field."""


def first_days(work: Work, truth: str, names: Sequence[str]) -> FirstDays:
    """Return the root mean square differences of daily maps from those of a run.

    Parameters
    ----------
    work
        Where the runs are; those of less than five days end with their last one.
    truth
        Name of the run that the others are held against.
    names
        Of the others.
    """
    of_truth = _maps(work, truth)
    return {name: _differences(_maps(work, name), of_truth) for name in names}


def _maps(work: Work, name: str) -> Mapping[str, np.ndarray]:
    """Return each of `FIELDS` as ``(day, latitude, longitude)``, times the root of the weight."""
    maps = read_maps(year_folders(work.folder / name)[0]).isel(time=slice(_LAST))
    weight = np.sqrt(maps["weight"].to_numpy() / maps.sizes["longitude"])[:, np.newaxis]
    return {field: maps[field].to_numpy() * weight for field in FIELDS}


def _differences(
    found: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]
) -> tuple[float, ...]:
    numbers = []
    for field in FIELDS:
        n = min(len(found[field]), len(truth[field]))
        squares = np.square(found[field][:n] - truth[field][:n]).sum(axis=(1, 2))
        numbers += [float(squares[0] ** 0.5), float(squares[-1] ** 0.5)]
    return tuple(numbers)


def first_days_table(found: FirstDays) -> Table:
    """Return the table of the report."""
    return Table(
        title="The first days: difference of daily maps from the first native run",
        columns=tuple(f"{label}, day {day}" for label in FIELDS.values() for day in (1, _LAST)),
        rows={name: tuple(values) for name, values in found.items()},
        note="Root mean square over the area. All runs begin with the same state, so day 1 is what "
        "the radiation does; by day 5 the weather differs, too. native_1 begins with fluxes that "
        "differ by at most 1 in 1000. every_2, every_3: the native scheme at every second and "
        "third step, its fluxes held in between, without the usual correction for the sun's way.",
    )
