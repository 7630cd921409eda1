"""Time integration: the coefficients of every scheme, and the loops that use them.

`SCHEMES` holds every scheme by its name; the tests measure the order of each scheme in it.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from solvers.exponential_schemes import ExponentialRungeKutta4, IntegratingFactor
from solvers.time_schemes import (
    AdamsBashforth,
    AdamsBashforthCrankNicolson,
    Array,
    Problem,
    RungeKutta,
    Scheme,
)

ADAMS_BASHFORTH_2 = AdamsBashforth(
    "AB2", 2, np.array([[1.0, 0.0], [1.5, -0.5]]), imaginary_limit=0.0, real_limit=1.0
)
ADAMS_BASHFORTH_3 = AdamsBashforth(
    "AB3",
    3,
    np.array(
        [[1.0, 0.0, 0.0], [1.5, -0.5, 0.0], [23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0]],
    ),
    imaginary_limit=12.0 / (5.0 * 11.0**0.5),
    real_limit=6.0 / 11.0,
)
#: Shu and Osher (1988), J. Comput. Phys. 77, 439: never increases what Euler's method does not.
SSP_RUNGE_KUTTA_3 = RungeKutta(
    "SSP-RK3",
    3,
    np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.25, 0.0]]),
    np.array([1.0, 1.0, 4.0]) / 6.0,
    imaginary_limit=3.0**0.5,
    real_limit=1.0 + (4.0 + 17.0**0.5) ** (1.0 / 3.0) - (4.0 + 17.0**0.5) ** (-1.0 / 3.0),
)
#: Hairer, Norsett and Wanner (1993), Solving Ordinary Differential Equations I, table II.1.2.
RUNGE_KUTTA_4 = RungeKutta(
    "RK4",
    4,
    np.array(
        [[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]],
    ),
    np.array([1.0, 2.0, 2.0, 1.0]) / 6.0,
    imaginary_limit=8.0**0.5,
    real_limit=2.785293563405282,
)
AB2_CRANK_NICOLSON = AdamsBashforthCrankNicolson("AB2-CN", 2, ADAMS_BASHFORTH_2)
AB3_CRANK_NICOLSON = AdamsBashforthCrankNicolson("AB3-CN", 2, ADAMS_BASHFORTH_3)
INTEGRATING_FACTOR_RK4 = IntegratingFactor("IF-RK4", 4, RUNGE_KUTTA_4)
ETDRK4 = ExponentialRungeKutta4("ETDRK4", 4)

#: Every scheme by its name.
SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        ADAMS_BASHFORTH_2,
        ADAMS_BASHFORTH_3,
        SSP_RUNGE_KUTTA_3,
        RUNGE_KUTTA_4,
        AB2_CRANK_NICOLSON,
        AB3_CRANK_NICOLSON,
        INTEGRATING_FACTOR_RK4,
        ETDRK4,
    )
}

#: Order of accuracy of `runge_kutta_4_stage` applied four times.
RUNGE_KUTTA_4_ORDER = RUNGE_KUTTA_4.order

#: With ``|r| dt`` up to this, `RUNGE_KUTTA_4` lets no solution of ``y' = r y`` grow that must not:
#: the radius of the largest half disc in its region of stability.
RUNGE_KUTTA_4_RADIUS = 2.615


def integrate(
    scheme: Scheme,
    problem: Problem,
    state: ArrayLike,
    dt: float,
    n_step: int,
    *,
    time: float = 0.0,
    past: Sequence[Array] = (),
) -> Array:
    """Advance a small system by any scheme, in plain numpy: the yardstick of compiled loops.

    Parameters
    ----------
    scheme
        One of `SCHEMES`.
    problem
        The equation.
    state
        y at `time`, any shape.
    dt
        Time step [time].
    n_step
        Number of steps.
    time
        Time at the beginning.
    past
        `Scheme.tendency` at the `scheme.n_past` times before `time`, newest first; without
        them, a multistep scheme starts with steps of lower order.

    Returns
    -------
    ndarray
        The state after `n_step` steps.

    Examples
    --------
    >>> decay = Problem(linear=np.array(-1.0), nonlinear=lambda y, t: 0.0 * y)
    >>> round(float(integrate(SCHEMES["RK4"], decay, 1.0, dt=0.1, n_step=10)), 5)
    0.36788
    """
    current, tendencies = np.asarray(state), list(past)
    for i in range(n_step):
        now = time + i * dt
        tendencies = [scheme.tendency(problem, current, now), *tendencies[: scheme.n_past]]
        current = scheme.step(problem, current, now, dt, tendencies)
    return current


def amplification(scheme: Scheme, rate: ArrayLike, linear: ArrayLike = 0.0) -> Array:
    """Return the factor by which a step lets solutions of ``y' = (l + r) y`` grow at most.

    The factor is the spectral radius of the map from the state and its history to the next; up
    to 1, no solution grows.

    Parameters
    ----------
    scheme
        One of `SCHEMES`.
    rate
        ``r dt``, which the scheme takes as N, complex, any shape [1].
    linear
        ``l dt``, which it takes as L, a shape that broadcasts with `rate` [1].

    Returns
    -------
    ndarray
        Growth factor per step, of the common shape [1].
    """
    rates, diagonal = np.broadcast_arrays(np.asarray(rate, dtype=np.complex128), linear)
    problem = Problem(diagonal, lambda state, _time: rates * state)
    size = 1 + scheme.n_past
    columns = []
    for j in range(size):
        state, *past = (np.full(rates.shape, float(i == j)) for i in range(size))
        tendencies = [scheme.tendency(problem, state, 0.0), *past]
        columns.append([scheme.step(problem, state, 0.0, 1.0, tendencies), *tendencies][:size])
    step_map = np.moveaxis(np.array(columns), (0, 1), (-1, -2))
    return np.asarray(np.abs(np.linalg.eigvals(step_map)).max(axis=-1))


@njit(cache=True)
def runge_kutta_4_stage(
    stage: int,
    dt: float,
    state: NDArray[np.float64],
    tendency: NDArray[np.float64],
    increment: NDArray[np.float64],
    argument: NDArray[np.float64],
) -> None:
    """Take one of the four stages of the classical fourth-order Runge-Kutta method.

    The caller starts a step with ``argument = state``; in each of the stages 0, 1, 2, 3 it
    computes ``tendency(argument)`` and then calls this function, which prepares `argument` for
    the next stage. After stage 3 both `state` and `argument` hold the new state.

    Parameters
    ----------
    stage
        0, 1, 2 or 3.
    dt
        Time step [time].
    state
        State at the beginning of the step, shape ``(n,)`` [state]; changed in stage 3 only.
    tendency
        Tendency at `argument`, shape ``(n,)`` [state / time].
    increment
        Work array, shape ``(n,)`` [state]; kept from stage to stage.
    argument
        Where the tendency is wanted next, shape ``(n,)`` [state].

    References
    ----------
    Hairer, Norsett and Wanner (1993), Solving Ordinary Differential Equations I, table II.1.2.
    """
    # In the precision of the state: a double here would make every product one.
    kind = state.dtype.type
    sixth, third, half, whole = kind(dt / 6.0), kind(dt / 3.0), kind(0.5 * dt), kind(dt)
    if stage == 0:
        for i in range(state.size):
            increment[i] = sixth * tendency[i]
            argument[i] = state[i] + half * tendency[i]
    elif stage < 3:
        reach = half if stage == 1 else whole
        for i in range(state.size):
            increment[i] += third * tendency[i]
            argument[i] = state[i] + reach * tendency[i]
    else:
        for i in range(state.size):
            state[i] += increment[i] + sixth * tendency[i]
            argument[i] = state[i]
