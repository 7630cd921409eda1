"""``terms.json``: the equations of a closure, beside its compiled code in the archive.

`fortran_bridge/FORMAT.md` documents the format.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from closures.model_error.equation import Equation, Matrix
from closures.model_error.errors import TermsError
from closures.model_error.tree import from_tree, to_tree

ENTRY = "terms.json"
"""Name of the file."""
ONE, SEVERAL = 1, 2
"""Major versions: one equation, and a list of them."""
_LARGEST = 2**22
_KEYS = ("output", "axes", "dealias", "terms", "covariance")
_TERM_KEYS = ("expression", "name", "latex", "coefficient", "standard_error", "units")
# Standard errors are written for people: what counts is the covariance.
_SAME = 1e-9


def to_text(equations: Sequence[Equation]) -> str:
    """Return the content of ``terms.json``, in the oldest version that can hold it."""
    bodies = [_body(equation) for equation in equations]
    major = ONE if len(bodies) == 1 else SEVERAL
    data = bodies[0] if major == ONE else {"equations": bodies}
    return json.dumps({"format": {"major": major, "minor": 0}, **data}, indent=2)


def _body(equation: Equation) -> dict[str, Any]:
    rows = zip(
        equation.terms,
        equation.coefficients,
        equation.standard_errors,
        equation.units,
        strict=True,
    )
    terms = [
        {
            "expression": to_tree(term),
            "name": term.name,
            "latex": term.latex,
            "coefficient": coefficient,
            "standard_error": error,
            "units": units,
        }
        for term, coefficient, error, units in rows
    ]
    covariance = equation.covariance
    return {
        "output": equation.output,
        "axes": equation.axes,
        "dealias": equation.dealias,
        "terms": terms,
        "covariance": None if covariance is None else [list(row) for row in covariance],
    }


def from_text(text: str) -> tuple[Equation, ...]:
    """Read the content of ``terms.json``: an equation for each output of the closure.

    Raises
    ------
    TermsError
        If it has another major version, lacks a key, has an unknown node, or its values make no
        equation.
    """
    data = _parsed(text)
    version = data.get("format")
    if not isinstance(version, dict) or type(version.get("major")) is not int:
        raise TermsError(
            f"{ENTRY}: expected format with major and minor, got {version!r}; export it again"
        )
    if version["major"] == ONE:
        return (_equation(data),)
    if version["major"] != SEVERAL:
        raise TermsError(
            f"{ENTRY}: expected format {ONE}.x or {SEVERAL}.x, got {version['major']}."
            f"{version.get('minor', '?')}; install a hybrid-closures that reads it, or export the "
            "closure again"
        )
    _require(data, ("equations",), ENTRY)
    equations = data["equations"]
    if not isinstance(equations, list) or not equations:
        raise TermsError(f"{ENTRY}: expected a list of equations, got {equations!r}")
    return tuple(_equation(equation) for equation in equations)


def _equation(data: dict[str, Any]) -> Equation:
    # A larger minor version may add keys.
    _require(data, _KEYS, ENTRY)
    terms = data["terms"]
    if not isinstance(terms, list):
        raise TermsError(f"{ENTRY}: expected a list of terms, got {terms!r}")
    for number, term in enumerate(terms, start=1):
        _require(term, _TERM_KEYS, f"{ENTRY}: term {number}")
    if not isinstance(data["output"], str) or not isinstance(data["axes"], str):
        raise TermsError(f"{ENTRY}: expected output and axes to be text")
    if type(data["dealias"]) is not bool:
        raise TermsError(f"{ENTRY}: expected dealias true or false, got {data['dealias']!r}")
    equation = Equation(
        data["output"],
        data["axes"],
        tuple(
            from_tree(term["expression"], f"{ENTRY}: term {i}")
            for i, term in enumerate(terms, start=1)
        ),
        tuple(
            _number(term["coefficient"], f"coefficient of term {i + 1}")
            for i, term in enumerate(terms)
        ),
        tuple(_units(term["units"], i + 1) for i, term in enumerate(terms)),
        _matrix(data["covariance"]),
        data["dealias"],
    )
    _check_standard_errors(equation, terms)
    return equation


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > _LARGEST:
        raise TermsError(f"{ENTRY}: expected at most {_LARGEST >> 20} MiB, got {len(text)} bytes")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TermsError(
            f"{ENTRY}: expected JSON, but it does not read as such: {error}"
        ) from error
    if not isinstance(data, dict):
        raise TermsError(f"{ENTRY}: expected an object, got a {type(data).__name__}")
    return data


def _require(data: object, keys: tuple[str, ...], where: str) -> None:
    missing = [key for key in keys if not isinstance(data, dict) or key not in data]
    if missing:
        raise TermsError(
            f"{where}: expected keys {', '.join(keys)}, got none of the name "
            f"{', '.join(missing)}; export the closure again"
        )


def _number(value: object, what: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise TermsError(f"{ENTRY}: expected a finite number for the {what}, got {value!r}")
    return float(value)  # type: ignore[arg-type]


def _units(value: object, number: int) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TermsError(f"{ENTRY}: expected units of term {number} as text, got {value!r}")
    return value


def _matrix(value: object) -> Matrix | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise TermsError(f"{ENTRY}: expected covariance as a list of rows or null, got {value!r}")
    return tuple(tuple(_number(entry, "covariance") for entry in row) for row in value)


def _check_standard_errors(equation: Equation, terms: list[dict[str, Any]]) -> None:
    for number, (known, term) in enumerate(
        zip(equation.standard_errors, terms, strict=True), start=1
    ):
        given = term["standard_error"]
        if given is not None:
            given = _number(given, f"standard error of term {number}")
        same = (
            known is None
            if given is None
            else (known is not None and math.isclose(given, known, rel_tol=_SAME))
        )
        if not same:
            raise TermsError(
                f"{ENTRY}: term {number}: expected the standard error that the covariance gives, "
                f"{known}, got {given}; export the closure again"
            )
