"""Names in emitted Fortran."""

import re
from collections.abc import Iterable

from hybrid.errors import EmitError

LONGEST = 63
"""Characters that Fortran allows in a name."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


def is_name(text: str) -> bool:
    """Return whether `text` is a lower-case Fortran name, as CCPP asks of standard names."""
    return _IDENTIFIER.fullmatch(text) is not None


def check_name(kind: str, name: str, longest: int) -> None:
    """Raise `EmitError` unless `name` is a Fortran name of at most `longest` characters."""
    if not (is_name(name) and len(name) <= longest):
        raise EmitError(
            f"{kind}: expected lower-case letters, digits and underscores, starting with a "
            f"letter, at most {longest}; got {name!r}; give another with --name"
        )


def distinct(wanted: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return a name for each of `wanted`: itself, or, if it is taken or too long, with a suffix.

    Examples
    --------
    >>> distinct(["state_t", "columns"], taken=["columns"])
    {'state_t': 'state_t', 'columns': 'columns_field'}
    """
    names = list(wanted)
    used = {*taken, *names}
    blocked = {*taken}
    chosen: dict[str, str] = {}
    for name in names:
        candidate, number = name, 1
        while len(candidate) > LONGEST or candidate in (blocked if candidate == name else used):
            suffix = "_field" if number == 1 else f"_field_{number}"
            candidate = name[: LONGEST - len(suffix)] + suffix
            number += 1
        chosen[name] = candidate
        used.add(candidate)
    return chosen


def check_keys(kind: str, given: Iterable[str], known: list[str]) -> None:
    """Raise `EmitError` unless all that is given, `kind` in the message, is known."""
    for key in given:
        if key not in known:
            raise EmitError(
                f"{kind}: expected one of {', '.join(dict.fromkeys(known)) or 'none'}, got {key!r}"
            )
