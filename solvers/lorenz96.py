"""Lorenz-96: slow variables X forced by fast variables Y, and X alone with a polynomial closure.

The equations are nondimensional: every quantity has unit 1, time counts Lorenz-96 time units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from solvers.time_stepping import runge_kutta_4_stage

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

_CHUNKS = 50


@dataclass(frozen=True)
class Lorenz96Parameters:
    """Parameters of the two-scale system; all are dimensionless.

    The defaults are those of Wilks (2005, section 2) and of Arnold et al. (2013, table 1);
    both also use ``c = 4``, where the fast variables are only a little faster than the slow.

    Parameters
    ----------
    n_k
        Number of slow variables, K.
    n_j
        Number of fast variables for each slow one, J.
    forcing
        Forcing of the slow variables, F.
    h
        Coupling constant.
    c
        Ratio of the time scales, slow to fast.
    b
        Ratio of the amplitudes, slow to fast.

    Raises
    ------
    ValueError
        If there are too few variables for the advection stencil, or `b` or `c` is not positive.

    References
    ----------
    Wilks (2005), Q. J. R. Meteorol. Soc. 131, 389-407, equations 1 and 2.
    Arnold, Moroz and Palmer (2013), Phil. Trans. R. Soc. A 371, 20110479.
    """

    n_k: int = 8
    n_j: int = 32
    forcing: float = 20.0
    h: float = 1.0
    c: float = 10.0
    b: float = 10.0

    def __post_init__(self) -> None:
        if self.n_k < 4:
            raise ValueError(f"n_k: expected at least 4 slow variables, got {self.n_k}")
        if self.n_j < 1 or self.n_k * self.n_j < 4:
            raise ValueError(f"n_j: expected at least 4 fast variables in all, got {self.n_j} each")
        if not (self.b > 0.0 and self.c > 0.0):
            raise ValueError(f"b, c: expected positive ratios, got b={self.b}, c={self.c}")

    @property
    def coupling(self) -> float:
        """Coefficient h c / b of the terms that couple X and Y."""
        return self.h * self.c / self.b

    @property
    def size(self) -> int:
        """Number of variables in the state, K + K J."""
        return self.n_k * (1 + self.n_j)


@dataclass(frozen=True)
class Trajectory:
    """Saved states of a two-scale run.

    Parameters
    ----------
    time
        Time since the beginning of the run, shape ``(n_save,)``.
    x
        Slow variables, shape ``(n_save, n_member, n_k)``.
    subgrid_tendency
        ``U_k = -(h c / b) sum_j Y_jk``, same shape as `x`.
    final_state
        Full state at the end, shape ``(n_member, n_k * (1 + n_j))``; start the next run from it.
    """

    time: Array
    x: Array
    subgrid_tendency: Array
    final_state: Array


def random_state(parameters: Lorenz96Parameters, n_member: int, rng: np.random.Generator) -> Array:
    """Draw states near rest from which a run spins up, shape ``(n_member, size)``.

    The first ``n_k`` values are X_k, then Y_jk with j fastest.
    """
    state = 0.01 * rng.standard_normal((n_member, parameters.size))
    state[:, : parameters.n_k] += rng.standard_normal((n_member, parameters.n_k))
    return state


def two_scale_tendency(parameters: Lorenz96Parameters, state: ArrayLike) -> Array:
    """Return d(state)/dt of the two-scale system.

    ``dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F - (h c / b) sum_j Y_jk`` and
    ``dY_l/dt = -c b Y_{l+1} (Y_{l+2} - Y_{l-1}) - c Y_l + (h c / b) X_k``, where l = j + J k
    runs periodically over all K J fast variables.

    Parameters
    ----------
    parameters
        Parameters of the system.
    state
        One state, shape ``(size,)``.
    """
    values = np.ascontiguousarray(state, dtype=np.float64)
    if values.shape != (parameters.size,):
        raise ValueError(f"state: expected shape ({parameters.size},), got {values.shape}")
    tendency = np.empty_like(values)
    p = parameters
    _two_scale_tendency(values, p.n_k, p.n_j, p.forcing, p.coupling, p.c, p.b, tendency)
    return tendency


def run_two_scale(
    parameters: Lorenz96Parameters,
    state: ArrayLike,
    n_save: int,
    *,
    save_every: int = 5,
    dt: float = 0.001,
    on_progress: OnProgress | None = None,
) -> Trajectory:
    """Integrate the two-scale system and save X and the true subgrid tendency.

    Parameters
    ----------
    parameters
        Parameters of the system.
    state
        Initial states, shape ``(n_member, size)``; they are not changed and not saved.
    n_save
        Number of saved times.
    save_every
        Steps between saved times.
    dt
        Time step.
    on_progress
        Called with the fraction that is done, about fifty times.

    Raises
    ------
    FloatingPointError
        If the run blows up; the time step is then too long.
    """
    p = parameters
    current = _members(state, p.size)
    shape = (n_save, current.shape[0], p.n_k)
    x, u = np.empty(shape), np.empty(shape)
    work = np.empty((3, p.size))
    for part in _chunks(n_save):
        _integrate_two_scale(
            current, p.n_k, p.n_j, p.forcing, p.coupling, p.c, p.b,
            dt, save_every, work, x[part], u[part],
        )  # fmt: skip
        _check_finite(current, dt)
        if on_progress is not None:
            on_progress(part.stop / n_save)
    time = np.arange(1, n_save + 1, dtype=np.float64) * (dt * save_every)
    return Trajectory(time, x, u, current)


def run_one_scale(
    parameters: Lorenz96Parameters,
    coefficients: ArrayLike,
    x: ArrayLike,
    n_save: int,
    *,
    save_every: int = 1,
    dt: float = 0.005,
    on_progress: OnProgress | None = None,
) -> Array:
    """Integrate X alone, with the polynomial closure ``U(X) = sum_i coefficients[i] X**i``.

    Parameters
    ----------
    parameters
        Parameters of the system; only `n_k` and `forcing` are used.
    coefficients
        Coefficients of the closure, lowest power first; ``[0.0]`` is no closure.
    x
        Initial states, shape ``(n_member, n_k)``; they are not changed and not saved.
    n_save, save_every, dt, on_progress
        As in `run_two_scale`.

    Returns
    -------
    ndarray
        X, shape ``(n_save, n_member, n_k)``.

    Raises
    ------
    FloatingPointError
        If the run blows up.
    """
    current = _members(x, parameters.n_k)
    saved = np.empty((n_save, *current.shape))
    work = np.empty((3, parameters.n_k))
    polynomial = np.atleast_1d(np.asarray(coefficients, dtype=np.float64))
    for part in _chunks(n_save):
        _integrate_one_scale(
            current, parameters.forcing, polynomial, dt, save_every, work, saved[part]
        )
        _check_finite(current, dt)
        if on_progress is not None:
            on_progress(part.stop / n_save)
    return saved


def _members(state: ArrayLike, size: int) -> Array:
    members = np.array(state, dtype=np.float64, order="C")
    if members.ndim != 2 or members.shape[1] != size:
        raise ValueError(f"state: expected shape (n_member, {size}), got {members.shape}")
    return members


def _chunks(n_save: int) -> list[slice]:
    edges = np.unique(np.linspace(0, n_save, _CHUNKS + 1).astype(int))
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _check_finite(state: Array, dt: float) -> None:
    if not np.isfinite(state).all():
        raise FloatingPointError(f"the state is no longer finite with dt = {dt}; use a shorter dt")


@njit(cache=True)
def _slow_tendency(x: Array, forcing: float, tendency: Array) -> None:
    n_k = x.size
    for k in range(n_k):
        # Negative indices wrap around, as the ring of longitudes does.
        tendency[k] = forcing - x[k] - x[k - 1] * (x[k - 2] - x[(k + 1) % n_k])


@njit(cache=True)
def _two_scale_tendency(
    state: Array, n_k: int, n_j: int, forcing: float, coupling: float, c: float, b: float,
    tendency: Array,
) -> None:  # fmt: skip
    y, dy = state[n_k:], tendency[n_k:]
    n = n_k * n_j
    _slow_tendency(state[:n_k], forcing, tendency)
    # Shifted views and separate ends of the ring: without branches the loop is vectorised.
    east, far_east, west, inner = y[2 : n - 1], y[3:n], y[: n - 3], dy[1 : n - 2]
    for i in range(n - 3):
        inner[i] = -c * b * east[i] * (far_east[i] - west[i])
    dy[0] = -c * b * y[1] * (y[2] - y[n - 1])
    dy[n - 2] = -c * b * y[n - 1] * (y[0] - y[n - 3])
    dy[n - 1] = -c * b * y[0] * (y[1] - y[n - 2])
    for k in range(n_k):
        source = coupling * state[k]
        sector, sector_tendency = y[k * n_j : (k + 1) * n_j], dy[k * n_j : (k + 1) * n_j]
        for j in range(n_j):
            sector_tendency[j] += source - c * sector[j]
        tendency[k] -= coupling * _sum(sector)


# A sum in the written order cannot be vectorised; nothing depends on its last bits.
@njit(cache=True, fastmath={"reassoc", "nsz"})
def _sum(values: Array) -> float:
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit(cache=True)
def _integrate_two_scale(
    state: Array, n_k: int, n_j: int, forcing: float, coupling: float, c: float, b: float,
    dt: float, save_every: int, work: Array, x: Array, subgrid_tendency: Array,
) -> None:  # fmt: skip
    tendency, increment, argument = work[0], work[1], work[2]
    for member in range(state.shape[0]):
        current = state[member]
        argument[:] = current
        for save in range(x.shape[0]):
            for _ in range(save_every):
                for stage in range(4):
                    _two_scale_tendency(argument, n_k, n_j, forcing, coupling, c, b, tendency)
                    runge_kutta_4_stage(stage, dt, current, tendency, increment, argument)
            for k in range(n_k):
                first = n_k + k * n_j
                x[save, member, k] = current[k]
                subgrid_tendency[save, member, k] = -coupling * _sum(current[first : first + n_j])


@njit(cache=True)
def _integrate_one_scale(
    state: Array, forcing: float, coefficients: Array, dt: float, save_every: int,
    work: Array, x: Array,
) -> None:  # fmt: skip
    tendency, increment, argument = work[0], work[1], work[2]
    n_k = state.shape[1]
    for member in range(state.shape[0]):
        current = state[member]
        argument[:] = current
        for save in range(x.shape[0]):
            for _ in range(save_every):
                for stage in range(4):
                    _slow_tendency(argument, forcing, tendency)
                    for k in range(n_k):
                        closure = 0.0
                        for i in range(coefficients.size - 1, -1, -1):
                            closure = closure * argument[k] + coefficients[i]
                        tendency[k] += closure
                    runge_kutta_4_stage(stage, dt, current, tendency, increment, argument)
            x[save, member] = current
