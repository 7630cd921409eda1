"""Kinds of time integration schemes for ``y' = L y + N(y, t)`` with a diagonal L.

Explicit schemes treat both terms alike, semi-implicit ones take L by the trapezoidal rule. Those
that take it exactly are in `solvers.exponential_schemes`; coefficients of all of them are in
`solvers.time_stepping`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """The ordinary differential equation ``y' = L y + N(y, t)``.

    Parameters
    ----------
    linear
        Diagonal of L, real or complex, of a shape that broadcasts with y [1 / time].
    nonlinear
        N as a function of y and t [state / time].
    """

    linear: Array
    nonlinear: Callable[[Array, float], Array]


@dataclass(frozen=True)
class Scheme(ABC):
    """What every scheme has.

    Parameters
    ----------
    name
        Name, as users give it.
    order
        Order of accuracy; of a multistep scheme, once it has its history.
    """

    name: str
    order: int

    @property
    def n_past(self) -> int:
        """Number of tendencies of earlier steps that a step uses."""
        return 0

    def tendency(self, problem: Problem, state: Array, time: float) -> Array:
        """Return what `step` takes as a tendency: N where L is treated apart, else all of y'."""
        return problem.nonlinear(state, time)

    @abstractmethod
    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later.

        Parameters
        ----------
        problem
            The equation.
        state, time
            y and t.
        dt
            Time step [time].
        tendencies
            `tendency` at this time and at up to `n_past` times `dt` apart before it, newest
            first; with fewer, a step of lower order is taken.
        """


@dataclass(frozen=True)
class AdamsBashforth(Scheme):
    """An explicit multistep scheme, ``y += dt * sum_i b_i f(t - i dt)``.

    Parameters
    ----------
    name, order
        See `Scheme`.
    weights
        Shape ``(order, order)``: row n holds the weights, newest tendency first, of a step that
        has n earlier tendencies. A run begins with row 0, which is Euler's method, so its global
        error is of second order at best.
    imaginary_limit, real_limit
        Largest ``|lambda| dt`` on the imaginary and on the negative real axis at which no
        solution of ``y' = lambda y`` grows [1].

    References
    ----------
    Durran (2010), Numerical Methods for Fluid Dynamics, section 2.4.
    """

    weights: NDArray[np.float64]
    imaginary_limit: float
    real_limit: float

    @property
    def n_past(self) -> int:
        """One less than the order."""
        return len(self.weights) - 1

    def tendency(self, problem: Problem, state: Array, time: float) -> Array:
        """Return ``L y + N``."""
        return np.asarray(problem.linear * state + problem.nonlinear(state, time))

    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later."""
        del problem, time
        return state + dt * self.combine(tendencies)

    def combine(self, tendencies: Sequence[Array]) -> Array:
        """Return the weighted sum of tendencies, newest first."""
        row = self.weights[len(tendencies) - 1]
        return np.asarray(sum(b * f for b, f in zip(row, tendencies, strict=False)))


@dataclass(frozen=True)
class RungeKutta(Scheme):
    """An explicit one-step scheme by its tableau.

    ``f_i = f(y + dt sum_j a_ij f_j, t + c_i dt)``, ``y += dt sum_i b_i f_i`` with ``c_i = sum_j
    a_ij``.

    Parameters
    ----------
    name, order
        See `Scheme`.
    matrix
        a, shape ``(n_stage, n_stage)``, zero on and above the diagonal.
    weights
        b, shape ``(n_stage,)``.
    imaginary_limit, real_limit
        As for `AdamsBashforth`.

    References
    ----------
    Hairer, Norsett and Wanner (1993), Solving Ordinary Differential Equations I, section II.1.
    """

    matrix: NDArray[np.float64]
    weights: NDArray[np.float64]
    imaginary_limit: float
    real_limit: float

    @property
    def nodes(self) -> NDArray[np.float64]:
        """Times of the stages c, as fractions of the step."""
        return np.asarray(self.matrix.sum(axis=1))

    def tendency(self, problem: Problem, state: Array, time: float) -> Array:
        """Return ``L y + N``."""
        return np.asarray(problem.linear * state + problem.nonlinear(state, time))

    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later."""
        f = [tendencies[0]]
        for row, node in zip(self.matrix[1:], self.nodes[1:], strict=True):
            argument = state + dt * sum(a * f_j for a, f_j in zip(row, f, strict=False))
            f.append(self.tendency(problem, argument, time + node * dt))
        return np.asarray(state + dt * sum(b * f_i for b, f_i in zip(self.weights, f, strict=True)))


@dataclass(frozen=True)
class AdamsBashforthCrankNicolson(Scheme):
    """Adams-Bashforth for N and the trapezoidal rule for L.

    ``(1 - dt L / 2) y_new = (1 + dt L / 2) y + dt sum_i b_i N(t - i dt)``. The order is two
    whatever that of the explicit part; a third-order one bears oscillations better.

    Parameters
    ----------
    name, order
        See `Scheme`.
    explicit
        Scheme of N.

    References
    ----------
    Durran (2010), Numerical Methods for Fluid Dynamics, section 8.2.
    """

    explicit: AdamsBashforth

    @property
    def n_past(self) -> int:
        """As many as the explicit scheme."""
        return self.explicit.n_past

    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later."""
        del time
        half = 0.5 * dt * problem.linear
        return np.asarray(
            ((1.0 + half) * state + dt * self.explicit.combine(tendencies)) / (1.0 - half)
        )
