"""Climates of the slow variables of Lorenz-96 with a learned closure of the fast ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.lorenz96_fit import memory_per_step
from hybrid.evaluation import hellinger_distance, wasserstein_distance
from hybrid.experiments.lorenz96.spin_up import spun_up
from hybrid.experiments.multifidelity.lorenz96 import OFFSETS, PRESENT, code, neighbours, two_scale

Array = NDArray[np.float64]
Predict = Callable[[Array], tuple[Array, Array | None]]
"""Maps X and its neighbours ``(n, 5)`` to the mean subgrid tendency ``(n,)`` and the standard
deviation of its noise ``(n,)``, None for a closure without noise [1]."""

STEP = 0.01
"""Step of the coarse model, at which a closure is evaluated once."""

SAVE_STEP = 0.1

LIMIT = 1e3
"""A member with a larger X, or one that is not finite, has blown up: it stays there, outside the
range of the truth."""

_REFERENCE, _FLOOR, _START, _MEMORY = range(10, 14)
_MEMORY_TIME = 6.0
_N_MEMORY_MEMBER = 16


@dataclass(frozen=True)
class OnlineSizes:
    """How long the models run; time in Lorenz-96 time units.

    Parameters
    ----------
    n_member
        Members of each run.
    time
        Length of a member of the coarse runs and of the floor, after spin-up.
    reference_time
        Length of a member of the truth.
    spin_up_time
        Of the coarse runs, which start from states of the truth.
    """

    n_member: int = 64
    time: float = 20.0
    reference_time: float = 100.0
    spin_up_time: float = 5.0

    def __post_init__(self) -> None:
        if self.n_member < 1 or min(self.time, self.reference_time) < SAVE_STEP:
            raise ValueError(
                f"sizes: expected members, and times of {SAVE_STEP} or more, got {self}"
            )


@dataclass(frozen=True)
class Climate:
    """The truth at one forcing.

    Parameters
    ----------
    forcing
        F [1].
    reference
        X of a long run, ``(time, member, k)``.
    floor
        X of another run, as long as those of the coarse model and saved as they are.
    initial
        Where the coarse model starts, ``(member, k)``.
    """

    forcing: float
    reference: Array
    floor: Array
    initial: Array

    @classmethod
    def of(cls, forcing: float, sizes: OnlineSizes) -> "Climate":
        """Run the two-scale model, with a fixed seed for each of the three."""
        reference = _truth(forcing, _REFERENCE, sizes.n_member, sizes.reference_time)
        floor = _truth(forcing, _FLOOR, sizes.n_member, sizes.time)
        start = _truth(forcing, _START, sizes.n_member, SAVE_STEP)
        return cls(forcing, reference, floor, start[-1])

    def scores(self, x: Array) -> dict[str, float]:
        """Compare the climate of X, any shape, with the truth's.

        Returns
        -------
        dict
            ``hellinger`` and ``wasserstein`` distances of the distributions of X, and
            ``blown_up``, the share of values of members that have.
        """
        return {
            "hellinger": hellinger_distance(self.reference, x),
            "wasserstein": wasserstein_distance(self.reference, x),
            "blown_up": float((np.abs(x) >= LIMIT).mean()),
        }


def online_scores(
    predict: Predict, climate: Climate, sizes: OnlineSizes, seed: int = 0
) -> dict[str, float]:
    """Run the coarse model with a closure, and compare its climate with the truth's.

    Parameters
    ----------
    predict
        The closure.
    climate
        The truth at the forcing of the run.
    sizes
        How long it runs.
    seed
        Of the noise.
    """
    phi = residual_memory(predict)
    rng = np.random.default_rng([seed, round(climate.forcing)])
    x = coarse_run(
        predict, climate.forcing, climate.initial, sizes.spin_up_time + sizes.time, phi, rng
    )
    return climate.scores(x[round(sizes.spin_up_time / SAVE_STEP) :])


def reference_scores(climate: Climate, sizes: OnlineSizes) -> dict[str, dict[str, float]]:
    """Return the scores of what needs no training.

    ``floor``: the truth against itself, what sampling alone does; ``none``: no closure; ``code``:
    the low-fidelity closure.
    """
    return {
        "floor": climate.scores(climate.floor),
        "none": online_scores(no_closure, climate, sizes),
        "code": online_scores(cheap_closure, climate, sizes),
    }


def no_closure(inputs: Array) -> tuple[Array, None]:
    """Return zeros."""
    return np.zeros(len(inputs)), None


def cheap_closure(inputs: Array) -> tuple[Array, None]:
    """Return what the low-fidelity closure makes of inputs."""
    return code(inputs)[:, 0], None


def residual_memory(predict: Predict) -> float:
    """Return the autocorrelation of the noise over one `STEP`; 0 for a closure without noise.

    That of the closure's standardised residual in a run of the truth in the present climate, by
    its integral time scale: a closure of a climate that nobody has seen cannot know another.
    """
    truth = two_scale(PRESENT[-1])
    rng = np.random.default_rng(_MEMORY)
    run = truth.run(
        time=_MEMORY_TIME,
        save_every=STEP,
        initial=spun_up(truth, _N_MEMORY_MEMBER, rng),
        progress=False,
    )
    x, u = run["x"].to_numpy(), run["x_tendency"].to_numpy()
    mean, deviation = predict(neighbours(x).reshape(-1, len(OFFSETS)))
    if deviation is None:
        return 0.0
    residual = (u - mean.reshape(u.shape)) / deviation.reshape(u.shape)
    return memory_per_step(residual, "integral")


def coarse_run(
    predict: Predict,
    forcing: float,
    initial: Array,
    duration: float,
    phi: float,
    rng: np.random.Generator,
) -> Array:
    """Run the slow variables with a closure; return X after each `SAVE_STEP`.

    Runge-Kutta of fourth order for the slow variables. The closure's mean is extrapolated over the
    step from this and the last one (Adams-Bashforth of second order); its noise,
    ``e <- phi e + sqrt(1 - phi^2) z``, begins in its stationary distribution.

    Parameters
    ----------
    predict
        The closure.
    forcing
        F [1].
    initial
        ``(member, k)``.
    duration
        A multiple of `SAVE_STEP`.
    phi
        Memory of the noise over a step.
    rng
        Its numbers.

    Returns
    -------
    ndarray
        ``(time, member, k)``.
    """
    every = round(SAVE_STEP / STEP)
    saved = np.empty((round(duration / SAVE_STEP), *initial.shape))
    x, alive = initial.copy(), np.ones(len(initial), dtype=np.bool_)
    residual = rng.standard_normal(x.shape)
    before: Array | None = None
    for step in range(every * len(saved)):
        mean, deviation = predict(neighbours(x).reshape(-1, len(OFFSETS)))
        now = mean.reshape(x.shape)
        closure = now if before is None else 1.5 * now - 0.5 * before
        before = now
        if deviation is not None:
            residual = phi * residual + np.sqrt(1.0 - phi**2) * rng.standard_normal(x.shape)
            closure = closure + deviation.reshape(x.shape) * residual
        new = _runge_kutta_4(x, forcing + closure)
        alive &= (np.abs(new) < LIMIT).all(axis=1)
        x = np.where(alive[:, None], new, 0.0)
        if (step + 1) % every == 0:
            saved[step // every] = np.where(alive[:, None], x, LIMIT)
    return saved


def _runge_kutta_4(x: Array, source: Array) -> Array:
    total = np.zeros_like(x)
    tendency = np.zeros_like(x)
    for reach, weight in ((0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
        stage = x + reach * STEP * tendency
        west, far_west, east = (np.roll(stage, n, axis=1) for n in (1, 2, -1))
        tendency = -west * (far_west - east) - stage + source
        total += weight / 6.0 * tendency
    new: Array = x + STEP * total
    return new


def _truth(forcing: float, role: int, n_member: int, duration: float) -> Array:
    model = two_scale(forcing)
    rng = np.random.default_rng([role, round(forcing)])
    run = model.run(
        time=duration,
        save_every=SAVE_STEP,
        initial=spun_up(model, n_member, rng),
        progress=False,
    )
    x: Array = run["x"].to_numpy()[1:]
    return x
