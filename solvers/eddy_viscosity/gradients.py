"""Spectra of the gradients that eddy viscosities are made of, ready for the inverse transform."""

from typing import Any

from numba import njit
from numpy.typing import NDArray

from solvers.barotropic_loops import clear
from solvers.coupling_point import Integers

Field = NDArray[Any]


@njit(cache=True)
def gradient(
    w: Field, k: Field, l: Field, scale: Any, rows: Integers, n_column: int,  # noqa: E741
    laplacian: bool, x: Field, y: Field,
) -> None:  # fmt: skip
    """Set ik w and il w, or those of the Laplacian of w."""
    clear(rows, n_column, x)
    clear(rows, n_column, y)
    for j in rows:
        for i in range(n_column):
            factor = -scale * (k[i] * k[i] + l[j] * l[j]) if laplacian else scale
            real, imag = factor * w[j, i].real, factor * w[j, i].imag
            x[j, i] = complex(-k[i] * imag, k[i] * real)
            y[j, i] = complex(-l[j] * imag, l[j] * real)


@njit(cache=True)
def strains(
    w: Field, inverse_laplacian: Field, k: Field, l: Field, scale: Any,  # noqa: E741
    rows: Integers, n_column: int, x: Field, y: Field,
) -> None:  # fmt: skip
    """Set the normal strain u_x - v_y = -2 psi_xy and the shear u_y + v_x = psi_xx - psi_yy."""
    clear(rows, n_column, x)
    clear(rows, n_column, y)
    for j in rows:
        for i in range(n_column):
            factor = scale * inverse_laplacian[j, i]
            real, imag = factor * w[j, i].real, factor * w[j, i].imag
            a, b = k[i] * l[j] + k[i] * l[j], (l[j] - k[i]) * (l[j] + k[i])
            x[j, i] = complex(a * real, a * imag)
            y[j, i] = complex(b * real, b * imag)


@njit(cache=True)
def filtered(
    w: Field, transfer: Field, scale: Any, rows: Integers, n_column: int, result: Field
) -> None:
    """Set the product of a spectrum and a real transfer function; `result` may be `w`."""
    clear(rows, n_column, result)
    for j in rows:
        for i in range(n_column):
            factor = scale * transfer[j, i]
            result[j, i] = complex(factor * w[j, i].real, factor * w[j, i].imag)
