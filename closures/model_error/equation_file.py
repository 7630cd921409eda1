"""``terms.json``: the equation of a closure, beside its compiled code in the archive.

`fortran_bridge/FORMAT.md` documents the format.
"""

import json
import math
from typing import Any

from closures.model_error.equation import Equation, Matrix
from closures.model_error.errors import TermsError
from closures.model_error.tree import from_tree, to_tree

ENTRY = "terms.json"
"""Name of the file."""
MAJOR, MINOR = 1, 0
_LARGEST = 2**22
_KEYS = ("format", "output", "axes", "dealias", "terms", "covariance")
_TERM_KEYS = ("expression", "name", "latex", "coefficient", "standard_error", "units")
# Standard errors are written for people: what counts is the covariance.
_SAME = 1e-9


def to_text(equation: Equation) -> str:
    """Return the content of ``terms.json``."""
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
    data = {
        "format": {"major": MAJOR, "minor": MINOR},
        "output": equation.output,
        "axes": equation.axes,
        "dealias": equation.dealias,
        "terms": terms,
        "covariance": None if covariance is None else [list(row) for row in covariance],
    }
    return json.dumps(data, indent=2)


def from_text(text: str) -> Equation:
    """Read the content of ``terms.json``.

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
    if version["major"] != MAJOR:
        raise TermsError(
            f"{ENTRY}: expected format {MAJOR}.x, got {version['major']}."
            f"{version.get('minor', '?')}; install a hybrid-closures that reads it, or export the "
            "closure again"
        )
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
