"""Time integration schemes: their coefficients, their orders, and the loops that use them."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True)
class AdamsBashforth:
    """An explicit multistep scheme, ``y += dt * sum_i b_i f(t - i dt)``.

    Parameters
    ----------
    name
        Name, as users give it.
    order
        Order of accuracy once it has its history.
    weights
        Shape ``(order, order)``: row n holds the weights, newest tendency first, of a step that
        has n earlier tendencies. A run begins with row 0, which is Euler's method, so its global
        error is of second order at best.

    References
    ----------
    Durran (2010), Numerical Methods for Fluid Dynamics, section 2.4.
    """

    name: str
    order: int
    weights: NDArray[np.float64]


ADAMS_BASHFORTH_2 = AdamsBashforth("AB2", 2, np.array([[1.0, 0.0], [1.5, -0.5]]))
ADAMS_BASHFORTH_3 = AdamsBashforth(
    "AB3",
    3,
    np.array(
        [[1.0, 0.0, 0.0], [1.5, -0.5, 0.0], [23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0]],
    ),
)

#: Order of accuracy of `runge_kutta_4_stage` applied four times.
RUNGE_KUTTA_4_ORDER = 4


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
    if stage == 0:
        for i in range(state.size):
            increment[i] = dt / 6.0 * tendency[i]
            argument[i] = state[i] + 0.5 * dt * tendency[i]
    elif stage < 3:
        reach = 0.5 * dt if stage == 1 else dt
        for i in range(state.size):
            increment[i] += dt / 3.0 * tendency[i]
            argument[i] = state[i] + reach * tendency[i]
    else:
        for i in range(state.size):
            state[i] += increment[i] + dt / 6.0 * tendency[i]
            argument[i] = state[i]
