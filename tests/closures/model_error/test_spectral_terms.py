"""Closures of discovered terms: the values of the library, units, and what does not fit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from equation_examples import PSI, VALUES, U, found, grid_of, grid_spec

from closures import Field, Grid
from closures.model_error import (
    Derivative,
    Equation,
    Library,
    ModelError,
    SpectralTerms,
    Sum,
    TermsError,
    laplacian,
)
from closures.model_error.term_units import coefficient_units

SHAPES = {"x": ((33,), (32,)), "yx": ((12, 16), (9, 15), (8, 11))}


@pytest.mark.parametrize("dealias", [False, True])
@pytest.mark.parametrize(
    ("axes", "shape"), [(axes, shape) for axes, shapes in SHAPES.items() for shape in shapes]
)
def test_values_are_those_of_the_library(axes: str, shape: tuple[int, ...], dealias: bool) -> None:
    terms = found(axes).equation.terms
    spec = grid_spec(axes, shape)
    closure = SpectralTerms.of_terms(terms, VALUES[: len(terms)], spec, dealias=dealias)
    states = np.random.default_rng(1).standard_normal((2, 2, *shape))
    fields = {"u": states[:, 0], "psi": states[:, 1]}
    library = Library(terms, grid_of(spec), lambda _: fields, dealias=dealias)
    expected = np.tensordot(VALUES[: len(terms)], library.evaluate(states), 1)
    (tendency,) = closure(*map(torch.from_numpy, fields.values()))
    # Fourth derivatives of the shortest waves are thousands of times the field.
    np.testing.assert_allclose(tendency, expected, rtol=0.0, atol=1e-13 * np.abs(expected).max())


def test_what_is_shared_is_transformed_once() -> None:
    terms = (U * Derivative(U, "x"), Derivative(U, "xx"), Derivative(U, "x") ** 3)
    closure = SpectralTerms.of_terms(terms, (1.0, 2.0, 3.0), grid_spec(inputs=("u",)))
    called = [str(node.target) for node in closure.graph_module.graph.nodes]
    assert called.count("spectrum") == 1
    assert called.count("derivative_x") == 1


def test_a_discovery_becomes_an_equation() -> None:
    covariance = np.array([[4e-6, 1e-7], [1e-7, 9e-8]])
    error = ModelError(
        (Derivative(U, "xx"), U * Derivative(U, "x")),
        np.array([-0.6, 1.25]),
        covariance,
        path=None,  # type: ignore[arg-type]  # how they were chosen is no part of an equation
        increment=1.0,
        residual=0.1,
        n_row=10,
        n_masked=0,
        n_dropped=0,
    )
    spec = grid_spec(inputs=("u",), units=("m s-1", "m s-2"))
    equation = SpectralTerms.of(error, spec, length_units="km").equation
    assert equation.coefficients == (-0.6, 1.25)
    assert equation.covariance == tuple(map(tuple, covariance.tolist()))
    np.testing.assert_allclose(equation.standard_errors, (2e-3, 3e-4))  # type: ignore[arg-type]
    assert equation.units == ("1000000 m2 s-1", "1000")
    assert str(equation) == "u_t = ... - (0.6000 +- 0.0020) u_xx + (1.25000 +- 0.00030) u u_x"


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (U, "s-1"),
        (Derivative(U, "xxxx"), "m4 s-1"),
        (U**2 * Derivative(U, "x"), "m-1 s"),
        (laplacian(U), "m2 s-1"),
        (PSI, "m-1 s-1"),
        (PSI * U, "m-2"),
    ],
)
def test_units_of_coefficients(term: Sum, expected: str) -> None:
    assert coefficient_units(term, "m s-2", {"u": "m s-1", "psi": "m2 s-1"}, "m") == expected


def test_units_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TermsError, match=r"u \+ psi: expected parts of the same units, got m"):
        coefficient_units(U + PSI, "m s-2", {"u": "m s-1", "psi": "m2 s-1"}, "m")
    with pytest.raises(TermsError, match="psi: expected an input of this name, got u"):
        coefficient_units(PSI, "m s-2", {"u": "m s-1"}, "m")
    with pytest.raises(TermsError, match="u_x: expected units that can be multiplied"):
        coefficient_units(Derivative(U, "x"), "K s-1", {"u": "lg(re 1 mW)"}, "m")


SPEC = grid_spec(inputs=("u",))
TERM = (Derivative(U, "x"),)
EQUATION = Equation("u_tendency", "x", TERM, (1.0,), ("1",))
OPEN = grid_spec(shape=(None,), inputs=("u",))
SINGLE = replace(SPEC, inputs=(Field("u", "1", ("x",), (33,)),))
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "column": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), replace(SPEC, locality="column", grid=None)),
        "found: expected a grid closure that is periodic along each of at most 3 dims, got a colu",
    ),
    "wall": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), replace(SPEC, grid=Grid((0.4,), ("wall",)))),
        r"found: expected a grid closure that is periodic .* got \('wall',\)",
    ),
    "open sizes": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), OPEN),
        r"u: expected a float64 field of dims \('x',\) and sizes that are all given",
    ),
    "single precision": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), SINGLE),
        "u: expected a float64 field .* got float32",
    ),
    "missing input": (
        lambda: SpectralTerms(replace(EQUATION, terms=(PSI,)), SPEC),
        "found: expected an input for each variable of the terms, psi, got u",
    ),
    "input of no term": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), grid_spec()),
        "found: expected an input for each variable of the terms, u, got psi, u",
    ),
    "other output": (
        lambda: SpectralTerms(replace(EQUATION, output="v_tendency"), SPEC),
        "found: expected an equation of u_tendency on axes 'x', got one of v_tendency on 'x'",
    ),
    "other axis": (
        lambda: SpectralTerms.of_terms((Derivative(U, "y"),), (1.0,), SPEC),
        "u_y: expected derivatives along axes of the grid, 'x'",
    ),
    "number of coefficients": (
        lambda: SpectralTerms.of_terms(TERM, (1.0, 2.0), SPEC),
        "found: expected a coefficient for each of 1 terms, got 2",
    ),
    "no terms": (
        lambda: SpectralTerms.of_terms((), (), SPEC),
        "equation: expected terms with a coefficient and its units each, got 0 terms",
    ),
    "coefficient that is no number": (
        lambda: SpectralTerms.of_terms(TERM, (np.nan,), SPEC),
        r"equation: expected finite coefficients, got \[nan\]",
    ),
    "shape of the covariance": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), SPEC, covariance=np.eye(2)),
        r"covariance: expected shape \(1, 1\), a row a term, got \(2, 2\)",
    ),
    "negative variance": (
        lambda: SpectralTerms.of_terms(TERM, (1.0,), SPEC, covariance=[[-1.0]]),
        r"covariance: expected finite numbers and no negative variance, got variances \[-1.0\]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(TermsError, match=message):
        make()
