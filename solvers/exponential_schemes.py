"""Time integration schemes that take the linear term exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from solvers.time_schemes import Array, Problem, RungeKutta, Scheme


@dataclass(frozen=True)
class IntegratingFactor(Scheme):
    """A Runge-Kutta scheme for ``exp(-L t) y``, so that L is exact.

    Parameters
    ----------
    name, order
        See `Scheme`.
    tableau
        The Runge-Kutta scheme.

    References
    ----------
    Lawson (1967), SIAM J. Numer. Anal. 4, 372.
    """

    tableau: RungeKutta

    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later."""
        nodes, matrix = self.tableau.nodes, self.tableau.matrix
        n = [tendencies[0]]
        for row, node in zip((*matrix[1:], self.tableau.weights), (*nodes[1:], 1.0), strict=True):
            terms = zip(row, nodes, n, strict=False)
            factors = ((a * np.exp((node - c) * dt * problem.linear), n_j) for a, c, n_j in terms)
            argument = np.exp(node * dt * problem.linear) * state
            argument = argument + dt * sum(factor * n_j for factor, n_j in factors)
            if len(n) < len(nodes):
                n.append(problem.nonlinear(argument, time + node * dt))
        return np.asarray(argument)


class ExponentialCoefficients(NamedTuple):
    """Coefficients of ETDRK4, each of the shape of L; real where L is.

    Parameters
    ----------
    full, half
        ``exp(z)`` and ``exp(z / 2)`` with ``z = dt L`` [1].
    stage
        Weight of a tendency in the stages, ``dt (exp(z / 2) - 1) / z`` [time].
    first, middle, last
        Weights of the tendencies in the new state: of the first, of each of the two in the
        middle, of the last [time].
    """

    full: Array
    half: Array
    stage: Array
    first: Array
    middle: Array
    last: Array


def exponential_coefficients(
    linear: ArrayLike, dt: float, n_contour: int = 32
) -> ExponentialCoefficients:
    """Return the coefficients of ETDRK4.

    The formulas lose all digits by cancellation near ``z = dt L = 0``; their means over a circle
    of radius 1 around z do not, and are exact to round-off.

    Parameters
    ----------
    linear
        Diagonal of L [1 / time].
    dt
        Time step [time].
    n_contour
        Points on the circle.

    References
    ----------
    Cox and Matthews (2002), J. Comput. Phys. 176, 430, equations 26-29. Kassam and Trefethen
    (2005), SIAM J. Sci. Comput. 26, 1214, equation 2.5 and section 2.
    """
    z = dt * np.asarray(linear)
    angle = 2.0 * np.pi * (np.arange(n_contour) + 0.5) / n_contour
    r = z[..., np.newaxis] + np.exp(1j * angle)
    e = np.exp(r)

    def mean(values: Array) -> Array:
        result = dt * values.mean(axis=-1)
        return np.asarray(result if np.iscomplexobj(z) else result.real)

    return ExponentialCoefficients(
        full=np.exp(z),
        half=np.exp(0.5 * z),
        stage=mean((np.exp(0.5 * r) - 1.0) / r),
        first=mean((-4.0 - r + e * (4.0 - 3.0 * r + r**2)) / r**3),
        middle=mean(2.0 * (2.0 + r + e * (r - 2.0)) / r**3),
        last=mean((-4.0 - 3.0 * r - r**2 + e * (4.0 - r)) / r**3),
    )


@dataclass(frozen=True)
class ExponentialRungeKutta4(Scheme):
    """ETDRK4: L is exact, N is interpolated; see `exponential_coefficients` for references."""

    def step(
        self, problem: Problem, state: Array, time: float, dt: float, tendencies: Sequence[Array]
    ) -> Array:
        """Return the state one step later."""
        q = exponential_coefficients(problem.linear, dt)
        nonlinear, middle_time = problem.nonlinear, time + 0.5 * dt
        n_0 = tendencies[0]
        a = q.half * state + q.stage * n_0
        n_a = nonlinear(a, middle_time)
        n_b = nonlinear(q.half * state + q.stage * n_a, middle_time)
        n_c = nonlinear(q.half * a + q.stage * (2.0 * n_b - n_0), time + dt)
        return np.asarray(q.full * state + q.first * n_0 + q.middle * (n_a + n_b) + q.last * n_c)
