"""Figures of the Lorenz-96 experiment."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hybrid.experiments.lorenz96.case import Case
from hybrid.experiments.lorenz96.scoring import FORECAST_SCORES
from hybrid.experiments.lorenz96.settings import CLOSURES, SAVE_STEP
from hybrid.experiments.result import Figure
from hybrid.figure_style import band, common_legend, line, new_figure, panel_title

Array = NDArray[np.float64]


def all_figures(cases: Sequence[Case]) -> tuple[Figure, ...]:
    """Return the figures of the report, one column of panels for each value of c."""
    return (
        closure_figure(cases),
        climate_figure(cases),
        structure_figure(cases),
        skill_figure(cases),
    )


def closure_figure(cases: Sequence[Case]) -> Figure:
    """Subgrid tendency against X: the truth as a cloud, the closures as lines."""
    figure, axes = new_figure(1, len(cases), sharey=True)
    for axis, case in zip(axes[0], cases, strict=True):
        _draw_closures(axis, case)
        panel_title(axis, f"c = {case.model.c:g}")
    axes[0, 0].set_ylabel("subgrid tendency U (dimensionless)")
    common_legend(figure)
    return Figure(
        "lorenz96_closures",
        "What the closures have to reproduce",
        "The tendency of the fast variables is not a function of X: grey is its distribution in "
        "the truth (logarithmic), the band one standard deviation that the network gives its "
        "residual.",
        figure,
    )


def climate_figure(cases: Sequence[Case]) -> Figure:
    """Probability density of X, and its difference from the truth."""
    figure, axes = new_figure(2, len(cases), sharex="col")
    for column, case in enumerate(cases):
        edges, statistics = case.scores.edges, case.scores.statistics
        centre = 0.5 * (edges[1:] + edges[:-1])
        for name in ("truth", "floor", *CLOSURES):
            density = statistics[name].density
            if name != "floor":
                axes[0, column].plot(centre, density, **line(name))
            if name != "truth":
                axes[1, column].plot(centre, density - statistics["truth"].density, **line(name))
        panel_title(axes[0, column], f"c = {case.model.c:g}")
        axes[1, column].set_xlabel("X (dimensionless)")
    axes[0, 0].set_ylabel("probability density")
    axes[1, 0].set_ylabel("difference from the truth")
    common_legend(figure)
    return Figure(
        "lorenz96_climate",
        "Climate of the slow variables in the Fortran model",
        "A good closure lies on the truth; below, a difference no larger than that of the "
        "sampling floor cannot be told from it.",
        figure,
    )


def structure_figure(cases: Sequence[Case]) -> Figure:
    """Autocorrelation in time and variance by wavenumber."""
    figure, axes = new_figure(2, len(cases), sharex="row")
    for column, case in enumerate(cases):
        for name in ("truth", *CLOSURES):
            statistics = case.scores.statistics[name]
            lag = SAVE_STEP * np.arange(statistics.autocorrelation.size)
            axes[0, column].plot(lag, statistics.autocorrelation, **line(name))
            axes[1, column].plot(
                np.arange(statistics.wave_variance.size),
                statistics.wave_variance,
                **line(name, marker="o", markersize=3.5),
            )
        panel_title(axes[0, column], f"c = {case.model.c:g}")
        axes[0, column].set_xlabel("lag (time units)")
        axes[1, column].set_xlabel("wavenumber around the ring")
        axes[1, column].set_ylim(bottom=0.0)
    axes[0, 0].set_ylabel("autocorrelation of X")
    axes[1, 0].set_ylabel("variance of X (dimensionless)")
    common_legend(figure)
    return Figure(
        "lorenz96_structure",
        "Memory and waves",
        "Above: how long the model remembers; below: how its variance is spread over waves. "
        "Closures were fitted to neither.",
        figure,
    )


def skill_figure(cases: Sequence[Case]) -> Figure:
    """Ensemble forecasts by lead time: error and spread, and CRPS."""
    figure, axes = new_figure(2, len(cases), sharex=True)
    for column, case in enumerate(cases):
        for name, scores in case.scores.forecast.items():
            lead = SAVE_STEP * np.arange(1, scores.rmse.size + 1)
            label = {"label": "perfect model"} if name == "floor" else {}
            axes[0, column].plot(lead, scores.rmse, **line(name, **label))
            if scores.spread.any():
                thin = {"linewidth": 0.8, "label": None}
                axes[0, column].plot(lead, scores.spread, **line(name, **thin))
            axes[1, column].plot(lead, scores.crps, **line(name, **label))
        panel_title(axes[0, column], f"c = {case.model.c:g}")
        axes[1, column].set_xlabel("lead time (time units)")
    axes[0, 0].set_ylabel("RMSE of the mean;\nthin: spread (dimensionless)")
    axes[1, 0].set_ylabel(f"{FORECAST_SCORES[0].upper()} (dimensionless)")
    common_legend(figure)
    n_case = cases[0].truth.cases.initial.shape[0]
    return Figure(
        "lorenz96_skill",
        "Ensemble forecasts from the exact state of X",
        f"{n_case} cases. Thick and thin lines of one colour coincide where the ensemble knows its "
        "own error (deterministic models have no spread). No closure can be expected below the "
        "perfect model, which has the true equations and does not know the fast variables, beyond "
        f"the sampling noise of {n_case} cases.",
        figure,
    )


def _draw_closures(axis: Axes, case: Case) -> None:
    pairs = case.truth.pairs.isel(time=slice(None, None, 20))
    axis.hist2d(
        pairs["x"].to_numpy().ravel(),
        pairs["x_tendency"].to_numpy().ravel(),
        bins=80,
        cmap="Greys",
        norm="log",
        rasterized=True,
    )
    scaling_low, scaling_high = case.closures.mlp.x_min, case.closures.mlp.x_max
    x = torch.linspace(scaling_low, scaling_high, 200)
    with torch.no_grad():
        cubic = case.closures.cubic(x)[0].numpy()
        mean, spread = (tensor.numpy() for tensor in case.closures.mlp.distribution(x))
    axis.plot(x.numpy(), cubic, **line("cubic"))
    axis.plot(x.numpy(), mean, **line("mlp"))
    axis.fill_between(x.numpy(), mean - spread, mean + spread, **band("mlp"))
    axis.set_xlabel("X (dimensionless)")
