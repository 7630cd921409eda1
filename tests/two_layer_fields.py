"""Fields of two layers over (2 pi)^2, by formulas and at random, and derivatives without FFTs."""

from typing import Any

import numpy as np
import sympy
import torch
from numpy.typing import NDArray
from torch import Tensor
from two_dimensional_flow import X, Y, laplacian, on_grid, spacing

from closures import Closure
from closures.quasigeostrophic import (
    Deconvolution,
    DynamicEddyViscosity,
    HybridSymbolic,
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    LeithE,
    QGLeith,
    Smagorinsky,
    SparseSymbolic,
    Stratification,
    ZannaBolton2020,
)

Field = NDArray[np.float64]

STRATIFICATION = Stratification(3.0, 1.0)
"""The upper layer is a quarter of the depth."""
SHARES = np.array([0.25, 0.75])

PSI = (
    sympy.cos(2 * X) * sympy.cos(Y) + sympy.sin(X + 3 * Y) / 2,
    sympy.sin(X - Y) / 3 + sympy.cos(2 * Y + 1) / 4,
)
"""Streamfunctions of both layers, by formulas."""
VORTICITY = tuple(map(laplacian, PSI))
POTENTIAL_VORTICITY = (
    VORTICITY[0] + 3 * (PSI[1] - PSI[0]),
    VORTICITY[1] + (PSI[0] - PSI[1]),
)
U = tuple(-sympy.diff(psi, Y) for psi in PSI)
V = tuple(sympy.diff(psi, X) for psi in PSI)

WEIGHTS = np.array(
    [[0.3, 0.02, -0.001, 0.03, 0.002, -0.2, 0.4], [-0.1, 0.05, 0.003, 0.01, -0.004, 0.3, 0.1]]
)
ISOTROPIC_WEIGHTS = np.concatenate([WEIGHTS[:, :6], -WEIGHTS[:, 5:6]], axis=1)
"""With these the symbolic closure does not know the directions of the axes."""
SPARSE_WEIGHTS = np.zeros((2, 8, 4))
"""Of the sparse closure, none of terms that know them."""
SPARSE_WEIGHTS[:, [0, 1, 4, 5, 6, 7], 1] = 0.3, -0.2, 0.1, 0.5, 0.01, -0.02
SPARSE_WEIGHTS[1, :2, 3] = 0.1, -0.05


def every_closure(n: int) -> dict[str, Closure]:
    """Each closure on n x n points, the advection of none with a mean flow."""
    step = spacing(n)
    return {
        "smagorinsky": Smagorinsky(step, 0.2),
        "leith": Leith(step, c2=-0.007, c4=0.004),
        "qg leith": QGLeith(step, c2=0.01, c4=0.001),
        "leith e": LeithE(
            step, c2=(-0.8, -0.3), c4=(0.02, 0.05), returned=0.7, largest_factor=10.0, delta=1 / 3
        ),
        "leith e of momentum": LeithE(
            step,
            c2=(-0.8, -0.3),
            c4=(0.02, 0.05),
            returned=0.7,
            largest_factor=10.0,
            delta=1 / 3,
            fields=("laplacian", "vorticity"),
        ),
        "hyperviscosity": Hyperviscosity(step, 1e-4, 3),
        "deconvolution": Deconvolution(step, dt=0.05, cutoff=0.75),
        "dynamic smagorinsky": DynamicEddyViscosity(step, clipping="none"),
        "dynamic leith": DynamicEddyViscosity(
            step, scale="leith", average="both", clipping="numerator"
        ),
        "backscatter": JansenHeldBackscatter(step, STRATIFICATION, returned=0.8),
        "zanna bolton": ZannaBolton2020(step, -0.02),
        "symbolic": HybridSymbolic(step, ISOTROPIC_WEIGHTS, mean_flow=(0.0, 0.0)),
        "sparse symbolic": SparseSymbolic(step, SPARSE_WEIGHTS, mean_flow=(0.0, 0.0)),
        "sum": 0.5 * Smagorinsky(step, 0.2) + 0.75 * QGLeith(step, c2=0.02),
    }


def layers(expressions: tuple[sympy.Expr, ...], n: int) -> Field:
    """Values of formulas, one a layer, shape (2, n, n)."""
    return np.stack([on_grid(expression, n) for expression in expressions])


def batch(field: Field) -> Tensor:
    """A field of two layers as a batch of one."""
    return torch.from_numpy(np.array(field))[np.newaxis]


def by_formulas(n: int) -> dict[str, Tensor]:
    """q, u and v of `PSI`."""
    fields = {"q": POTENTIAL_VORTICITY, "u": U, "v": V}
    return {name: batch(layers(formulas, n)) for name, formulas in fields.items()}


def turbulence(n: int, seed: int = 0, n_member: int = 1) -> Field:
    """Potential vorticity with all waves but the shortest, shape (member, 2, n, n)."""
    rng = np.random.default_rng(seed)
    k = np.fft.fftfreq(n, 1.0 / n)
    k2 = k[np.newaxis] ** 2 + k[:, np.newaxis] ** 2
    shortest = (np.abs(k)[np.newaxis] == n / 2) | (np.abs(k)[:, np.newaxis] == n / 2)
    kept = ~shortest & (k2 > 0)
    spectrum = np.fft.fft2(rng.standard_normal((n_member, 2, n, n))) * kept / (1.0 + 0.05 * k2)
    field = np.fft.ifft2(spectrum).real
    return np.asarray(5.0 * field / field.std(axis=(-2, -1), keepdims=True))


def flow_of(q: Field) -> dict[str, Field]:
    """psi, u and v of q, shape (..., 2, n, n): for each wave two equations with two unknowns."""
    n = q.shape[-1]
    k = np.fft.fftfreq(n, 1.0 / n)
    k, l = np.meshgrid(k, k)  # noqa: E741
    k2 = k**2 + l**2
    f1, f2 = STRATIFICATION.f1, STRATIFICATION.f2
    matrix = np.array([[-k2 - f1, f1 + 0.0 * k2], [f2 + 0.0 * k2, -k2 - f2]])
    matrix[:, :, 0, 0] = np.eye(2)
    spectrum = np.moveaxis(np.fft.fft2(q), -3, -1)
    spectrum[..., 0, 0, :] = 0.0
    solved = np.linalg.solve(np.moveaxis(matrix, (0, 1), (2, 3)), spectrum[..., np.newaxis])
    psi = np.moveaxis(solved[..., 0], -1, -3)
    found = {"psi": psi, "u": -1j * l * psi, "v": 1j * k * psi}
    return {name: np.fft.ifft2(values).real for name, values in found.items()}


def inputs_of(closure: Closure, q: Field) -> list[Tensor]:
    """What a closure takes of a flow, shapes (member, 2, n, n)."""
    known = {"q": q, **flow_of(q)}
    return [torch.from_numpy(np.array(known[field.name])) for field in closure.spec.inputs]


def tendency_of(closure: Closure, q: Field) -> Field:
    """Tendency of q by a closure, shape (member, 2, n, n)."""
    (tendency,) = closure(*inputs_of(closure, q))
    return np.asarray(tendency.detach().numpy())


def _derivative_matrix(n: int) -> Field:
    # The derivative of the trigonometric interpolant on n points, n even, in closed form.
    j = np.arange(n)
    difference = j[:, np.newaxis] - j
    safe = np.where(difference == 0, 1, difference)
    matrix = 0.5 * (-1.0) ** difference / np.tan(np.pi * safe / n)
    return np.where(difference == 0, 0.0, matrix)


def dx(field: Any) -> Field:
    """Derivative along x on a grid over (2 pi)^2, a product with a matrix."""
    return np.asarray(field @ _derivative_matrix(field.shape[-1]).T)


def dy(field: Any) -> Field:
    """Derivative along y."""
    return np.asarray(_derivative_matrix(field.shape[-2]) @ field)


def without_shortest(field: Any) -> Field:
    """A field without the waves that have two points along x or along y."""
    signs = (-1.0) ** np.arange(field.shape[-1])
    along_x = field - signs * (field * signs).mean(axis=-1, keepdims=True)
    signs = (-1.0) ** np.arange(field.shape[-2])[:, np.newaxis]
    return np.asarray(along_x - signs * (along_x * signs).mean(axis=-2, keepdims=True))


def close(found: Any, expected: Any, tolerance: float = 1e-11) -> bool:
    """Whether values are those expected, relative to the largest of each layer."""
    values, exact = np.asarray(found), np.asarray(expected)
    difference = np.abs(values - exact).max(axis=(-2, -1))
    return bool(np.all(difference <= tolerance * np.abs(exact).max(axis=(-2, -1))))
