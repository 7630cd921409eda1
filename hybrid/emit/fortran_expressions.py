"""Expressions as Fortran: names of what they are made of, and their formulas."""

import re
from collections.abc import Iterable, Iterator, Mapping

from closures.model_error import Derivative, Expression, Power, Product, Sum, Variable
from closures.model_error.tree import parts, walk
from hybrid.emit.names import LONGEST
from hybrid.errors import EmitError

Names = Mapping[Expression, str]


def leaves(terms: Iterable[Expression]) -> tuple[Expression, ...]:
    """Return the variables and derivatives that terms are made of by arithmetic alone."""

    def found(expression: Expression) -> Iterator[Expression]:
        if isinstance(expression, Variable | Derivative):
            yield expression
            return
        for part in parts(expression):
            yield from found(part)

    return tuple(dict.fromkeys(leaf for term in terms for leaf in found(term)))


def derivatives(terms: Iterable[Expression]) -> tuple[Derivative, ...]:
    """Return all derivatives in terms, each after those that it is made of."""
    nodes = (node for term in terms for node in walk(term))
    return tuple(dict.fromkeys(node for node in nodes if isinstance(node, Derivative)))


def named(
    expressions: Iterable[Expression], taken: Iterable[str], prefix: str = ""
) -> dict[Expression, str]:
    """Return a Fortran name for each expression, like its own, none of `taken`.

    Examples
    --------
    >>> u = Variable("u")
    >>> list(named([u, Derivative(u, "xx"), Derivative(u**2, "x")], ["u"]).values())
    ['u_1', 'u_xx', 'u2_x']
    """
    used = {*taken}
    names: dict[Expression, str] = {}
    for expression in expressions:
        plain = expression.name.lower().replace("^", "")
        stem = prefix + (re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "term")
        stem = stem if stem[0].isalpha() else f"t_{stem}"
        candidate, number = stem[: LONGEST - 4], 1
        while candidate in used:
            candidate = f"{stem[: LONGEST - 4]}_{number}"
            number += 1
        used.add(candidate)
        names[expression] = candidate
    return names


def formula(expression: Expression, names: Names) -> str:
    """Return an expression as Fortran of kind ``wp``, in terms of what has a name.

    Raises
    ------
    EmitError
        If part of it has neither a name nor a formula.

    Examples
    --------
    >>> u, slope = Variable("u"), Derivative(Variable("u"), "x")
    >>> formula(u**2 * slope, {u: "u", slope: "u_x"})
    'u**2*u_x'
    """
    if expression in names:
        return names[expression]
    match expression:
        case Power(base=base, exponent=exponent):
            return f"{_bracketed(base, names)}**{exponent}"
        case Product(factors=factors):
            return "*".join(_bracketed(factor, names) for factor in factors)
        case Sum(parts=inner, weights=weights):
            text = ""
            for weight, part in zip(weights, inner, strict=True):
                size = "" if abs(weight) == 1.0 else f"{abs(weight)!r}_wp*"
                sign = ("- " if weight < 0.0 else "+ ") if text else ("-" if weight < 0.0 else "")
                body = f"{size}{as_product(part, names)}"
                text += f" {sign}{body}" if text else f"{sign}{body}"
            return text
    raise EmitError(f"{expression.name}: expected a variable with a name")


def as_product(expression: Expression, names: Names) -> str:
    """Return an expression as what can stand behind a sign or a factor."""
    is_sum = isinstance(expression, Sum) and expression not in names
    return f"({formula(expression, names)})" if is_sum else formula(expression, names)


def _bracketed(expression: Expression, names: Names) -> str:
    text = formula(expression, names)
    # A power of a power needs brackets, and in a product they keep the order of evaluation.
    composed = isinstance(expression, Sum | Product | Power) and expression not in names
    is_plain_power = isinstance(expression, Power) and isinstance(expression.base, Variable)
    return f"({text})" if composed and not is_plain_power else text
