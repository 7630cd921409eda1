"""Two-layer quasi-geostrophic model from its equations, in plain numpy.

Layer 1 above layer 2, doubly periodic, about a constant zonal wind U_i:

dq_i/dt + U_i dq_i/dx + J(psi_i, q_i) + Q_i dpsi_i/dx = -[i = 2] r lap(psi_2),
q_1 = lap(psi_1) + F_1 (psi_2 - psi_1), q_2 = lap(psi_2) + F_2 (psi_1 - psi_2),
F_1 = 1 / (r_d^2 (1 + delta)), F_2 = delta F_1, delta = H_1 / H_2,
Q_1 = beta + F_1 (U_1 - U_2), Q_2 = beta - F_2 (U_1 - U_2).

Conventions
-----------
- q[i, y, x] at x_j = j lx / nx, y_j = j ly / ny; q_hat[i, l, k] = rfft2(q), unnormalised forward,
  1/(nx ny) inverse; nx and ny even; k = 2 pi/lx (0 .. nx/2),
  l = 2 pi/ly (0 .. ny/2-1, -ny/2 .. -1).
- Advection in flux form, products on the grid, not dealiased:
  dq_hat = -(i k rfft2((u + U) q) + i l rfft2(v q) + i k Q psi_hat), with u_hat = -i l psi_hat and
  v_hat = i k psi_hat; no mode of a derivative is set to zero. Then + r K^2 psi_hat in layer 2, then
  the transform of the source.
- q_hat_new = filter (q_hat + dt sum_m a_m dq_hat_{n-m}): Euler in step 1, Adams-Bashforth
  (3, -1)/2 in step 2, (23, -16, 5)/12 from step 3 on.
- filter = exp(-23.6 (w - 0.65 pi)^4) where w = sqrt((k dx)^2 + (l dy)^2) > 0.65 pi, else 1.
- psi_hat = 0 for K = 0.

References
----------
Phillips (1954); Vallis (2017), chapter 9, for the equations; Durran (2010), chapter 2, for
Adams-Bashforth.

"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]

# From (q, u, v) on the grid, each (2, ny, nx), u and v without U_i, to what is added to dq/dt.
Source = Callable[[Array, Array, Array], Array]

# Weights of the tendencies, the newest first, once that many are known.
ADAMS_BASHFORTH: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (1.5, -0.5),
    (23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0),
)


@dataclass(frozen=True)
class TwoLayerParameters:
    """Grid, step and physics, all SI."""

    nx: int = 64
    ny: int = 64
    lx: float = 1e6
    ly: float = 1e6
    dt: float = 7200.0
    beta: float = 1.5e-11
    bottom_drag: float = 5.787e-7
    deformation_radius: float = 15000.0
    delta: float = 0.25
    h1: float = 500.0
    u1: float = 0.025
    u2: float = 0.0
    filtered: bool = True


def stretching(p: TwoLayerParameters) -> tuple[float, float]:
    """Return F_1 and F_2 [m-2]."""
    f1 = p.deformation_radius**-2 / (1.0 + p.delta)
    return f1, p.delta * f1


def background(p: TwoLayerParameters) -> tuple[Array, Array]:
    """Return the wind U_i [m s-1] and its PV gradient Q_i [m-1 s-1], each of shape (2,)."""
    f1, f2 = stretching(p)
    shear = p.u1 - p.u2
    return np.array([p.u1, p.u2]), np.array([p.beta + f1 * shear, p.beta - f2 * shear])


def layer_weights(p: TwoLayerParameters) -> Array:
    """Return H_i / (H_1 + H_2), shape (2,)."""
    h2 = p.h1 / p.delta
    return np.array([p.h1, h2]) / (p.h1 + h2)


def wavenumbers(p: TwoLayerParameters) -> tuple[Array, Array]:
    """Return k, shape (1, nx/2 + 1), and l, shape (ny, 1) [m-1]."""
    k = 2.0 * np.pi / p.lx * np.arange(p.nx // 2 + 1, dtype=np.float64)
    rows = [j if j < p.ny // 2 else j - p.ny for j in range(p.ny)]
    l_ = 2.0 * np.pi / p.ly * np.array(rows, dtype=np.float64)
    return k[np.newaxis, :], l_[:, np.newaxis]


def spectral_filter(p: TwoLayerParameters) -> Array:
    """Return the factor on every mode after every step, shape (ny, nx/2 + 1)."""
    k, l_ = wavenumbers(p)
    w = np.sqrt((k * p.lx / p.nx) ** 2 + (l_ * p.ly / p.ny) ** 2)
    cutoff = 0.65 * np.pi
    if not p.filtered:
        return np.ones_like(w)
    return np.where(w > cutoff, np.exp(-23.6 * (w - cutoff) ** 4), 1.0)


def streamfunction(qh: Spectrum, p: TwoLayerParameters) -> Spectrum:
    """Return psi_hat of q_hat, both of shape (2, ny, nx/2 + 1)."""
    f1, f2 = stretching(p)
    k, l_ = wavenumbers(p)
    k2 = k**2 + l_**2
    determinant = k2 * (k2 + f1 + f2)
    determinant[0, 0] = np.inf
    psi1 = -((k2 + f2) * qh[0] + f1 * qh[1]) / determinant
    psi2 = -(f2 * qh[0] + (k2 + f1) * qh[1]) / determinant
    return np.stack([psi1, psi2])


def potential_vorticity(ph: Spectrum, p: TwoLayerParameters) -> Spectrum:
    """Return q_hat of psi_hat, both of shape (2, ny, nx/2 + 1)."""
    f1, f2 = stretching(p)
    k, l_ = wavenumbers(p)
    k2 = k**2 + l_**2
    return np.stack([-k2 * ph[0] + f1 * (ph[1] - ph[0]), -k2 * ph[1] + f2 * (ph[0] - ph[1])])


def to_grid(field: Spectrum, p: TwoLayerParameters) -> Array:
    """Return the field on the grid, shape (2, ny, nx)."""
    return np.fft.irfft2(field, s=(p.ny, p.nx), axes=(1, 2))


def velocities(qh: Spectrum, p: TwoLayerParameters) -> tuple[Array, Array]:
    """Return the wind u, v without U_i on the grid, each of shape (2, ny, nx) [m s-1]."""
    k, l_ = wavenumbers(p)
    ph = streamfunction(qh, p)
    return to_grid(-1j * l_ * ph, p), to_grid(1j * k * ph, p)


def tendency(qh: Spectrum, p: TwoLayerParameters, source: Source | None = None) -> Spectrum:
    """Return dq_hat/dt, shape (2, ny, nx/2 + 1), without the filter."""
    k, l_ = wavenumbers(p)
    wind, gradient = background(p)
    ph = streamfunction(qh, p)
    q = to_grid(qh, p)
    u, v = velocities(qh, p)
    flux_x = np.fft.rfft2((u + wind[:, np.newaxis, np.newaxis]) * q, axes=(1, 2))
    flux_y = np.fft.rfft2(v * q, axes=(1, 2))
    result = -(1j * k * flux_x + 1j * l_ * flux_y)
    result -= 1j * k * gradient[:, np.newaxis, np.newaxis] * ph
    result[1] += p.bottom_drag * (k**2 + l_**2) * ph[1]
    if source is not None:
        result += np.fft.rfft2(source(q, u, v), axes=(1, 2))
    return result


def advance(
    qh: Spectrum,
    p: TwoLayerParameters,
    n_step: int,
    history: tuple[Spectrum, ...] = (),
    source: Source | None = None,
) -> tuple[Spectrum, tuple[Spectrum, ...]]:
    """Return q_hat `n_step` steps later, and the tendencies that the next step needs.

    Parameters
    ----------
    qh : array of shape (2, ny, nx/2 + 1)
        State [s-1].
    p : TwoLayerParameters
    n_step : int
    history : up to two arrays of shape (2, ny, nx/2 + 1)
        Unfiltered dq_hat/dt of the steps before, the newest first; empty starts with Euler.
    source : callable, optional
        Called with q, u, v on the grid at every step; what it returns is added to dq/dt [s-2].

    """
    factor = spectral_filter(p)
    for _ in range(n_step):
        tendencies = (tendency(qh, p, source), *history)
        weights = ADAMS_BASHFORTH[len(tendencies) - 1]
        change = sum((a * d for a, d in zip(weights, tendencies, strict=True)), np.zeros_like(qh))
        qh = factor * (qh + p.dt * change)
        history = tendencies[:2]
    return qh, history


def total_energy(qh: Spectrum, p: TwoLayerParameters) -> float:
    """Return eddy energy per unit mass, kinetic and available potential [m2 s-2].

    E = sum_i H_i/H mean(|grad psi_i|^2)/2 + H_1/H F_1 mean((psi_1 - psi_2)^2)/2, which is
    -sum_i H_i/H mean(psi_i q_i)/2.
    """
    u, v = velocities(qh, p)
    psi = to_grid(streamfunction(qh, p), p)
    weights = layer_weights(p)
    kinetic = 0.5 * np.sum(weights * np.mean(u**2 + v**2, axis=(1, 2)))
    available = 0.5 * weights[0] * stretching(p)[0] * np.mean((psi[0] - psi[1]) ** 2)
    return float(kinetic + available)


def total_enstrophy(qh: Spectrum, p: TwoLayerParameters) -> float:
    """Return sum_i H_i/H mean(q_i^2)/2 [s-2]."""
    squares = np.mean(to_grid(qh, p) ** 2, axis=(1, 2))
    return float(0.5 * np.sum(layer_weights(p) * squares))
