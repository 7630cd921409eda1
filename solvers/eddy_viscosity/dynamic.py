"""The coefficient that the resolved flow tells, by the identity of Germano."""

from typing import Any

from numba import njit
from numpy.typing import NDArray

from solvers.eddy_viscosity.gradients import filtered
from solvers.eddy_viscosity.memory import (
    CLIP_COEFFICIENT,
    CLIP_NUMERATOR,
    DYNAMIC_GLOBAL,
    SN,
    SS,
    WX,
    WY,
    Eddy,
)
from solvers.eddy_viscosity.rules import scale_at
from solvers.fft import Addresses, forward, inverse

Field = NDArray[Any]

# Places in the fields of the hat; the fluxes begin where the gradients of the grid end.
_HAT_WX, _HAT_WY, _HAT_SN, _HAT_SS, _HAT_W, _HAT_U, _HAT_V = range(7)
HAT_GRADIENTS = 0
HAT_FLOW = _HAT_W
FLUXES = 7


@njit(cache=True)
def resolved_fluxes(f: Field, test: Field, w: Field, u: Field, v: Field, scale: int) -> None:
    """Set the products that are to be filtered: u omega and the scale times the gradient."""
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            wx, wy = f[WX, j, i], f[WY, j, i]
            s = scale_at(scale, wx, wy, f[SN, j, i], f[SS, j, i])
            test[FLUXES, j, i] = u[j, i] * w[j, i]
            test[FLUXES + 1, j, i] = v[j, i] * w[j, i]
            test[FLUXES + 2, j, i] = s * wx
            test[FLUXES + 3, j, i] = s * wy


@njit(cache=True)
def filter_field(
    field: Field, transfer: Field, scale: Any, transform: Addresses, rows: Field, n_column: int,
    work: Field,
) -> None:  # fmt: skip
    """Filter a field on the grid in place."""
    forward(transform, field, work)
    filtered(work, transfer, scale, rows, n_column, work)
    inverse(transform, work, field)


@njit(cache=True)
def _products(test: Field, eddy: Eddy) -> tuple[float, float]:
    """Put L . M and M . M in the place of the first two fluxes; return their sums."""
    numerator, denominator = 0.0, 0.0
    for j in range(test.shape[1]):
        for i in range(test.shape[2]):
            wx, wy = test[_HAT_WX, j, i], test[_HAT_WY, j, i]
            s = scale_at(eddy.scale, wx, wy, test[_HAT_SN, j, i], test[_HAT_SS, j, i])
            s *= eddy.test_unit
            lx = test[FLUXES, j, i] - test[_HAT_U, j, i] * test[_HAT_W, j, i]
            ly = test[FLUXES + 1, j, i] - test[_HAT_V, j, i] * test[_HAT_W, j, i]
            mx, my = test[FLUXES + 2, j, i] - s * wx, test[FLUXES + 3, j, i] - s * wy
            lm, mm = (lx * mx + ly * my) * eddy.unit2, (mx * mx + my * my) * eddy.unit2**2
            if eddy.clipping == CLIP_NUMERATOR and lm < 0:
                lm *= 0
            test[FLUXES, j, i], test[FLUXES + 1, j, i] = lm, mm
            numerator += lm
            denominator += mm
    return numerator, denominator


@njit(cache=True)
def set_coefficient(
    member: int, eddy: Eddy, transform: Addresses, scale: Any, rows: Field, n_column: int,
    work: Field,
) -> None:  # fmt: skip
    """Set c2 of a member; it is 0 where the flow tells nothing."""
    test, c2 = eddy.test[member], eddy.coefficients[member, 0]
    clips = eddy.clipping == CLIP_COEFFICIENT
    numerator, denominator = _products(test, eddy)
    if eddy.rule == DYNAMIC_GLOBAL:
        c = numerator / denominator if denominator > 0.0 else 0.0
        c2[:] = max(c, 0.0) if clips else c
        return
    for part in range(2):
        filter_field(
            test[FLUXES + part], eddy.mean_filter, scale, transform, rows, n_column, work
        )  # fmt: skip
    for j in range(c2.shape[0]):
        for i in range(c2.shape[1]):
            lm, mm = test[FLUXES, j, i], test[FLUXES + 1, j, i]
            c = lm / mm if mm > 0 else lm * 0
            c2[j, i] = max(c, 0) if clips else c
