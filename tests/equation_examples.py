"""Closures of discovered terms that tests share: on a line, on a plane, dealiased or not."""

from typing import Any

import numpy as np

from closures import ClosureSpec, Field, Grid
from closures.model_error import (
    Derivative,
    Expression,
    PeriodicGrid,
    SpectralTerms,
    Variable,
    jacobian,
    laplacian,
)

U, PSI = Variable("u"), Variable("psi", r"\psi")
LINE_TERMS: tuple[Expression, ...] = (
    U * Derivative(U, "x"),
    Derivative(U**2, "xx"),
    Derivative(U, "xxx"),
    Derivative(U, "xxxx"),
    (U - PSI) * U,
    PSI**3,
)
PLANE_TERMS: tuple[Expression, ...] = (
    jacobian(PSI, U),
    laplacian(Derivative(U, "xy")),
    U * Derivative(U, "yyy"),
    laplacian(PSI) ** 2,
    PSI,
)
VALUES = (1.5, -0.3, 0.7, -1.0, 0.2, 0.1)
SHAPES = {"x": (33,), "yx": (12, 16)}
SPACING = {"x": (0.4,), "yx": (0.3, 0.5)}


def grid_spec(
    axes: str = "x",
    shape: tuple[int | None, ...] | None = None,
    *,
    inputs: tuple[str, ...] = ("u", "psi"),
    units: tuple[str, str] = ("1", "1"),
    name: str = "found",
    **other: Any,
) -> ClosureSpec:
    """Return a contract on a periodic grid; `units` of the inputs and of the tendency."""
    dims, sizes = tuple(axes), shape or SHAPES[axes]
    bounds = {"valid_min": -2.0, "valid_max": 2.0}
    return ClosureSpec(
        name,
        "1.0",
        tuple(Field(i, units[0], dims, sizes, "float64", **bounds) for i in inputs),  # type: ignore[arg-type]
        (Field("u_tendency", units[1], dims, sizes, "float64"),),
        locality="grid",
        grid=Grid(SPACING[axes], ("periodic",) * len(dims)),
        **other,
    )


def found(axes: str, *, dealias: bool = False, known: bool = True) -> SpectralTerms:
    """Return a closure of every kind of term; `known`: with standard errors."""
    terms = LINE_TERMS if axes == "x" else PLANE_TERMS
    covariance = np.diag([10.0 ** (-2 * i) for i in range(2, 2 + len(terms))]) if known else None
    values = VALUES[: len(terms)]
    spec = grid_spec(axes)
    return SpectralTerms.of_terms(terms, values, spec, covariance=covariance, dealias=dealias)


def grid_of(spec: ClosureSpec) -> PeriodicGrid:
    """Return the grid of a contract, as libraries take it."""
    assert spec.grid is not None
    shape = tuple(spec.outputs[0].sizes)
    lengths = tuple(n * dx for n, dx in zip(shape, spec.grid.spacing, strict=True))
    return PeriodicGrid("".join(spec.grid_dims), shape, lengths)
