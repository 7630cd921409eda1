"""Units in the notation of CCPP: ``W m-2``, ``kg kg-1 s-1``, ``1``."""

import re

import cf_units

from hybrid.errors import EmitError

_NOTATION = re.compile(r"1|[a-zA-Z]+([-+]?[1-9]\d*)?( [a-zA-Z]+([-+]?[1-9]\d*)?)*")
_FACTOR = re.compile(
    r"(?P<divide>[ .*]*/[ ]*|[ .*]*)(?:(?P<one>1)|(?P<symbol>[a-zA-Z]+))"
    r"(?:(?:\^|\*\*)?(?P<power>[-+]?\d+))?(?![a-zA-Z0-9(])"
)


def ccpp_units(units: str) -> str:
    """Write `units` in the notation of CCPP.

    Units that this notation cannot hold, because of a factor or a special character, become the
    SI units they convert to: the bridge converts between the two when it reads or writes.

    Parameters
    ----------
    units
        UDUNITS string.

    Raises
    ------
    EmitError
        If there are none such, as for logarithmic units.

    Examples
    --------
    >>> ccpp_units("W/m^2"), ccpp_units("kg.kg-1/s"), ccpp_units("%")
    ('W m-2', 'kg kg-1 s-1', '1')
    """
    rewritten = _rewritten(units)
    if is_notation(rewritten) and cf_units.Unit(rewritten) == cf_units.Unit(units):
        return rewritten
    # A definition starts with its factor, if there is one: "0.0001157 K.s-1".
    base = _rewritten(re.sub(r"^[-+.\deE]+ ?", "", cf_units.Unit(units).definition) or "1")
    if is_notation(base) and convertible(units, base):
        return base
    raise EmitError(
        f"units {units!r}: expected units that CCPP can write, such as 'W m-2', got units without "
        "a plain SI form; say which units the host has (--units FIELD=UNITS)"
    )


def is_notation(units: str) -> bool:
    """Return whether `units` is in the notation of CCPP."""
    return _NOTATION.fullmatch(units) is not None


def convertible(one: str, other: str) -> bool:
    """Return whether UDUNITS converts between two units."""
    try:
        return bool(cf_units.Unit(one).is_convertible(cf_units.Unit(other)))
    except ValueError:
        return False


def _rewritten(units: str) -> str:
    factors: list[str] = []
    position = 0
    text = units.strip()
    while position < len(text):
        match = _FACTOR.match(text, position)
        if match is None:
            return ""
        position = match.end()
        if match["symbol"] is None:
            continue
        power = int(match["power"] or 1) * (-1 if "/" in match["divide"] else 1)
        if power != 0:
            factors.append(match["symbol"] + ("" if power == 1 else str(power)))
    return " ".join(factors) or "1"
