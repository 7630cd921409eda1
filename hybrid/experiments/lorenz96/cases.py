"""Forecast cases: initial states, what became of them, and the perfect-model ensemble."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96.settings import SAVE_STEP, Lorenz96Settings
from hybrid.experiments.lorenz96.spin_up import advanced, spun_up
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

Array = NDArray[np.float64]

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


def make_cases(
    model: TwoScaleLorenz96Wilks, settings: Lorenz96Settings, checkpoint: Checkpoint
) -> ForecastCases:
    """Run the two-scale model from states of its own, and from analogues of these.

    Parameters
    ----------
    model
        The truth.
    settings
        Sizes.
    checkpoint
        Source of random numbers; keeps the cases as stage ``cases``.
    """
    rng = checkpoint.generator("cases")
    found = checkpoint.arrays("cases", partial(_run_cases, model, settings, rng))
    initial, truth, perfect = (found[name].to_numpy() for name in ("initial", "truth", "perfect"))
    return ForecastCases(initial, truth, perfect)


def analogue_states(
    model: TwoScaleLorenz96Wilks,
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
    model
        The two-scale model.
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
    n_k = model.n_k
    library_x = library[:, :n_k].ravel()
    library_y = library[:, n_k:].reshape(-1, model.n_j)
    order = np.argsort(library_x)
    position = np.searchsorted(library_x, x, sorter=order)
    shape = (x.shape[0], n_member, n_k)
    first = np.clip(position - N_NEAREST // 2, 0, max(0, order.size - N_NEAREST))
    draw = first[:, None, :] + rng.integers(min(N_NEAREST, order.size), size=shape)
    y = library_y[order[draw]].reshape(x.shape[0], n_member, -1)
    return np.concatenate([np.broadcast_to(x[:, None, :], shape), y], axis=-1)


def _run_cases(
    model: TwoScaleLorenz96Wilks, settings: Lorenz96Settings, rng: np.random.Generator
) -> xr.Dataset:
    n = settings.n_truth_member
    states = _successive_states(model, spun_up(model, n, rng), -(-settings.n_case // n), INTERVAL)[
        : settings.n_case
    ]
    library = _successive_states(
        model, spun_up(model, n, rng), settings.n_library, LIBRARY_INTERVAL
    )
    initial = states[:, : model.n_k]
    members = analogue_states(model, initial, library, settings.n_ensemble, rng)
    n_lead = round(settings.forecast_time / SAVE_STEP)
    truth = _forecast(model, states, n_lead)
    perfect = _forecast(model, members.reshape(-1, model.size), n_lead)
    ensemble = perfect.reshape(n_lead, settings.n_case, settings.n_ensemble, model.n_k)
    return xr.Dataset(
        {
            "initial": (("case", "k"), initial),
            "truth": (("lead", "case", "k"), truth),
            "perfect": (("lead", "case", "k", "member"), np.moveaxis(ensemble, 2, -1)),
        }
    )


def _forecast(model: TwoScaleLorenz96Wilks, states: Array, n_lead: int) -> Array:
    every = round(SAVE_STEP / model.dt)
    run = model.run(steps=n_lead * every, save_every=every, initial=states, progress=False)
    return run["x"].to_numpy()[1:]


def _successive_states(
    model: TwoScaleLorenz96Wilks, state: Array, count: int, interval: float
) -> Array:
    states = []
    for _ in range(count):
        state = advanced(model, state, interval)
        states.append(state)
    return np.concatenate(states)
