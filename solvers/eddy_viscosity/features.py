"""Invariants of the local flow, and the linear policy that makes coefficients of them."""

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from solvers.eddy_viscosity.memory import SN, SS, WX, WY

Field = NDArray[Any]


@njit(cache=True)
def _scales(f: Field, w: Field) -> tuple[float, float, float]:
    """Return one over the root mean squares of |grad w|, |S| and w; 0 for a flow at rest."""
    gradient, strain, vorticity = 0.0, 0.0, 0.0
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            gradient += f[WX, j, i] ** 2 + f[WY, j, i] ** 2
            strain += f[SN, j, i] ** 2 + f[SS, j, i] ** 2
            vorticity += w[j, i] ** 2
    n = w.size
    return (
        math.sqrt(n / gradient) if gradient > 0.0 else 0.0,
        math.sqrt(n / strain) if strain > 0.0 else 0.0,
        math.sqrt(n / vorticity) if vorticity > 0.0 else 0.0,
    )


@njit(cache=True)
def set_coefficients(
    f: Field, w: Field, weights: Field, bounds: Field, hyper: bool, coefficients: Field
) -> None:
    """Set fields of c2 and c4 to bounded linear combinations of the invariants."""
    per_gradient, per_strain, per_vorticity = _scales(f, w)
    n_coefficient = 2 if hyper else 1
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            wx, wy, sn, ss, omega = f[WX, j, i], f[WY, j, i], f[SN, j, i], f[SS, j, i], w[j, i]
            g2, s2, w2 = wx * wx + wy * wy, sn * sn + ss * ss, omega * omega
            g, s = math.sqrt(g2), math.sqrt(s2)
            dominance = (s2 - w2) / (s2 + w2) if s2 + w2 > 0 else 0.0
            stretching = sn * (wx * wx - wy * wy) + 2.0 * ss * wx * wy
            alignment = -stretching / (g2 * s) if g2 * s > 0 else 0.0
            x1, x3 = g * per_gradient - 1.0, s * per_strain - 1.0
            x5 = abs(omega) * per_vorticity - 1.0
            for n in range(n_coefficient):
                a = weights[n]
                c = a[0] + a[1] * x1 + a[2] * dominance + a[3] * x3 + a[4] * alignment + a[5] * x5
                coefficients[n, j, i] = min(max(c, bounds[n, 0]), bounds[n, 1])
