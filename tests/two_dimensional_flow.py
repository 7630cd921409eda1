"""Two-dimensional flows by formulas, from which what closures do to them follows by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from numpy.typing import NDArray
from torch import Tensor

Field = NDArray[np.float64]

X, Y = sympy.symbols("x y", real=True)


def positions(n: int) -> tuple[Field, Field]:
    """x and y of the points of a grid over (2 pi)^2, shapes (1, n) and (n, 1)."""
    x: Field = 2.0 * np.pi / n * np.arange(n, dtype=np.float64)
    return x[np.newaxis], x[:, np.newaxis]


def on_grid(expression: sympy.Expr, n: int) -> Field:
    """Values of a formula of x and y on a grid over (2 pi)^2."""
    function: Callable[..., Any] = sympy.lambdify((X, Y), expression)
    return np.broadcast_to(function(*positions(n)), (n, n)).astype(np.float64)


def spacing(n: int) -> tuple[float, float]:
    """Distance of the points."""
    return (2.0 * np.pi / n, 2.0 * np.pi / n)


def laplacian(expression: sympy.Expr) -> sympy.Expr:
    return sympy.diff(expression, X, 2) + sympy.diff(expression, Y, 2)


def divergence_of_gradient(nu: sympy.Expr, of: sympy.Expr) -> sympy.Expr:
    """``div(nu grad of)``."""
    return sum(sympy.diff(nu * sympy.diff(of, axis), axis) for axis in (X, Y))


def tensor(field: Field) -> Tensor:
    return torch.from_numpy(np.array(field))[np.newaxis]


def turbulence(n: int, seed: int = 0, n_member: int = 1) -> Field:
    """Vorticity with waves of all lengths that the two-thirds rule keeps, shape (member, y, x)."""
    rng = np.random.default_rng(seed)
    k = np.fft.rfftfreq(n, 1.0 / n)[np.newaxis]
    l = np.fft.fftfreq(n, 1.0 / n)[:, np.newaxis]  # noqa: E741
    k2 = k**2 + l**2
    kept = (np.abs(k) < n / 3) & (np.abs(l) < n / 3) & (k2 > 0)
    spectrum = np.fft.rfft2(rng.standard_normal((n_member, n, n))) * kept / (1.0 + 0.05 * k2)
    field: Field = np.fft.irfft2(spectrum, s=(n, n), axes=(-2, -1))
    return np.asarray(5.0 * field / field.std(axis=(-2, -1), keepdims=True))


def turned(field: Field) -> Field:
    """A field seen after a quarter turn of the axes about the origin."""
    return np.roll(np.swapaxes(field, -2, -1)[..., ::-1], 1, axis=-1)
