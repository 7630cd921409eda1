"""Vorticity of one layer on a doubly periodic beta plane from its equation, in plain numpy.

d omega/dt + J(psi, omega) + beta v = nu lap(omega) - mu omega + F,
omega = lap(psi), u = -dpsi/dy, v = dpsi/dx.

Conventions
-----------
- omega[y, x] at x_j = j lx / nx, y_j = j ly / ny; omega_hat[l, k] = rfft2(omega), unnormalised
  forward, 1/(nx ny) inverse; nx and ny even; k = 2 pi/lx (0 .. nx/2),
  l = 2 pi/ly (0 .. ny/2-1, -ny/2 .. -1); psi_hat = 0 for K = 0.
- N = -(i k rfft2(u omega) + i l rfft2(v omega)) - beta i k psi_hat + rfft2(F): flux form, products
  on the grid; no mode of a derivative is set to zero.
- Dealiasing (2/3 rule) keeps the modes |m_x| <= nx/3 and |m_y| <= ny/3 of the integer wavenumbers,
  both of omega_hat before u, v and omega go to the grid and of the two fluxes. It leaves omega_hat
  itself, the beta term and F alone, so a state within the kept modes, forced within them, stays so.
- L = -(nu K^2 + mu), in every mode.
- "ab2-cn" and "ab3-cn": (1 - dt L/2) omega_hat_new = (1 + dt L/2) omega_hat + dt sum_m a_m N_{n-m}
  with a = (1) in step 1, (3, -1)/2 in step 2 and (AB2) after, (23, -16, 5)/12 (AB3) from step 3 on.
- "if-rk4": classical Runge-Kutta on exp(-L t) omega_hat.

References
----------
Orszag (1971) for the 2/3 rule; Canuto et al. (2006) for the steppers.

"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]
Stepper = Literal["ab2-cn", "ab3-cn", "if-rk4"]

# Weights of the tendencies, the newest first, once that many are known.
ADAMS_BASHFORTH: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (1.5, -0.5),
    (23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0),
)


@dataclass(frozen=True)
class BarotropicParameters:
    """Grid, step and physics in consistent units, such as the nondimensional ones on (2 pi)^2."""

    nx: int = 64
    ny: int = 64
    lx: float = 2.0 * np.pi
    ly: float = 2.0 * np.pi
    dt: float = 1e-3
    beta: float = 0.0
    viscosity: float = 0.0
    drag: float = 0.0
    dealiased: bool = True
    stepper: Stepper = "ab3-cn"


def wavenumbers(p: BarotropicParameters) -> tuple[Array, Array]:
    """Return k, shape (1, nx/2 + 1), and l, shape (ny, 1)."""
    k = 2.0 * np.pi / p.lx * np.arange(p.nx // 2 + 1, dtype=np.float64)
    rows = [j if j < p.ny // 2 else j - p.ny for j in range(p.ny)]
    l_ = 2.0 * np.pi / p.ly * np.array(rows, dtype=np.float64)
    return k[np.newaxis, :], l_[:, np.newaxis]


def kept_modes(p: BarotropicParameters) -> npt.NDArray[np.bool_]:
    """Return which modes dealiasing keeps, shape (ny, nx/2 + 1)."""
    kept = np.ones((p.ny, p.nx // 2 + 1), dtype=np.bool_)
    if p.dealiased:
        for row in range(p.ny):
            for column in range(p.nx // 2 + 1):
                m_y = min(row, p.ny - row)
                kept[row, column] = 3 * column <= p.nx and 3 * m_y <= p.ny
    return kept


def streamfunction(wh: Spectrum, p: BarotropicParameters) -> Spectrum:
    """Return psi_hat of omega_hat, both of shape (ny, nx/2 + 1)."""
    k, l_ = wavenumbers(p)
    k2 = k**2 + l_**2
    k2[0, 0] = np.inf
    return -wh / k2


def to_grid(field: Spectrum, p: BarotropicParameters) -> Array:
    """Return the field on the grid, shape (ny, nx)."""
    return np.fft.irfft2(field, s=(p.ny, p.nx))


def velocities(wh: Spectrum, p: BarotropicParameters) -> tuple[Array, Array]:
    """Return u and v on the grid, each of shape (ny, nx)."""
    k, l_ = wavenumbers(p)
    ph = streamfunction(wh, p)
    return to_grid(-1j * l_ * ph, p), to_grid(1j * k * ph, p)


def kolmogorov_forcing(p: BarotropicParameters, k_f: float) -> Array:
    """Return F = k_f (cos(k_f x) + cos(k_f y)) on the grid, shape (ny, nx)."""
    x = p.lx / p.nx * np.arange(p.nx)[np.newaxis, :]
    y = p.ly / p.ny * np.arange(p.ny)[:, np.newaxis]
    forcing: Array = k_f * (np.cos(k_f * x) + np.cos(k_f * y))
    return forcing


def linear_rate(p: BarotropicParameters) -> Array:
    """Return L = -(nu K^2 + mu), shape (ny, nx/2 + 1)."""
    k, l_ = wavenumbers(p)
    return -(p.viscosity * (k**2 + l_**2) + p.drag)


def explicit_tendency(
    wh: Spectrum, p: BarotropicParameters, forcing: Array | None = None
) -> Spectrum:
    """Return N: advection, beta term and forcing, without viscosity and drag."""
    k, l_ = wavenumbers(p)
    kept = kept_modes(p)
    resolved = np.where(kept, wh, 0.0)
    omega = to_grid(resolved, p)
    u, v = velocities(resolved, p)
    flux_x = np.where(kept, np.fft.rfft2(u * omega), 0.0)
    flux_y = np.where(kept, np.fft.rfft2(v * omega), 0.0)
    result: Spectrum = -(1j * k * flux_x + 1j * l_ * flux_y)
    result -= p.beta * 1j * k * streamfunction(wh, p)
    if forcing is not None:
        result += np.fft.rfft2(forcing)
    return result


def _adams_bashforth_crank_nicolson(
    wh: Spectrum, p: BarotropicParameters, tendencies: tuple[Spectrum, ...]
) -> Spectrum:
    weights = ADAMS_BASHFORTH[len(tendencies) - 1]
    change = sum((a * d for a, d in zip(weights, tendencies, strict=True)), np.zeros_like(wh))
    half = 0.5 * p.dt * linear_rate(p)
    return ((1.0 + half) * wh + p.dt * change) / (1.0 - half)


def _integrating_factor_runge_kutta_4(
    wh: Spectrum, p: BarotropicParameters, forcing: Array | None
) -> Spectrum:
    full = np.exp(p.dt * linear_rate(p))
    half = np.exp(0.5 * p.dt * linear_rate(p))
    k1 = explicit_tendency(wh, p, forcing)
    k2 = explicit_tendency(half * (wh + 0.5 * p.dt * k1), p, forcing)
    k3 = explicit_tendency(half * wh + 0.5 * p.dt * k2, p, forcing)
    k4 = explicit_tendency(full * wh + p.dt * half * k3, p, forcing)
    return full * wh + p.dt / 6.0 * (full * k1 + 2.0 * half * (k2 + k3) + k4)


def advance(
    wh: Spectrum,
    p: BarotropicParameters,
    n_step: int,
    forcing: Array | None = None,
    history: tuple[Spectrum, ...] = (),
) -> tuple[Spectrum, tuple[Spectrum, ...]]:
    """Return omega_hat `n_step` steps later, and the tendencies that the next step needs.

    Parameters
    ----------
    wh : array of shape (ny, nx/2 + 1)
        State.
    p : BarotropicParameters
    n_step : int
    forcing : array of shape (ny, nx), optional
        F on the grid, constant in time.
    history : arrays of shape (ny, nx/2 + 1)
        N of the steps before, the newest first, up to one for "ab2-cn" and two for "ab3-cn"; empty
        starts with Euler. "if-rk4" needs and returns none.

    """
    n_history = {"ab2-cn": 1, "ab3-cn": 2, "if-rk4": 0}[p.stepper]
    for _ in range(n_step):
        if p.stepper == "if-rk4":
            wh = _integrating_factor_runge_kutta_4(wh, p, forcing)
            continue
        tendencies = (explicit_tendency(wh, p, forcing), *history)
        wh = _adams_bashforth_crank_nicolson(wh, p, tendencies)
        history = tendencies[:n_history]
    return wh, history


def kinetic_energy(wh: Spectrum, p: BarotropicParameters) -> float:
    """Return mean(u^2 + v^2)/2."""
    u, v = velocities(wh, p)
    return float(0.5 * np.mean(u**2 + v**2))


def enstrophy(wh: Spectrum, p: BarotropicParameters) -> float:
    """Return mean(omega^2)/2."""
    return float(0.5 * np.mean(to_grid(wh, p) ** 2))
