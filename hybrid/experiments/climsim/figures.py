"""Figures of the experiment."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.grid import ColumnGrid
from closures.climsim.regions import BAND
from closures.climsim.scorer import MILLIMETRE_PER_DAY
from closures.climsim.variables import VariableSet
from hybrid.experiments.climsim.models import MODELS, Trained
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, legend, line, new_figure, panel_title, symmetric_limits

Array = NDArray[np.float64]

DAY = 86400.0
"""Seconds of a day [s]."""
RAIN_RANGES = (("below 1", -np.inf, 1.0), ("1 to 10", 1.0, 10.0), ("above 10", 10.0, np.inf))
"""Light, moderate and heavy precipitation: name, lower and upper bound [mm day-1]."""


def profiles(trained: Trained, variables: VariableSet, grid: ColumnGrid, label: str) -> Figure:
    """Mean tendency, error and explained variance of heating and moistening by pressure."""
    figure, axes = new_figure(2, 3, sharey=True)
    rows = (
        ("dT", "ptend_t", DAY, "heating [K day$^{-1}$]"),
        ("dq", "ptend_q0001", 1000.0 * DAY, "moistening [g kg$^{-1}$ day$^{-1}$]"),
    )
    pressure = grid.reference_pressure
    for row, (name, field, factor, text) in zip(axes, rows, strict=True):
        part = variables.slices("outputs")[field]
        truth = _global_mean(trained.test.outputs[:, part], grid) * factor
        row[0].plot(truth, pressure, **line("truth"))
        for model in ("ridge", "mlp"):
            mean = _global_mean(trained.predictions[model][:, part], grid) * factor
            row[0].plot(mean, pressure, **line(model))
        for model in MODELS:
            row[1].plot(trained.scores[model][name].mae_level, pressure, **line(model))
        for model in ("ridge", "mlp"):
            row[2].plot(trained.scores[model][name].r2_level, pressure, **line(model))
        row[0].set_xlabel(f"mean {text}")
        row[0].set_xlim(*_frame(truth))
        row[1].set_xlabel(f"MAE of {name} [W m$^{{-2}}$]")
        row[2].set_xlabel(f"R$^2$ of {name} [1]")
        row[2].set_xlim(-0.1, 1.05)
        row[0].set_ylabel("pressure [hPa]")
    axes[0, 0].set_ylim(1000.0, 0.0)
    legend(axes[0, 0])
    legend(axes[0, 1])
    scores = trained.scores
    return Figure(
        name="profiles",
        title=f"Heating and moistening by pressure ({label})",
        reading=(
            "Lower errors and higher R2 are better: averaged over levels the network's error of "
            f"dT is {scores['mlp']['dT'].mae:.2f} W m-2 (ridge {scores['ridge']['dT'].mae:.2f}, "
            f"climatology {scores['climatology']['dT'].mae:.2f}), and of dq "
            f"{scores['mlp']['dq'].mae:.2f} W m-2 (ridge {scores['ridge']['dq'].mae:.2f}, "
            f"climatology {scores['climatology']['dq'].mae:.2f}). In the left panels the lines "
            "should coincide. Values near the surface and at the top may lie outside the frame of "
            "the left panels, and R2 below -0.1 outside that of the right ones."
        ),
        figure=figure,
    )


def cross_section(
    trained: Trained, written: Array, variables: VariableSet, grid: ColumnGrid, label: str
) -> Figure:
    """Zonal-mean heating by latitude and pressure: truth, Fortran host, difference."""
    part = variables.slices("outputs")["ptend_t"]
    edges = np.arange(-90.0, 90.0 + BAND, BAND)
    truth = _zonal_mean(trained.test.outputs[:, part], grid, edges) * DAY
    model = _zonal_mean(written[:, part], grid, edges) * DAY
    difference = model - truth
    low, high = symmetric_limits(truth, quantile=0.95)
    pressure_edges = (grid.hyai + grid.hybi) * grid.p0 / 100.0
    figure, axes = new_figure(1, 3, sharey=True)
    image: Any = None
    for panel, values, title in zip(
        axes[0], (truth, model, difference), ("truth", "MLP in Fortran", "difference"), strict=True
    ):
        image = panel.pcolormesh(
            edges, pressure_edges, values.T, cmap=DIVERGING, vmin=low, vmax=high, rasterized=True
        )
        panel.grid(visible=False)
        panel.set_xticks([-60, -30, 0, 30, 60])
        panel.set_xlabel("latitude [degrees north]")
        panel_title(panel, title)
    axes[0, 0].set_ylabel("pressure [hPa]")
    axes[0, 0].set_ylim(1000.0, 0.0)
    figure.colorbar(image, ax=list(axes[0]), label="heating [K day$^{-1}$]", extend="both")
    weight = np.diff(pressure_edges)[None, :] * np.cos(np.radians(edges[1:] - BAND / 2))[:, None]
    rms = float(np.sqrt(np.average(difference**2, weights=weight)))
    size = float(np.sqrt(np.average(truth**2, weights=weight)))
    return Figure(
        name="cross_section",
        title=f"Zonal-mean heating, mean of {trained.test.n_time} test times ({label})",
        reading=(
            "The right panel would be white if the host's heating were right everywhere: its "
            f"root mean square is {rms:.2f} K/day, that of the true heating {size:.2f} K/day."
        ),
        figure=figure,
    )


def precipitation(trained: Trained, variables: VariableSet, label: str) -> Figure:
    """Distribution of precipitation, and prediction against truth."""
    part = variables.slices("outputs")["cam_out_precc"]
    truth = trained.test.outputs[:, part].ravel() * MILLIMETRE_PER_DAY
    model = trained.predictions["mlp"][:, part].ravel() * MILLIMETRE_PER_DAY
    ridge = trained.predictions["ridge"][:, part].ravel() * MILLIMETRE_PER_DAY
    figure, axes = new_figure(1, 2)
    edges = np.logspace(-2, np.log10(200.0), 33)
    middle = np.sqrt(edges[1:] * edges[:-1])
    for role, values in (("truth", truth), ("ridge", ridge), ("mlp", model)):
        counts, _ = np.histogram(values, edges)
        frequency = counts / values.size / np.diff(np.log10(edges))
        axes[0, 0].plot(middle, frequency, **line(role))
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_xlabel("precipitation [mm day$^{-1}$]")
    axes[0, 0].set_ylabel("frequency per decade [1]")
    panel_title(axes[0, 0], "distribution")
    legend(axes[0, 0])
    counts, _, _ = np.histogram2d(truth, model, bins=(edges, edges))
    image = axes[0, 1].pcolormesh(
        edges, edges, np.where(counts > 0, counts, np.nan).T, cmap="viridis", norm="log"
    )
    axes[0, 1].plot(edges[[0, -1]], edges[[0, -1]], color="#000000", linewidth=0.8)
    axes[0, 1].set_xscale("log")
    axes[0, 1].set_yscale("log")
    axes[0, 1].set_xlabel("true precipitation [mm day$^{-1}$]")
    axes[0, 1].set_ylabel("MLP [mm day$^{-1}$]")
    panel_title(axes[0, 1], "columns per bin")
    figure.colorbar(image, ax=axes[0, 1], label="number of columns")
    return Figure(
        name="precipitation",
        title=f"Precipitation ({label})",
        reading=(
            f"{rain_shares(truth, model)} The heaviest 0.1 % exceed "
            f"{np.quantile(truth, 0.999):.0f} mm/day in truth and {np.quantile(model, 0.999):.0f} "
            f"in the network; the means are {truth.mean():.2f} and {model.mean():.2f} mm/day. "
            "Columns are not weighted by area; those below 0.01 mm/day are not drawn."
        ),
        figure=figure,
    )


def rain_shares(truth: Array, model: Array) -> str:
    """Say how often rain is light, moderate and heavy, and where the network errs.

    Parameters
    ----------
    truth, model
        Precipitation of the columns, any shape [mm day-1].

    Examples
    --------
    >>> rain_shares(np.array([0.0, 20.0]), np.array([2.0, 20.0]))
    'Columns below 1 mm/day: truth 50.0 %, MLP 0.0 % (too few); 1 to 10 mm/day: truth 0.0 %, \
MLP 50.0 % (too many); above 10 mm/day: truth 50.0 %, MLP 50.0 % (equal).'
    """
    parts = []
    for name, low, high in RAIN_RANGES:
        shares = [
            round(100.0 * float(np.mean((low <= values) & (values < high))), 1)
            for values in (truth, model)
        ]
        verdict = ("equal", "too many", "too few")[int(np.sign(shares[1] - shares[0]))]
        parts.append(f"{name} mm/day: truth {shares[0]:.1f} %, MLP {shares[1]:.1f} % ({verdict})")
    return f"Columns {'; '.join(parts)}."


def _frame(values: Array) -> tuple[float, float]:
    # The lowest levels exchange heat with the surface; to scale, all others would be one line.
    low, high = np.quantile(values, (0.04, 0.96))
    margin = 0.5 * (high - low)
    return float(low - margin), float(high + margin)


def _global_mean(values: Array, grid: ColumnGrid) -> Array:
    fields = values.reshape(-1, grid.n_column, values.shape[1]).mean(axis=0)
    mean: Array = np.average(fields, axis=0, weights=grid.area)
    return mean


def _zonal_mean(values: Array, grid: ColumnGrid, edges: Array) -> Array:
    fields = values.reshape(-1, grid.n_column, values.shape[1]).mean(axis=0)
    band = np.digitize(grid.lat, edges) - 1
    means = [
        np.average(fields[band == i], axis=0, weights=grid.area[band == i])
        if np.any(band == i)
        else np.full(values.shape[1], np.nan)
        for i in range(edges.size - 1)
    ]
    return np.stack(means)
