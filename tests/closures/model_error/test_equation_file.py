"""``terms.json``: what is written is read again, and anything else is refused by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from equation_examples import found
from hypothesis import given
from hypothesis import strategies as st

from closures.model_error import Derivative, Expression, Power, Product, Sum, TermsError, Variable
from closures.model_error.equation_file import from_text, to_text
from closures.model_error.significant import measured
from closures.model_error.tree import DEEPEST, from_tree, to_tree

VARIABLES = st.builds(Variable, st.sampled_from(["u", "psi"]), st.sampled_from(["", r"\psi"]))


def _composed(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    weights = st.lists(st.floats(-9.0, 9.0), min_size=2, max_size=2).map(tuple)
    return st.one_of(
        st.builds(Derivative, inner, st.text("xy", min_size=1, max_size=4)),
        st.builds(Power, inner, st.integers(1, 5)),
        st.builds(Product, several),
        st.builds(Sum, st.tuples(inner, inner), weights, st.just(""), st.just("")),
    )


@given(st.recursive(VARIABLES, _composed, max_leaves=6))
def test_trees_are_read_as_they_were_written(expression: Expression) -> None:
    assert from_tree(json.loads(json.dumps(to_tree(expression)))) == expression


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("axes", ["x", "yx"])
def test_equations_are_read_as_they_were_written(axes: str, known: bool) -> None:
    equation = found(axes, known=known).equation
    text = to_text((equation,))
    assert from_text(text) == (equation,)
    errors = [term["standard_error"] for term in json.loads(text)["terms"]]
    assert errors == list(equation.standard_errors)
    assert (None in errors) is not known


def test_a_later_minor_version_may_have_more_keys() -> None:
    equation = found("x").equation
    data = json.loads(to_text((equation,)))
    data["format"]["minor"] = 7
    data["more"] = data["terms"][0]["more"] = True
    assert from_text(json.dumps(data)) == (equation,)


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *keys, last, value = path

    def edit(data: Any) -> None:
        for key in keys:
            data = data[key]
        data[last] = value

    return edit


def _drop(key: str) -> Callable[[dict[str, Any]], None]:
    def edit(data: dict[str, Any]) -> None:
        del data["terms"][0][key]

    return edit


def _deep(data: dict[str, Any]) -> None:
    for _ in range(DEEPEST):
        first = data["terms"][0]
        first["expression"] = {"node": "power", "of": first["expression"], "exponent": 1}


FIRST = ("terms", 0, "expression")
FACTOR = (*FIRST, "of", 0)
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "major version": (
        _set("format", {"major": 3, "minor": 1}),
        "terms.json: expected format 1.x or 2.x, got 3.1; install a hybrid-closures that reads it",
    ),
    "no version": (_set("format", "1.0"), "expected format with major and minor, got '1.0'"),
    "unknown node": (
        _set(*FACTOR, "node", "integral"),
        "term 1: expected a node that is one of variable, derivative, power, product, sum, got 'in",
    ),
    "no node": (_set(*FIRST, 3), "term 1: expected a node that is one of .*, got 3"),
    "missing standard error": (
        _drop("standard_error"),
        "term 1: expected keys .*, got none of the name standard_error; export",
    ),
    "missing coefficient": (_drop("coefficient"), "got none of the name coefficient"),
    "standard error of another fit": (
        _set("terms", 0, "standard_error", 5.0),
        "term 1: expected the standard error that the covariance gives, 0.01, got 5.0",
    ),
    "standard error without covariance": (
        _set("covariance", None),
        "term 1: expected the standard error that the covariance gives, None, got 0.01",
    ),
    "coefficient": (
        _set("terms", 1, "coefficient", "1"),
        "expected a finite number for the coefficient of term 2, got '1'",
    ),
    "infinite coefficient": (
        _set("terms", 1, "coefficient", float("inf")),
        "expected a finite number for the coefficient of term 2, got inf",
    ),
    "covariance": (_set("covariance", 0, [1.0]), r"expected shape \(6, 6\), a row a term"),
    "rows": (_set("covariance", [1.0]), "expected covariance as a list of rows or null"),
    "terms": (_set("terms", {}), "expected a list of terms"),
    "axes": (_set("axes", 1), "expected output and axes to be text"),
    "dealias": (_set("dealias", 1), "expected dealias true or false, got 1"),
    "units": (_set("terms", 0, "units", 1), "expected units of term 1 as text, got 1"),
    "unknown key": (_set(*FACTOR, "more", 1), "expected a variable with keys"),
    "variable": (_set(*FACTOR, "symbol", "U x"), "equation: variable name: expected lower-case"),
    "control character": (_set(*FACTOR, "latex", "\n"), "expected printable text for latex"),
    "along": (_set("terms", 2, "expression", "along", "x1"), "expected along of letters of axes"),
    "other axis": (_set("axes", "y"), "u_x: expected derivatives along axes of the grid, 'y'"),
    "exponent": (
        _set("terms", 5, "expression", "exponent", 65),
        "term 6: expected a whole exponent of at most 64, got 65",
    ),
    "no exponent": (
        _set("terms", 5, "expression", "exponent", 0),
        "term 6: power: expected an exponent of at least 1, got 0",
    ),
    "factors": (_set(*FIRST, "of", []), "term 1: expected a list of at least one node"),
    "weights": (
        _set("terms", 4, "expression", "of", 0, "weights", [1.0]),
        "term 5: expected 2 numbers for weights, one a part",
    ),
    "too deep": (_deep, "term 1: expected at most 32 nodes inside each other, got more"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_equation_is_refused(case: str) -> None:
    edit, message = REFUSED[case]
    data = json.loads(to_text((found("x").equation,)))
    edit(data)
    with pytest.raises(TermsError, match=message):
        from_text(json.dumps(data))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "terms.json: expected JSON, but it does not read as such"),
        ("[" * 100_000, "terms.json: expected JSON, but it does not read as such"),
        ("[]", "terms.json: expected an object, got a list"),
        (" " * (2**22 + 1), "terms.json: expected at most 4 MiB"),
    ],
)
def test_what_is_no_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(TermsError, match=message):
        from_text(text)


@pytest.mark.parametrize(
    ("size", "error", "expected"),
    [
        (0.599963, 0.000123, ("0.59996", "0.00012", 0)),
        (1.0, 0.25, ("1.00", "0.25", 0)),
        (3.0, 40.0, ("3", "40", 0)),
        (12.5e6, 2.0e4, ("1.2500", "0.0020", 7)),
        (0.25, 0.0, ("0.2500000000", "0.0000000000", 0)),
        (1 / 3, None, ("0.3333333333", "", 0)),
        (0.0, None, ("0", "", 0)),
    ],
)
def test_digits_are_those_that_the_error_leaves(
    size: float, error: float | None, expected: tuple[str, str, int]
) -> None:
    assert measured(size, error) == expected
