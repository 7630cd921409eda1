"""Invariants of the local flow, and the linear policy that makes coefficients of them."""

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from solvers.eddy_viscosity.memory import SN, SS, WX, WY

Field = NDArray[Any]
_Numbers = tuple[Any, ...]


# The order of the terms of these sums is left to the compiler, which takes several at a time.
@njit(cache=True, fastmath={"reassoc"})
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


# numba asks before each division whether it is by zero, unless it divides like numpy: then these
# loops are vectorised, also because arrays are given one by one and weights as numbers.
@njit(cache=True, error_model="numpy")
def _invariants(wx: Any, wy: Any, sn: Any, ss: Any, w: Any, scales: _Numbers) -> _Numbers:
    """Return the invariants at a point, but for the first, which is 1."""
    g2, s2, w2 = wx * wx + wy * wy, sn * sn + ss * ss, w * w
    g, s = math.sqrt(g2), math.sqrt(s2)
    both, product = s2 + w2, g2 * s
    stretching = sn * (wx * wx - wy * wy) + 2 * ss * wx * wy
    return (
        g * scales[0] - 1,
        (s2 - w2) / (both if both > 0 else 1),
        s * scales[1] - 1,
        -stretching / (product if product > 0 else 1),
        abs(w) * scales[2] - 1,
    )


@njit(cache=True, error_model="numpy")
def _bounded(a: _Numbers, x: _Numbers, low: float, high: float) -> Any:
    c = a[0] + a[1] * x[0] + a[2] * x[1] + a[3] * x[2] + a[4] * x[3] + a[5] * x[4]
    return min(max(c, low), high)


@njit(cache=True, error_model="numpy")
def _set_c2(
    wx: Field, wy: Field, sn: Field, ss: Field, w: Field, scales: _Numbers,
    a: _Numbers, low: float, high: float, c2: Field,
) -> None:  # fmt: skip
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            x = _invariants(wx[j, i], wy[j, i], sn[j, i], ss[j, i], w[j, i], scales)
            c2[j, i] = _bounded(a, x, low, high)


@njit(cache=True, error_model="numpy")
def _set_both(
    wx: Field, wy: Field, sn: Field, ss: Field, w: Field, scales: _Numbers,
    a: _Numbers, a_low: float, a_high: float, b: _Numbers, b_low: float, b_high: float,
    c2: Field, c4: Field,
) -> None:  # fmt: skip
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            x = _invariants(wx[j, i], wy[j, i], sn[j, i], ss[j, i], w[j, i], scales)
            c2[j, i] = _bounded(a, x, a_low, a_high)
            c4[j, i] = _bounded(b, x, b_low, b_high)


@njit(cache=True)
def _six(a: Field) -> _Numbers:
    return (a[0], a[1], a[2], a[3], a[4], a[5])


@njit(cache=True)
def set_coefficients(
    f: Field, w: Field, weights: Field, bounds: Field, hyper: bool, coefficients: Field
) -> None:
    """Set fields of c2 and c4 to bounded linear combinations of the invariants."""
    scales = _scales(f, w)
    a, a_low, a_high = _six(weights[0]), bounds[0, 0], bounds[0, 1]
    if not hyper:
        _set_c2(f[WX], f[WY], f[SN], f[SS], w, scales, a, a_low, a_high, coefficients[0])
        return
    b, b_low, b_high = _six(weights[1]), bounds[1, 0], bounds[1, 1]
    _set_both(
        f[WX], f[WY], f[SN], f[SS], w, scales, a, a_low, a_high, b, b_low, b_high,
        coefficients[0], coefficients[1],
    )  # fmt: skip
