"""How far apart the generator's schemes are, and how close its climate is to ClimSim's.

``python -m hybrid.column_fidelity --normalization DIR --out DIR`` writes both as JSON and as a
figure; without ``--normalization`` it scores the schemes alone.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from closures.atomic import write_text
from hybrid.figure_style import legend, line, new_figure
from solvers.column_physics import Columns, ColumnSettings
from solvers.column_physics.constants import DAY, TIMESTEP, YEAR

Array = NDArray[np.float64]

NAMES = {
    "temperature": "state_t",
    "vapour": "state_q0001",
    "eastward_wind": "state_u",
    "northward_wind": "state_v",
}
"""Profiles that are compared, and their names in ClimSim's normalization files."""


@dataclass(frozen=True)
class Recorded:
    """Columns of many moments, and what either scheme makes of them.

    Parameters
    ----------
    states
        By name, ``(n, n_level)``.
    tendencies
        By scheme and name, ``(n, n_level)``, per second.
    mass
        Mass of the layers [kg m-2].
    area
        Area of each column [sr].
    precipitation
        By scheme, ``(n,)`` [m s-1].
    """

    states: dict[str, Array]
    tendencies: dict[str, dict[str, Array]]
    mass: Array
    area: Array
    precipitation: dict[str, Array]


def record(settings: ColumnSettings, n_moment: int, n_spin_up: int = 12) -> Recorded:
    """Run columns to moments spread over a year and apply both schemes to each state.

    Parameters
    ----------
    settings
        The scheme that advances the columns, warming and seed.
    n_moment
        Number of moments.
    n_spin_up
        Steps before each.
    """
    columns = Columns(settings)
    rng = np.random.default_rng(settings.seed)
    befores: list[xr.Dataset] = []
    afters: dict[str, list[xr.Dataset]] = {"low": [], "high": []}
    for index in range(n_moment):
        hour = int(rng.integers(int(DAY / TIMESTEP))) * TIMESTEP
        time = int(YEAR * (index + 0.5) / n_moment) * DAY + hour
        before = next(columns.run(time, 1, n_spin_up)).before
        befores.append(before)
        afters["low"].append(columns.physics(before, "low"))
        afters["high"].append(columns.physics(before, "high"))

    def joined(parts: Sequence[xr.Dataset], name: str) -> Array:
        return np.concatenate([np.asarray(part[name]) for part in parts])

    states = {name: joined(befores, name) for name in NAMES}
    tendencies = {
        scheme: {
            name: (joined(parts, name) - states[name]) / settings.timestep
            for name in ("temperature", "vapour")
        }
        for scheme, parts in afters.items()
    }
    return Recorded(
        states,
        tendencies,
        columns.grid.layer_mass(joined(befores, "surface_pressure")),
        np.tile(columns.grid.area, n_moment),
        {scheme: joined(parts, "precipitation") for scheme, parts in afters.items()},
    )


def scheme_r2(recorded: Recorded) -> dict[str, float]:
    """Return how much of the rich scheme's tendencies the cheap one explains.

    Returns
    -------
    dict
        ``r2_heating`` and ``r2_moistening``: 1 - sum m (h - l)^2 / sum m (h - mean h)^2 over all
        columns and levels, m the mass of the layer and the mean that of the level.
    """
    scores = {}
    for label, name in (("r2_heating", "temperature"), ("r2_moistening", "vapour")):
        low, high = (recorded.tendencies[scheme][name] for scheme in ("low", "high"))
        error = (recorded.mass * (high - low) ** 2).sum()
        total = (recorded.mass * (high - high.mean(axis=0)) ** 2).sum()
        scores[label] = float(1.0 - error / total)
    return scores


def level_r2(recorded: Recorded, name: str) -> Array:
    """Return the share explained at each level, NaN where the rich scheme does nothing."""
    low, high = (recorded.tendencies[scheme][name] for scheme in ("low", "high"))
    variance = high.var(axis=0)
    error = ((high - low) ** 2).mean(axis=0)
    return np.where(variance > 0.0, 1.0 - error / np.where(variance > 0.0, variance, 1.0), np.nan)


def read_statistics(folder: Path) -> dict[str, tuple[Array, Array]]:
    """Return mean and standard deviation of each profile from ClimSim's normalization files."""
    statistics = []
    for kind in ("mean", "std"):
        with netCDF4.Dataset(folder / f"input_{kind}.nc") as file:
            statistics.append({name: np.asarray(file[own][...]) for name, own in NAMES.items()})
    return {name: (statistics[0][name], statistics[1][name]) for name in NAMES}


def own_statistics(recorded: Recorded) -> dict[str, tuple[Array, Array]]:
    """Return mean and standard deviation of each profile, every column counting the same."""
    return {name: (x.mean(axis=0), x.std(axis=0)) for name, x in recorded.states.items()}


def draw(recorded: Recorded, pressure: Array, reference: dict[str, tuple[Array, Array]]) -> Figure:
    """Draw level means, deviations and the schemes' agreement against pressure [hPa]."""
    figure, axes = new_figure(2, 3, sharey=True)
    own = own_statistics(recorded)
    rows = (("temperature", "T [K]", 1.0), ("vapour", "q [g kg$^{-1}$]", 1000.0))
    for row, (name, text, factor) in zip(axes, rows, strict=True):
        for column, kind in enumerate(("mean", "deviation")):
            if name in reference:
                real = reference[name][column] * factor
                row[column].plot(real, pressure, **line("truth", label="ClimSim"))
            made = own[name][column] * factor
            row[column].plot(made, pressure, **line("none", label="generated"))
            row[column].set_xlabel(f"{kind} of {text}")
        row[2].plot(level_r2(recorded, name), pressure, **line("none", label="low"))
        row[2].set_xlabel(f"R$^2$ of d{text.split()[0]}/dt, low against high [1]")
        row[2].set_xlim(-1.0, 1.0)
        row[0].set_ylabel("pressure [hPa]")
    axes[0, 0].set_ylim(1000.0, 0.0)
    legend(axes[0, 0])
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Score and draw; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m hybrid.column_fidelity")
    parser.add_argument("--normalization", type=Path, help="ClimSim's normalization folder")
    parser.add_argument("--out", type=Path, default=Path("results/column-fidelity"))
    parser.add_argument("--moments", type=int, default=24, help="moments over the year")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weather")
    chosen = parser.parse_args(arguments)
    recorded = record(ColumnSettings("high", seed=chosen.seed), chosen.moments)
    metrics = scheme_r2(recorded)
    for scheme, rain in recorded.precipitation.items():
        daily = 1000.0 * DAY * np.average(rain, weights=recorded.area)
        metrics[f"precipitation_{scheme}"] = float(daily)
    reference = {} if chosen.normalization is None else read_statistics(chosen.normalization)
    for name, (mean, deviation) in reference.items():
        own = own_statistics(recorded)[name]
        metrics[f"bias_{name}_max"] = float(np.abs(own[0] - mean).max())
        metrics[f"deviation_ratio_{name}_median"] = float(np.median(own[1] / deviation))
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_text(chosen.out / "results.json", json.dumps(metrics, indent=2) + "\n")
    pressure = Columns(ColumnSettings("high")).grid.reference_pressure / 100.0
    draw(recorded, pressure, reference).savefig(chosen.out / "fidelity.png")


if __name__ == "__main__":
    main()
