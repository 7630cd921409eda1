"""Kuramoto-Sivashinsky equation from its equation, in plain numpy.

u_t + u u_x + u_xx + u_xxxx = 0, periodic over `length`, at x_j = j length / n.

Conventions
-----------
- u_hat = rfft(u), unnormalised forward, 1/n inverse; n even; k = 2 pi m / length, m = 0 .. n/2.
- L = k^2 - k^4 acts on every mode, the Nyquist mode included.
- N(u) = -(1/2) i k rfft(irfft(u_hat)^2), not dealiased, zero for the Nyquist mode: an odd
  derivative of that mode vanishes on the grid.
- ETDRK4: Cox & Matthews (2002), eqs 26-29, with the coefficients as means over 32 points of the
  upper half of a unit circle around each h L, as in Kassam & Trefethen (2005). L is real, so the
  real part of that mean is the mean over the full circle of 64 points.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class KuramotoSivashinskyParameters:
    """Grid and step; all nondimensional. The defaults are those of Kassam & Trefethen (2005)."""

    n: int = 128
    length: float = 32.0 * np.pi
    dt: float = 0.25
    n_contour: int = 32


@dataclass(frozen=True)
class ExponentialCoefficients:
    """Coefficients of ETDRK4, each of shape (n/2 + 1,).

    With z = h L: full = e^z, half = e^(z/2), stage = h (e^(z/2) - 1)/z, and the weights of N(u),
    of N(a) + N(b), and of N(c) in the final stage.
    """

    full: Array
    half: Array
    stage: Array
    first: Array
    middle: Array
    last: Array


def wavenumbers(p: KuramotoSivashinskyParameters) -> Array:
    """Return k, shape (n/2 + 1,)."""
    return 2.0 * np.pi / p.length * np.arange(p.n // 2 + 1, dtype=np.float64)


def linear_growth_rate(p: KuramotoSivashinskyParameters) -> Array:
    """Return L = k^2 - k^4, shape (n/2 + 1,)."""
    k = wavenumbers(p)
    return k**2 - k**4


def coefficients(p: KuramotoSivashinskyParameters) -> ExponentialCoefficients:
    """Return the coefficients of ETDRK4, as contour means where the formulas cancel."""
    z = p.dt * linear_growth_rate(p)
    angle = np.pi * (np.arange(1, p.n_contour + 1) - 0.5) / p.n_contour
    r = z[:, np.newaxis] + np.exp(1j * angle)
    e = np.exp(r)
    stage = (np.exp(r / 2.0) - 1.0) / r
    first = (-4.0 - r + e * (4.0 - 3.0 * r + r**2)) / r**3
    middle = (2.0 + r + e * (r - 2.0)) / r**3
    last = (-4.0 - 3.0 * r - r**2 + e * (4.0 - r)) / r**3
    return ExponentialCoefficients(
        full=np.exp(z),
        half=np.exp(z / 2.0),
        stage=p.dt * stage.mean(axis=1).real,
        first=p.dt * first.mean(axis=1).real,
        middle=2.0 * p.dt * middle.mean(axis=1).real,
        last=p.dt * last.mean(axis=1).real,
    )


def nonlinear_tendency(uh: Spectrum, p: KuramotoSivashinskyParameters) -> Spectrum:
    """Return the transform of -u u_x = -(u^2 / 2)_x, shape (n/2 + 1,)."""
    u = np.fft.irfft(uh, p.n)
    result: Spectrum = -0.5j * wavenumbers(p) * np.fft.rfft(u * u)
    result[-1] = 0.0
    return result


def advance(u: Array, p: KuramotoSivashinskyParameters, n_step: int) -> Array:
    """Return u on the grid, shape (n,), `n_step` steps later."""
    q = coefficients(p)
    v = np.fft.rfft(u)
    for _ in range(n_step):
        n_v = nonlinear_tendency(v, p)
        a = q.half * v + q.stage * n_v
        n_a = nonlinear_tendency(a, p)
        b = q.half * v + q.stage * n_a
        n_b = nonlinear_tendency(b, p)
        c = q.half * a + q.stage * (2.0 * n_b - n_v)
        n_c = nonlinear_tendency(c, p)
        v = q.full * v + q.first * n_v + q.middle * (n_a + n_b) + q.last * n_c
    return np.fft.irfft(v, p.n)
