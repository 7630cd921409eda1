"""Units of expressions, and of the coefficients that make a tendency of them."""

import re
from collections.abc import Mapping
from typing import Any

import cf_units

from closures.model_error.errors import TermsError
from closures.model_error.expressions import (
    Derivative,
    Expression,
    Power,
    Product,
    Sum,
    Variable,
)


def coefficient_units(
    term: Expression, tendency: str, variables: Mapping[str, str], length: str
) -> str:
    """Return the units of the coefficient of a term, as UDUNITS reads them.

    Parameters
    ----------
    term
        The term.
    tendency
        Units of the tendency.
    variables
        Units of the variables, by symbol.
    length
        Units of what derivatives are taken along.

    Raises
    ------
    TermsError
        If a variable has no units, parts of a sum have different ones, or units have no product.

    Examples
    --------
    >>> u = Variable("u")
    >>> coefficient_units(Derivative(u, "xx"), "m s-2", {"u": "m s-1"}, "m")
    'm2 s-1'
    """
    known = {symbol: cf_units.Unit(units) for symbol, units in variables.items()}
    try:
        units = cf_units.Unit(tendency) / _units(term, known, cf_units.Unit(length))
    except ValueError as error:
        if isinstance(error, TermsError):
            raise
        raise TermsError(
            f"{term.name}: expected units that can be multiplied, got {dict(variables)}, "
            f"{length!r} and {tendency!r} ({error}); give those of a scale that begins at 0"
        ) from error
    # In units of the SI, a blank between: how the rest of the project writes them.
    text = str(units.definition) or "1"
    return re.sub(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])", " ", text).removesuffix(" 1")


def _units(expression: Expression, known: Mapping[str, Any], length: Any) -> Any:
    match expression:
        case Variable(symbol=symbol):
            if symbol not in known:
                raise TermsError(
                    f"{symbol}: expected an input of this name, got {', '.join(known) or 'none'}"
                )
            return known[symbol]
        case Derivative(argument=argument, along=along):
            return _units(argument, known, length) / length ** len(along)
        case Power(base=base, exponent=exponent):
            return _units(base, known, length) ** exponent
        case Product(factors=factors):
            product = cf_units.Unit("1")
            for factor in factors:
                product = product * _units(factor, known, length)
            return product
        case Sum(parts=inner):
            all_units = [_units(part, known, length) for part in inner]
            # Weights are plain numbers, so that a factor between units would be one of them.
            if any(units != all_units[0] for units in all_units[1:]):
                raise TermsError(
                    f"{expression.name}: expected parts of the same units, got "
                    f"{', '.join(map(str, all_units))}"
                )
            return all_units[0]
    raise TermsError(f"{expression.name}: expected an expression of variables")
