"""Lorenz-63 and Lorenz-96 from their equations, with the classical Runge-Kutta method.

Indices are cyclic throughout. All variables are nondimensional; a unit of time is the one of the
paper cited.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lorenz63Parameters:
    """Prandtl number, Rayleigh number over its critical value, and aspect ratio of the cell."""

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0


def lorenz63_tendency(state: Array, parameters: Lorenz63Parameters) -> Array:
    """Return d(x, y, z)/dt.

    dx/dt = sigma (y - x); dy/dt = x (rho - z) - y; dz/dt = x y - beta z.

    References
    ----------
    Lorenz (1963), eqs 25-27, with sigma, rho (there r) and beta (there b).

    """
    x, y, z = state
    p = parameters
    return np.array([p.sigma * (y - x), x * (p.rho - z) - y, x * y - p.beta * z])


def one_scale_tendency(x: Array, forcing: float) -> Array:
    """Return dX/dt, shape (n_k,), of the one-scale model.

    dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F.

    References
    ----------
    Lorenz (1996), one-scale model.

    """
    n = len(x)
    result = np.zeros(n)
    for k in range(n):
        advection = -x[(k - 1) % n] * (x[(k - 2) % n] - x[(k + 1) % n])
        result[k] = advection - x[k] + forcing
    return result


@dataclass(frozen=True)
class RaspTwoScaleParameters:
    """Two-scale Lorenz-96 of Rasp (2020): n_k slow variables with n_j fast ones each."""

    n_k: int = 36
    n_j: int = 10
    forcing: float = 10.0
    h: float = 1.0
    c: float = 10.0
    b: float = 10.0


def rasp_two_scale_tendency(state: Array, parameters: RaspTwoScaleParameters) -> Array:
    r"""Return d(X, Y)/dt, shape (n_k + n_k n_j,), of the form that couples by the mean of Y.

    dX_k/dt = -X_{k+1} (X_{k+2} - X_{k-1}) - X_k + F - h c mean_j(Y_{j,k}),
    (1/c) dY_{j,k}/dt = -b Y_{j-1,k} (Y_{j-2,k} - Y_{j+1,k}) - Y_{j,k} + (h/J) X_k.

    Both index directions are the mirror images of Schneider et al. (2017), who in turn print those
    of Lorenz (1996); reversing the order of k and of j together leads from one to the other.

    Parameters
    ----------
    state : array of shape (n_k + n_k n_j,)
        X, then Y with j running fastest; Y is one ring through all sectors, so that
        Y_{J+1,k} = Y_{1,k+1}.
    parameters : RaspTwoScaleParameters

    References
    ----------
    Rasp (2020), Geosci. Model Dev. 13; Schneider et al. (2017), Geophys. Res. Lett. 44.

    """
    p = parameters
    n_y = p.n_k * p.n_j
    x, y = state[: p.n_k], state[p.n_k :]
    result = np.zeros(p.n_k + n_y)
    for k in range(p.n_k):
        advection = -x[(k + 1) % p.n_k] * (x[(k + 2) % p.n_k] - x[(k - 1) % p.n_k])
        mean = sum(y[k * p.n_j + j] for j in range(p.n_j)) / p.n_j
        result[k] = advection - x[k] + p.forcing - p.h * p.c * mean
    for i in range(n_y):
        advection = -p.b * y[(i - 1) % n_y] * (y[(i - 2) % n_y] - y[(i + 1) % n_y])
        result[p.n_k + i] = p.c * (advection - y[i] + p.h / p.n_j * x[i // p.n_j])
    return result


def runge_kutta_4(tendency: Callable[[Array], Array], state: Array, dt: float) -> Array:
    """Return the state one step of the classical fourth-order Runge-Kutta method later."""
    k1 = tendency(state)
    k2 = tendency(state + 0.5 * dt * k1)
    k3 = tendency(state + 0.5 * dt * k2)
    k4 = tendency(state + dt * k3)
    return state + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def advance(tendency: Callable[[Array], Array], state: Array, dt: float, n_step: int) -> Array:
    """Return the state `n_step` steps of length `dt` later."""
    for _ in range(n_step):
        state = runge_kutta_4(tendency, state, dt)
    return state
