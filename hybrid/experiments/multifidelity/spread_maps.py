"""Where on the globe the members disagree, in the present and in a warmer climate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from closures.columns.networks.member_statistics import member_statistics
from closures.constraints.ranges import FieldRanges
from closures.multifidelity import FidelityEnsemble
from hybrid.climsim_scores.figures.globe import PROJECTION, Globe
from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.beds import Opened
from hybrid.experiments.multifidelity.job import Job, restored, shown
from hybrid.experiments.multifidelity.settings import Settings
from hybrid.experiments.multifidelity.shown import Shown
from hybrid.experiments.multifidelity.tables import climate_label
from hybrid.experiments.result import Figure
from hybrid.figure_style import SEQUENTIAL, new_figure, panel_title
from solvers.column_physics import Grid

Array = NDArray[np.float64]

VARIABLE = "heating"
"""What is drawn; its spread is the mass-weighted mean over the column."""

LAND = "cam_in_landfrac"
"""Input whose outline is drawn: the land that the physics knows."""

_BLOCK = 1536
_QUANTILE = 0.99


def spread_maps(
    opened: Opened, jobs: Sequence[Job], folder: Path, settings: Settings, grid: Grid
) -> Figure:
    """Draw the spread of each column, the present beside the climates that count.

    Parameters
    ----------
    opened
        Test bed whose tests hold all columns of the grid at each moment, in its order.
    jobs
        Trainings of one ensemble, one a seed; they are done.
    folder
        Where they are.
    settings
        How they were trained.
    grid
        Places of the columns.
    """
    bed = opened.bed
    tables = Tables.read(opened.data)
    climates = ("present", *bed.shifted)
    found: dict[str, list[Array]] = {climate: [] for climate in climates}
    for job in jobs:
        network, how = restored(job, bed, folder, settings), shown(job, bed, tables)
        for climate in climates:
            table = tables.tests[climate]
            found[climate].append(column_spread(network, how, bed, table, grid.n_column))
    n_moment = len(tables.tests["present"]) // grid.n_column
    spreads = {climate: np.mean(values, axis=0) for climate, values in found.items()}
    seeds = "one seed" if len(jobs) == 1 else f"{len(jobs)} seeds"
    place = FieldRanges.of_spec(bed.spec).inputs[LAND].start
    land = tables.tests["present"].inputs[: grid.n_column, place]
    of_what = f"{jobs[0].candidate.label}; mean over {n_moment} moments and {seeds}"
    return _drawn(bed, spreads, grid, land, of_what)


def column_spread(
    network: FidelityEnsemble, how: Shown, bed: Bed, table: Table, n_column: int
) -> Array:
    """Return the members' standard deviation of each column, the mean over the moments.

    Parameters
    ----------
    network
        At least two members.
    how
        How samples are shown to it.
    bed
        Variables, masses and units.
    table
        Samples, ``n_column`` a moment.
    n_column
        Number of columns.

    Returns
    -------
    Array
        Mass-weighted mean over the levels of `VARIABLE`, in the units of its scores
        ``(n_column,)``.

    Raises
    ------
    ValueError
        If the moments do not hold so many columns each.
    """
    if len(table) % n_column or (np.diff(table.group.reshape(-1, n_column), axis=1) != 0).any():
        raise ValueError(
            f"map of spread: expected moments of {n_column} columns each, got {len(table)} samples "
            f"of {len(np.unique(table.group))} moments"
        )
    outputs = bed.outputs(how.outputs.spread)
    found = []
    with torch.inference_mode():
        for block in torch.split(how.features(table.inputs), _BLOCK):
            _, scatter = member_statistics(network.members(block))
            deviation = torch.sqrt(scatter / (network.n_member - 1)).double().numpy()
            found.append(outputs.column_mean(deviation * how.outputs.spread, VARIABLE))
    by_moment = np.concatenate(found).reshape(-1, n_column)
    mean: Array = by_moment.mean(axis=0) * bed.units[VARIABLE][1]
    return mean


def _drawn(bed: Bed, spreads: Mapping[str, Array], grid: Grid, land: Array, of_what: str) -> Figure:
    figure, axes = new_figure(1, len(spreads), height=2.9, subplot_kw=dict(PROJECTION))
    globe = Globe.of(grid.lat, grid.lon)
    highest = float(np.quantile(list(spreads.values()), _QUANTILE))
    unit = bed.units[VARIABLE][0].replace("kg-1", "kg$^{-1}$")
    for panel, (climate, values) in zip(axes[0], spreads.items(), strict=True):
        image = globe.draw(panel, values, cmap=SEQUENTIAL, vmin=0.0, vmax=highest)
        globe.outline(panel, land)
        mean = np.average(values, weights=grid.area)
        panel_title(panel, f"{climate_label(climate)}: mean {mean:.3g} {unit}")
    figure.colorbar(
        image,
        ax=axes[0].tolist(),
        orientation="horizontal",
        extend="max",
        shrink=0.6,
        aspect=40.0,
        label=f"spread of {VARIABLE} [{unit}]",
    )
    return Figure(
        name=f"spread_maps_{bed.name}",
        title=f"{bed.title}: maps of spread",
        reading=(
            f"Brighter: the members differ more. Standard deviation of the members' {VARIABLE}, "
            f"mass-weighted mean over the column: {of_what}. Each pixel has the value of the "
            f"nearest of the {grid.n_column} columns; equal-area projection, 0 degrees east in "
            "the middle; outlines: land as the physics knows it."
        ),
        figure=figure,
    )
