"""The pointwise loops of the barotropic vorticity equation, over the waves and over the grid."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Integers

Field = NDArray[Any]


# Few arrays a loop, each given by itself, so that it is vectorised. Real and imaginary parts are
# written out because numba multiplies a complex number by a real one as if both were complex.
@njit(cache=True)
def clear(rows: Integers, n_column: int, spectrum: Field) -> None:
    """Set the waves that are not advanced to zero, which a transform has overwritten."""
    if n_column < spectrum.shape[1]:
        for j in rows:
            spectrum[j, n_column:] = 0
    # The rows that are left out lie between the positive and the negative wavenumbers.
    first = (rows.size + 1) // 2
    spectrum[first : first + spectrum.shape[0] - rows.size] = 0


@njit(cache=True)
def velocity(
    w: Field, inverse_laplacian: Field, k: Field, l: Field, scale: Any,  # noqa: E741
    rows: Integers, n_column: int, u: Field, v: Field,
) -> None:  # fmt: skip
    """Set spectra of u = -il psi and v = ik psi, ready for the inverse transform."""
    clear(rows, n_column, u)
    clear(rows, n_column, v)
    for j in rows:
        for i in range(n_column):
            factor = scale * inverse_laplacian[j, i]
            real, imag = factor * w[j, i].real, factor * w[j, i].imag
            u[j, i] = complex(l[j] * imag, -l[j] * real)
            v[j, i] = complex(-k[i] * imag, k[i] * real)


@njit(cache=True)
def scaled(w: Field, scale: Any, rows: Integers, n_column: int, copied: Field) -> None:
    """Set the spectrum of the vorticity, ready for the inverse transform."""
    clear(rows, n_column, copied)
    for j in rows:
        for i in range(n_column):
            copied[j, i] = complex(scale * w[j, i].real, scale * w[j, i].imag)


@njit(cache=True)
def stresses(u: Field, v: Field) -> None:
    """Replace u and v by u v and v v - u u."""
    for j in range(u.shape[0]):
        for i in range(u.shape[1]):
            a, b = u[j, i], v[j, i]
            u[j, i] = a * b
            v[j, i] = (b - a) * (b + a)


@njit(cache=True)
def fluxes(w: Field, u: Field, v: Field) -> None:
    """Replace u and v by u omega and v omega."""
    for j in range(u.shape[0]):
        for i in range(u.shape[1]):
            u[j, i] *= w[j, i]
            v[j, i] *= w[j, i]


@njit(cache=True)
def curl_of_stresses(
    x: Field, y: Field, k: Field, l: Field, rows: Integers, n_column: int,  # noqa: E741
    tendency: Field,
) -> None:  # fmt: skip
    """Set (k k - l l) (uv) + k l (vv - uu)."""
    for j in rows:
        for i in range(n_column):
            a, b = (k[i] - l[j]) * (k[i] + l[j]), k[i] * l[j]
            tendency[j, i] = complex(
                a * x[j, i].real + b * y[j, i].real, a * x[j, i].imag + b * y[j, i].imag
            )


@njit(cache=True)
def divergence_of_fluxes(
    x: Field, y: Field, k: Field, l: Field, rows: Integers, n_column: int,  # noqa: E741
    tendency: Field,
) -> None:  # fmt: skip
    """Set -ik (u omega) - il (v omega)."""
    for j in rows:
        for i in range(n_column):
            tendency[j, i] = complex(
                k[i] * x[j, i].imag + l[j] * y[j, i].imag,
                -k[i] * x[j, i].real - l[j] * y[j, i].real,
            )


@njit(cache=True)
def add_rossby(
    w: Field, inverse_laplacian: Field, k: Field, beta: Any, rows: Integers, n_column: int,
    total: Field,
) -> None:  # fmt: skip
    """Add -beta ik psi."""
    for j in rows:
        for i in range(n_column):
            factor = beta * k[i] * inverse_laplacian[j, i]
            total[j, i] += complex(factor * w[j, i].imag, -factor * w[j, i].real)


@njit(cache=True)
def add(values: Field, rows: Integers, n_column: int, total: Field) -> None:
    """Add a tendency to another."""
    for j in rows:
        for i in range(n_column):
            total[j, i] += values[j, i]


@njit(cache=True)
def adams_bashforth(
    w: Field, f0: Field, f1: Field, f2: Field, b0: Any, b1: Any, b2: Any, gain: Field,
    rows: Integers, n_column: int,
) -> None:  # fmt: skip
    """Take an explicit Adams-Bashforth step with Crank-Nicolson damping."""
    for j in rows:
        for i in range(n_column):
            real = b0 * f0[j, i].real + b1 * f1[j, i].real + b2 * f2[j, i].real
            imag = b0 * f0[j, i].imag + b1 * f1[j, i].imag + b2 * f2[j, i].imag
            # (1 - r dt / 2) w + ... over 1 + r dt / 2, whose inverse is the gain.
            a = gain[j, i]
            w[j, i] = complex(
                a * (w[j, i].real + w[j, i].real + real) - w[j, i].real,
                a * (w[j, i].imag + w[j, i].imag + imag) - w[j, i].imag,
            )


@njit(cache=True)
def combine(
    a: Field, x: Field, b: Field, c: Any, y: Field, rows: Integers, n_column: int, result: Field
) -> None:
    """Set result = a x + c b y, where a and b are real."""
    for j in rows:
        for i in range(n_column):
            p, q = a[j, i], c * b[j, i]
            result[j, i] = complex(
                p * x[j, i].real + q * y[j, i].real, p * x[j, i].imag + q * y[j, i].imag
            )


@njit(cache=True)
def is_finite(w: Field, rows: Integers, n_column: int) -> bool:
    """Tell whether all waves are finite."""
    bad = 0
    for j in rows:
        for i in range(n_column):
            bad += not (np.isfinite(w[j, i].real) and np.isfinite(w[j, i].imag))
    return bad == 0
