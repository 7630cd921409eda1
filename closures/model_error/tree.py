"""Expressions as JSON trees: how an archive writes its terms, and how they are read again."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from closures.model_error.errors import LibraryError, TermsError
from closures.model_error.expressions import (
    Derivative,
    Expression,
    Power,
    Product,
    Sum,
    Variable,
)

DEEPEST = 32
"""Nodes inside each other that a reader takes."""
LARGEST_EXPONENT = 64
"""Exponent, and order of a derivative, that a reader takes."""


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions that an expression is made of; none for a variable."""
    match expression:
        case Derivative(argument=argument):
            return (argument,)
        case Power(base=base):
            return (base,)
        case Product(factors=inner) | Sum(parts=inner):
            return inner
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield all parts of an expression and itself, each after its own parts."""
    for part in parts(expression):
        yield from walk(part)
    yield expression


def to_tree(expression: Expression) -> dict[str, Any]:
    """Return an expression as nested dictionaries, each with the `node` that it is.

    Raises
    ------
    TermsError
        If it is of a class that the format has no node for.

    Examples
    --------
    >>> to_tree(Derivative(Variable("u"), "xx"))["along"]
    'xx'
    """
    inner = [to_tree(part) for part in parts(expression)]
    match expression:
        case Variable(symbol=symbol, symbol_latex=latex):
            return {"node": "variable", "symbol": symbol, "latex": latex}
        case Derivative(along=along):
            return {"node": "derivative", "of": inner[0], "along": along}
        case Power(exponent=exponent):
            return {"node": "power", "of": inner[0], "exponent": exponent}
        case Product():
            return {"node": "product", "of": inner}
        case Sum(weights=weights, own_name=name, own_latex=latex):
            named = {"name": name, "latex": latex}
            return {"node": "sum", "of": inner, "weights": list(weights), **named}
    raise TermsError(
        f"{expression.name}: expected a variable, derivative, power, product or sum, got a "
        f"{type(expression).__name__}; write it with these"
    )


def from_tree(tree: object, where: str = "expression") -> Expression:
    """Return the expression of a tree.

    Parameters
    ----------
    tree
        What `to_tree` returns.
    where
        What the message of an error begins with.

    Raises
    ------
    TermsError
        If it is none: an unknown node, a missing or unknown key, a value of the wrong kind.
    """
    return _read(tree, where, 1)


def _read(tree: object, where: str, depth: int) -> Expression:
    if depth > DEEPEST:
        raise TermsError(f"{where}: expected at most {DEEPEST} nodes inside each other, got more")
    kind = tree.get("node") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(kind, str) or kind not in _READERS:
        raise TermsError(
            f"{where}: expected a node that is one of {', '.join(_READERS)}, got "
            f"{kind if isinstance(tree, dict) else tree!r}; a newer hybrid-closures may read it"
        )
    keys, read = _READERS[kind]
    if set(tree) != {"node", *keys}:
        raise TermsError(f"{where}: expected a {kind} with keys {keys}, got {sorted(tree)}")
    try:
        return read(tree, where, depth + 1)
    except LibraryError as error:
        raise TermsError(f"{where}: {error}") from error


def _variable(tree: Mapping[str, Any], where: str, _depth: int) -> Expression:
    return Variable(_text(tree, "symbol", where), _text(tree, "latex", where))


def _derivative(tree: Mapping[str, Any], where: str, depth: int) -> Expression:
    along = _text(tree, "along", where)
    letters = along.isascii() and along.isalpha() and along.islower()
    if not letters or len(along) > LARGEST_EXPONENT:
        raise TermsError(f"{where}: expected along of letters of axes, such as 'xx', got {along!r}")
    return Derivative(_read(tree["of"], where, depth), along)


def _power(tree: Mapping[str, Any], where: str, depth: int) -> Expression:
    exponent = tree["exponent"]
    if type(exponent) is not int or exponent > LARGEST_EXPONENT:
        raise TermsError(
            f"{where}: expected a whole exponent of at most {LARGEST_EXPONENT}, got {exponent!r}"
        )
    return Power(_read(tree["of"], where, depth), exponent)


def _product(tree: Mapping[str, Any], where: str, depth: int) -> Expression:
    return Product(_several(tree, where, depth))


def _sum(tree: Mapping[str, Any], where: str, depth: int) -> Expression:
    inner, weights = _several(tree, where, depth), tree["weights"]
    is_list = isinstance(weights, list) and all(type(w) in (int, float) for w in weights)
    if not is_list or len(weights) != len(inner):
        raise TermsError(
            f"{where}: expected {len(inner)} numbers for weights, one a part, got {weights!r}"
        )
    name, latex = _text(tree, "name", where), _text(tree, "latex", where)
    return Sum(inner, tuple(map(float, weights)), name, latex)


def _several(tree: Mapping[str, Any], where: str, depth: int) -> tuple[Expression, ...]:
    inner = tree["of"]
    if not isinstance(inner, list) or not inner:
        raise TermsError(f"{where}: expected a list of at least one node, got {inner!r}")
    return tuple(_read(part, where, depth) for part in inner)


def _text(tree: Mapping[str, Any], key: str, where: str) -> str:
    text = tree[key]
    if not isinstance(text, str) or not text.isprintable():
        raise TermsError(f"{where}: expected printable text for {key}, got {text!r}")
    return text


_Reader = Callable[[Mapping[str, Any], str, int], Expression]
_READERS: Mapping[str, tuple[tuple[str, ...], _Reader]] = MappingProxyType(
    {
        "variable": (("symbol", "latex"), _variable),
        "derivative": (("of", "along"), _derivative),
        "power": (("of", "exponent"), _power),
        "product": (("of",), _product),
        "sum": (("of", "weights", "name", "latex"), _sum),
    }
)
