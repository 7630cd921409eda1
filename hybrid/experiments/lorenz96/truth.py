"""The two-scale truth: training pairs, a reference climate, and forecast cases."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96.cases import LIBRARY_INTERVAL, ForecastCases, make_cases
from hybrid.experiments.lorenz96.settings import (
    MODEL_STEP,
    SAVE_STEP,
    Lorenz96Settings,
)
from hybrid.experiments.lorenz96.spin_up import spun_up
from solvers.coarse_graining import lorenz96_pairs
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

Array = NDArray[np.float64]

STAGES = ("training", "reference", "floor", "cases")
"""Independent runs, each a stage of the checkpoint."""


@dataclass(frozen=True)
class Truth:
    """Everything that the two-scale model gives.

    Parameters
    ----------
    pairs
        X and its subgrid tendency every `MODEL_STEP`: the training data.
    reference
        X of another, longer run, shape ``(time, member, k)``, every `SAVE_STEP`.
    floor
        X of a third run, as long as a climate run of a closure and sampled alike: its distance
        from `reference` is what sampling alone does.
    cases
        Forecast cases, from a fourth run.
    """

    pairs: xr.Dataset
    reference: Array
    floor: Array
    cases: ForecastCases


def make_truth(
    model: TwoScaleLorenz96Wilks,
    settings: Lorenz96Settings,
    checkpoint: Checkpoint,
    on_progress: Callable[[float], None],
) -> Truth:
    """Run the two-scale model.

    Parameters
    ----------
    model
        The truth.
    settings
        Sizes.
    checkpoint
        Source of random numbers; keeps each of `STAGES`.
    on_progress
        Called with the fraction done.
    """
    n = settings.n_truth_member
    floor_time = settings.n_member * settings.climate_time / n
    forecasts = settings.n_case * settings.n_ensemble * settings.forecast_time / n
    work = (
        settings.train_time,
        settings.reference_time,
        floor_time,
        settings.n_library * LIBRARY_INTERVAL + forecasts,
    )
    runs = []
    for i, step in enumerate((MODEL_STEP, SAVE_STEP, SAVE_STEP)):
        before, share = sum(work[:i]) / sum(work), work[i] / sum(work)
        rng = checkpoint.generator(STAGES[i])
        report = partial(_report, on_progress, before, share)
        make = partial(_run, model, n, work[i], step, rng, report)
        runs.append(checkpoint.arrays(STAGES[i], make))
        on_progress(before + share)
    train, reference, floor = runs
    cases = make_cases(model, settings, checkpoint)
    on_progress(1.0)
    return Truth(train, reference["x"].to_numpy(), floor["x"].to_numpy(), cases)


def _run(
    model: TwoScaleLorenz96Wilks,
    n_member: int,
    duration: float,
    step: float,
    rng: np.random.Generator,
    on_progress: Callable[[float], None],
) -> xr.Dataset:
    every = round(step / model.dt)
    run = model.run(
        steps=round(duration / step) * every,
        save_every=every,
        initial=spun_up(model, n_member, rng),
        progress=False,
        on_progress=on_progress,
    )
    pairs = lorenz96_pairs(run.isel(time=slice(1, None)))
    # Closures are fitted to every step; a climate is that of X alone.
    return pairs if step == MODEL_STEP else pairs[["x"]]


def _report(on_progress: Callable[[float], None], before: float, share: float, done: float) -> None:
    on_progress(before + share * done)
