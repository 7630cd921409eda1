"""Rules that set the viscosities of a member at every point, and the flux they make."""

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from solvers.eddy_viscosity.memory import (
    LEITH,
    NU2,
    NU4,
    PX,
    PY,
    SMAGORINSKY,
    SN,
    SS,
    WX,
    WY,
)

Field = NDArray[Any]


@njit(cache=True)
def scale_at(scale: int, wx: Any, wy: Any, sn: Any, ss: Any) -> Any:
    """Return what the viscosity is proportional to at a point."""
    if scale == LEITH:
        return math.sqrt(wx * wx + wy * wy)
    if scale == SMAGORINSKY:
        return math.sqrt(sn * sn + ss * ss)
    return wx * 0 + 1


@njit(cache=True)
def set_viscosities(f: Field, coefficients: Field, scale: int, unit2: Any, unit4: Any) -> None:
    """Set both viscosities from fields of coefficients."""
    for j in range(f.shape[1]):
        for i in range(f.shape[2]):
            s = scale_at(scale, f[WX, j, i], f[WY, j, i], f[SN, j, i], f[SS, j, i])
            f[NU2, j, i] = unit2 * coefficients[0, j, i] * s
            f[NU4, j, i] = unit4 * coefficients[1, j, i] * s


# The order of the terms of these sums is left to the compiler, which takes several at a time.
@njit(cache=True, fastmath={"reassoc"})
def _enstrophy_budget(f: Field) -> tuple[float, float]:
    """Return what is lost and what negative viscosities give back, summed over the points."""
    lost, gained = 0.0, 0.0
    for j in range(f.shape[1]):
        for i in range(f.shape[2]):
            wx, wy = f[WX, j, i], f[WY, j, i]
            laplacian = f[NU2, j, i] * (wx * wx + wy * wy)
            hyper = f[NU4, j, i] * (wx * f[PX, j, i] + wy * f[PY, j, i])
            gained -= min(laplacian, 0)
            lost += max(laplacian, 0) - hyper
    return lost, gained


@njit(cache=True)
def limit_net_dissipation(f: Field, margin: float) -> None:
    """Scale negative viscosities down until the net dissipation of enstrophy is large enough."""
    lost, gained = _enstrophy_budget(f)
    most = (1.0 - margin) * max(lost, 0.0)
    if gained > most:
        factor = most / gained
        for j in range(f.shape[1]):
            for i in range(f.shape[2]):
                if f[NU2, j, i] < 0:
                    f[NU2, j, i] *= factor


@njit(cache=True)
def return_energy(f: Field, w: Field, u: Field, v: Field, returned: float) -> None:
    """Set a uniform negative viscosity that returns part of the energy that nu4 takes out."""
    taken, square = 0.0, 0.0
    for j in range(f.shape[1]):
        for i in range(f.shape[2]):
            # The gradient of the streamfunction is (v, -u).
            taken += f[NU4, j, i] * (v[j, i] * f[PX, j, i] - u[j, i] * f[PY, j, i])
            square += w[j, i] * w[j, i]
    f[NU2] = -returned * max(taken, 0.0) / square if square > 0.0 else 0.0


@njit(cache=True)
def total_fluxes(f: Field, w: Field, u: Field, v: Field) -> None:
    """Replace u and v by the flux of vorticity, that of the closure included."""
    for j in range(f.shape[1]):
        for i in range(f.shape[2]):
            a, b = f[NU2, j, i], f[NU4, j, i]
            u[j, i] = u[j, i] * w[j, i] - a * f[WX, j, i] + b * f[PX, j, i]
            v[j, i] = v[j, i] * w[j, i] - a * f[WY, j, i] + b * f[PY, j, i]
