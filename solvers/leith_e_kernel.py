"""The compiled loops of Leith diffusion with an energy budget, row by row in padded memory.

In units of the grid its spacing drops out: with differences over two points for the gradient,
``d^3 |grad q|`` is ``d^2 / 2`` times their length, and a divergence of gradients divides by d^2.
The factor 1/4 is that of two halves, of the length and of the mean at a face. Vorticity and the
rate of strain alone are divided by the spacing: they must have the unit of q.
"""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]
from numpy.typing import DTypeLike, NDArray

Field = NDArray[Any]

# Places in a context, before its work space; coefficients and shares have an entry for each layer.
_C2, _C4, _SHARE, _BUDGET, _RETURNED, _LARGEST = 0, 2, 4, 6, 7, 8
_SCALE, _OF_VORTICITY, _HALF, _C6 = 9, 10, 11, 12
_N_NUMBER = 16

OF_Q, OF_LAPLACIAN, OF_STRAIN = 0, 1, 2
"""What the diffusivity goes with: gradients of q, of its Laplacian, or the rate of strain."""

# The compiler may add the terms of a sum in any order, several at a time, and round a product and
# a sum once.
_FAST = {"reassoc", "contract", "nsz"}


class Work(NamedTuple):
    """Work space of a member.

    Parameters
    ----------
    q, vorticity
        Both layers with two periodic neighbours on each side, shape ``(2, y + 4, x + 4)``; before
        vorticity is there, its place is free.
    length
        Of differences over two points, with one neighbour, shape ``(2, y + 2, x + 2)``.
    potential
        First the Laplacian of q, where there is diffusion of sixth order then what diffusion goes
        down with the sign changed, at last what the flux goes down, the same shape.
    row, row_of_u
        Rows of v and of u with a neighbour on each side, shape ``(x + 2,)``.
    """

    q: Field
    vorticity: Field
    length: Field
    potential: Field
    row: Field
    row_of_u: Field


def context_of(
    dtype: DTypeLike, shape: tuple[int, int], c2: tuple[float, float], c4: tuple[float, float],
    c6: tuple[float, float], shares: tuple[float, float], budget: tuple[float, float] | None,
    scale: int, of_vorticity: bool, spacing: float,
) -> Field:  # fmt: skip
    """Return the context of a member: its numbers, and zeros to work in.

    Parameters
    ----------
    dtype
        Precision of the model.
    shape
        Rows and points in a row.
    c2, c4, c6, shares
        Coefficients and shares in the depth of both layers [1].
    budget
        Part of the energy that is returned and largest factor [1]; None: the factor is 1.
    scale
        What the diffusivity goes with, `OF_Q`, `OF_LAPLACIAN` or `OF_STRAIN`.
    of_vorticity
        Whether relative vorticity is anti-diffused, not q.
    spacing
        Of the grid, along x and y [m].
    """
    context = np.zeros(_N_NUMBER + _work_size(*shape), dtype)
    numbers = (
        *(*c2, *c4, *shares, budget is not None, *(budget or (0.0, 0.0))),
        *(scale, of_vorticity, 0.5 / spacing, *c6),
    )
    context[: len(numbers)] = numbers
    return context


@njit(cache=True)
def _work_size(n_y: int, n_x: int) -> int:
    return 4 * (n_y + 4) * (n_x + 4) + 4 * (n_y + 2) * (n_x + 2) + 2 * (n_x + 2)


@njit(cache=True)
def _work(memory: Field, n_y: int, n_x: int) -> Work:
    wide, narrow = 2 * (n_y + 4) * (n_x + 4), 2 * (n_y + 2) * (n_x + 2)
    a = 2 * wide
    b = a + narrow
    c = b + narrow
    return Work(
        memory[:wide].reshape((2, n_y + 4, n_x + 4)),
        memory[wide:a].reshape((2, n_y + 4, n_x + 4)),
        memory[a:b].reshape((2, n_y + 2, n_x + 2)),
        memory[b:c].reshape((2, n_y + 2, n_x + 2)),
        memory[c : c + n_x + 2],
        memory[c + n_x + 2 :],
    )


@njit(cache=True)
def _pad(field: Field, padded: Field, width: int) -> None:
    """Copy a field with periodic neighbours on each side, one or two."""
    n_y, n_x = field.shape
    for j in range(n_y):
        source, row = field[j], padded[j + width]
        for i in range(n_x):
            row[i + width] = source[i]
        for i in range(width):
            row[i], row[i + n_x + width] = source[i + n_x - width], source[i]
    for j in range(width):
        for i in range(n_x + 2 * width):
            padded[j, i] = padded[j + n_y, i]
            padded[j + n_y + width, i] = padded[j + width, i]


@njit(cache=True)
def _pad_row(source: Field, row: Field) -> None:
    n = source.shape[0]
    for i in range(n):
        row[i + 1] = source[i]
    row[0], row[n + 1] = source[n - 1], source[0]


# Neighbouring rows are named by a number, not given as arrays: that they do not overlap what is
# written is then asked once for all of them.
@njit(cache=True, fastmath=_FAST)
def _lengths(q: Field, length: Field) -> None:
    for j in range(length.shape[0]):
        south, here, north, row = q[j], q[j + 1], q[j + 2], length[j]
        for i in range(length.shape[1]):
            x, y = here[i + 2] - here[i], north[i + 1] - south[i + 1]
            row[i] = sqrt(x * x + y * y)


@njit(cache=True, fastmath=_FAST)
def _laplacians(q: Field, laplacian: Field, four: Any) -> None:
    for j in range(laplacian.shape[0]):
        south, here, north, row = q[j], q[j + 1], q[j + 2], laplacian[j]
        for i in range(laplacian.shape[1]):
            row[i] = south[i + 1] + north[i + 1] + here[i] + here[i + 2] - four * here[i + 1]


@njit(cache=True, fastmath=_FAST)
def _to_sixth_order(work: Work, z: int, c4: Any, c6: Any, free: Field) -> None:
    """Put ``lap (c4 q - c6 lap q)`` in the place of the Laplacian; what is in `free` is lost."""
    q, laplacian = work.q[z], work.potential[z]
    for j in range(free.shape[0]):
        here, curvature, row = q[j + 2], laplacian[j + 1], free[j]
        for i in range(free.shape[1]):
            row[i] = c4 * here[i + 2] - c6 * curvature[i + 1]
    _pad(free, work.vorticity[z], 2)
    _laplacians(work.vorticity[z], laplacian, free.dtype.type(4))


@njit(cache=True, fastmath=_FAST)
def _vorticities(u: Field, v: Field, row: Field, half: Any, vorticity: Field) -> None:
    n_y, n_x = u.shape
    for j in range(n_y):
        _pad_row(v[j], row)
        south, north, out = u[j - 1 if j else n_y - 1], u[j + 1 if j + 1 < n_y else 0], vorticity[j]
        for i in range(n_x):
            out[i] = half * (row[i + 2] - row[i] - (north[i] - south[i]))


@njit(cache=True, fastmath=_FAST)
def _strains(u: Field, v: Field, work: Work, half: Any, strain: Field) -> None:
    """Set twice the rate of strain, which is to be halved as lengths over two points are."""
    n_y, n_x = u.shape
    row, row_of_u = work.row, work.row_of_u
    for j in range(n_y):
        _pad_row(v[j], row)
        _pad_row(u[j], row_of_u)
        south, north = j - 1 if j else n_y - 1, j + 1 if j + 1 < n_y else 0
        u0, u1, v0, v1, out = u[south], u[north], v[south], v[north], strain[j]
        for i in range(n_x):
            x = row_of_u[i + 2] - row_of_u[i] - (v1[i] - v0[i])
            y = row[i + 2] - row[i] + (u1[i] - u0[i])
            out[i] = (half + half) * sqrt(x * x + y * y)


@njit(cache=True, fastmath=_FAST)
def _energy_put_in(
    q: Field, u: Field, v: Field, length: Field, laplacian: Field, row: Field
) -> tuple[float, float]:
    """Return the energy that fluxes of q and of a Laplacian put into a layer, in one unit.

    Vorticity may be in the place of q.
    """
    of_q, of_laplacian = 0.0, 0.0
    n_y, n_x = u.shape
    for j in range(n_y):
        u0, u1 = u[j], u[j + 1 if j + 1 < n_y else 0]
        _pad_row(v[j], row)
        m0, m1, q0, q1 = length[j + 1], length[j + 2], q[j + 2], q[j + 3]
        l0, l1 = laplacian[j + 1], laplacian[j + 2]
        # The sum of a row in the model's precision, as many terms at a time as that allows.
        a = b = u.dtype.type(0)
        for i in range(n_x):
            x = (row[i + 1] + row[i + 2]) * (m0[i + 1] + m0[i + 2])
            y = (u0[i] + u1[i]) * (m0[i + 1] + m1[i + 1])
            a += x * (q0[i + 3] - q0[i + 2]) - y * (q1[i + 2] - q0[i + 2])
            b += x * (l0[i + 2] - l0[i + 1]) - y * (l1[i + 1] - l0[i + 1])
        of_q += a
        of_laplacian += b
    return of_q, of_laplacian


@njit(cache=True, fastmath=_FAST)
def _potential(q: Field, a: Any, b: Any, laplacian: Field) -> None:
    """Put ``a q - b l`` in the place of the Laplacian l; vorticity may be in that of q."""
    for j in range(laplacian.shape[0]):
        here, row = q[j + 1], laplacian[j]
        for i in range(laplacian.shape[1]):
            row[i] = a * here[i + 1] - b * row[i]


@njit(cache=True, fastmath=_FAST)
def _divergence(length: Field, potential: Field, tendency: Field) -> None:
    for j in range(tendency.shape[0]):
        m0, m1, m2, row = length[j], length[j + 1], length[j + 2], tendency[j]
        p0, p1, p2 = potential[j], potential[j + 1], potential[j + 2]
        for i in range(tendency.shape[1]):
            m, p = m1[i + 1], p1[i + 1]
            row[i] = (
                (m + m1[i + 2]) * (p1[i + 2] - p)
                + (m + m1[i]) * (p1[i] - p)
                + (m + m2[i + 1]) * (p2[i + 1] - p)
                + (m + m0[i + 1]) * (p0[i + 1] - p)
            )


@njit(cache=True)
def _has_sixth_order(context: Field) -> bool:
    return bool(context[_C6] != 0 or context[_C6 + 1] != 0)


@njit(cache=True)
def _weight(context: Field, z: int) -> Any:
    """Return what the Laplacian is still to be multiplied by, in the model's precision."""
    return context.dtype.type(1) if _has_sixth_order(context) else context[_C4 + z]


@njit(cache=True)
def _factor(context: Field, put_in: float, taken: float) -> float:
    """Return what the budget multiplies c2 by."""
    if context[_BUDGET] == 0:
        return 1.0
    if not put_in > 0.0:
        return 0.0
    return float(min(max(context[_RETURNED] * taken / put_in, 0.0), context[_LARGEST]))


@njit(cache=True)
def _set_tendency(context: Field, q: Field, u: Field, v: Field, tendency: Field) -> None:
    """Set the tendency of q of both layers; all fields have shape ``(2, y, x)``."""
    work = _work(context[_N_NUMBER:], q.shape[1], q.shape[2])
    kind = context.dtype.type
    raised = work.vorticity if context[_OF_VORTICITY] != 0 else work.q
    put_in, taken = 0.0, 0.0
    for z in range(2):
        _pad(q[z], work.q[z], 2)
        _laplacians(work.q[z], work.potential[z], kind(4))
        # The tendency is free until the end: what has no neighbours yet is there first.
        if context[_SCALE] == OF_LAPLACIAN:
            _lengths(work.potential[z], tendency[z])
            _pad(tendency[z], work.length[z], 1)
        elif context[_SCALE] == OF_STRAIN:
            _strains(u[z], v[z], work, context[_HALF], tendency[z])
            _pad(tendency[z], work.length[z], 1)
        else:
            _lengths(work.q[z], work.length[z])
        if _has_sixth_order(context):
            _to_sixth_order(work, z, context[_C4 + z], context[_C6 + z], tendency[z])
        if context[_OF_VORTICITY] != 0:
            _vorticities(u[z], v[z], work.row, context[_HALF], tendency[z])
            _pad(tendency[z], work.vorticity[z], 2)
        if context[_BUDGET] != 0:
            of_raised, of_laplacian = _energy_put_in(
                raised[z], u[z], v[z], work.length[z], work.potential[z], work.row
            )
            put_in += context[_SHARE + z] * context[_C2 + z] * of_raised
            # The flux of the Laplacian has the other sign.
            taken += context[_SHARE + z] * _weight(context, z) * of_laplacian
    factor, quarter = _factor(context, put_in, taken), kind(0.25)
    for z in range(2):
        a, b = quarter * kind(factor * context[_C2 + z]), quarter * _weight(context, z)
        _potential(raised[z], a, b, work.potential[z])
        _divergence(work.length[z], work.potential[z], tendency[z])


def call(context: Any, _step: int, _stage: int, fields: Any, tendency: Any, sizes: Any) -> int:
    """Set the tendency that the time loop asks for; return 0, or the status of what failed."""
    n_y, n_x = sizes[5], sizes[6]
    f = carray(fields, (3, 2, n_y, n_x))
    memory = carray(context, _N_NUMBER + _work_size(n_y, n_x))
    # By their numbers: unpacked, they would no longer count as contiguous.
    _set_tendency(memory, f[0], f[1], f[2], carray(tendency, (2, n_y, n_x)))
    return 0
