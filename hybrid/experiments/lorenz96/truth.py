"""The two-scale truth: training pairs, a reference climate, and forecast cases."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.lorenz96.settings import (
    MODEL_STEP,
    SAVE_STEP,
    TRUTH_STEP,
    Lorenz96Settings,
)
from solvers.coarse_graining import lorenz96_pairs
from solvers.lorenz96 import Lorenz96Parameters, Trajectory, random_state, run_two_scale

Array = NDArray[np.float64]

SPIN_UP_TIME = 10.0
INTERVAL = 5.0
"""Time between forecast cases of one member: long enough for them to be nearly unrelated."""

LIBRARY_INTERVAL = 0.2
N_NEAREST = 40
"""Analogues of a sector are drawn among this many with the closest X."""


@dataclass(frozen=True)
class ForecastCases:
    """Initial states, what became of them, and what could be known at best.

    Parameters
    ----------
    initial
        X at the start, shape ``(case, k)``.
    truth
        X afterwards, shape ``(lead, case, k)``, every `SAVE_STEP`.
    perfect
        Perfect-model ensemble: the two-scale model from the true X with fast variables drawn
        from analogues, shape ``(lead, case, k, member)``.
    """

    initial: Array
    truth: Array
    perfect: Array


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
    parameters: Lorenz96Parameters,
    settings: Lorenz96Settings,
    rng: np.random.Generator,
    on_progress: Callable[[float], None],
) -> Truth:
    """Run the two-scale model.

    Parameters
    ----------
    parameters
        Parameters of the truth.
    settings
        Sizes.
    rng
        Source of initial states and analogues.
    on_progress
        Called with the fraction done.
    """
    n = settings.n_truth_member
    floor_time = settings.n_member * settings.climate_time / n
    durations = (settings.train_time, settings.reference_time, floor_time)
    forecasts = settings.n_case * settings.n_ensemble * settings.forecast_time / n
    work = sum(durations) + settings.n_library * LIBRARY_INTERVAL + forecasts
    runs: list[Trajectory] = []
    for duration, step in zip(durations, (MODEL_STEP, SAVE_STEP, SAVE_STEP), strict=True):
        before = sum(durations[: len(runs)]) / work
        run = run_two_scale(
            parameters,
            _spun_up(parameters, n, rng),
            round(duration / step),
            save_every=round(step / TRUTH_STEP),
            dt=TRUTH_STEP,
            on_progress=partial(_report, on_progress, before, duration / work),
        )
        runs.append(run)
    train, reference, floor = runs
    cases = _forecast_cases(parameters, settings, rng)
    on_progress(1.0)
    return Truth(lorenz96_pairs(parameters, train), reference.x, floor.x, cases)


def _report(on_progress: Callable[[float], None], before: float, share: float, done: float) -> None:
    on_progress(before + share * done)


def analogue_states(
    parameters: Lorenz96Parameters,
    x: Array,
    library: Array,
    n_member: int,
    rng: np.random.Generator,
) -> Array:
    """Complete slow variables to full states, with the fast variables of analogues.

    The fast variables of each sector k are those of a sector of the library whose X is among
    the `N_NEAREST` closest, drawn independently for each k and member.

    Parameters
    ----------
    parameters
        Parameters of the system.
    x
        Slow variables, shape ``(case, n_k)``.
    library
        Full states of a long run, shape ``(n, size)``.
    n_member
        Number of draws per case.
    rng
        Source of the draws.

    Returns
    -------
    ndarray
        Full states, shape ``(case, n_member, size)``; their X equals `x`.
    """
    n_k = parameters.n_k
    library_x = library[:, :n_k].ravel()
    library_y = library[:, n_k:].reshape(-1, parameters.n_j)
    order = np.argsort(library_x)
    position = np.searchsorted(library_x, x, sorter=order)
    shape = (x.shape[0], n_member, n_k)
    first = np.clip(position - N_NEAREST // 2, 0, max(0, order.size - N_NEAREST))
    draw = first[:, None, :] + rng.integers(min(N_NEAREST, order.size), size=shape)
    y = library_y[order[draw]].reshape(x.shape[0], n_member, -1)
    return np.concatenate([np.broadcast_to(x[:, None, :], shape), y], axis=-1)


def _forecast_cases(
    parameters: Lorenz96Parameters, settings: Lorenz96Settings, rng: np.random.Generator
) -> ForecastCases:
    n = settings.n_truth_member
    states = _successive_states(
        parameters, _spun_up(parameters, n, rng), -(-settings.n_case // n), INTERVAL
    )[: settings.n_case]
    library = _successive_states(
        parameters, _spun_up(parameters, n, rng), settings.n_library, LIBRARY_INTERVAL
    )
    initial = states[:, : parameters.n_k]
    members = analogue_states(parameters, initial, library, settings.n_ensemble, rng)
    n_lead = round(settings.forecast_time / SAVE_STEP)
    save_every = round(SAVE_STEP / TRUTH_STEP)
    truth = run_two_scale(parameters, states, n_lead, save_every=save_every, dt=TRUTH_STEP)
    perfect = run_two_scale(
        parameters,
        members.reshape(-1, parameters.size),
        n_lead,
        save_every=save_every,
        dt=TRUTH_STEP,
    )
    ensemble = perfect.x.reshape(n_lead, settings.n_case, settings.n_ensemble, parameters.n_k)
    return ForecastCases(initial, truth.x, np.moveaxis(ensemble, 2, -1))


def _spun_up(parameters: Lorenz96Parameters, n_member: int, rng: np.random.Generator) -> Array:
    steps = round(SPIN_UP_TIME / TRUTH_STEP)
    state = random_state(parameters, n_member, rng)
    return run_two_scale(parameters, state, 1, save_every=steps, dt=TRUTH_STEP).final_state


def _successive_states(
    parameters: Lorenz96Parameters, state: Array, count: int, interval: float
) -> Array:
    states = []
    steps = round(interval / TRUTH_STEP)
    for _ in range(count):
        state = run_two_scale(parameters, state, 1, save_every=steps, dt=TRUTH_STEP).final_state
        states.append(state)
    return np.concatenate(states)
