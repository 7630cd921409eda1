"""Numbers with their standard errors, in as many digits as these leave."""

from math import floor, isfinite, log10

_MOST_DECIMALS = 16
# Without an error, as many digits as tell apart what double precision can.
_DIGITS = 10
# Sizes that are written without a power of ten: from 1e-3 to below 1e6.
_SMALLEST_PLAIN, _LARGEST_PLAIN = -3, 5


def measured(size: float, error: float | None) -> tuple[str, str, int]:
    """Return a number and its standard error as texts, and the power of ten that both lack.

    The error has two digits, the number as many decimals as the error.

    Parameters
    ----------
    size
        The number.
    error
        Its standard error; None where it is not known.

    Examples
    --------
    >>> measured(0.599963, 0.000123)
    ('0.59996', '0.00012', 0)
    >>> measured(1.5e-8, 2e-9)
    ('1.50', '0.20', -8)
    >>> measured(0.5, None)
    ('0.5', '', 0)
    """
    largest = max(abs(size), error or 0.0)
    exponent = floor(log10(largest)) if largest > 0.0 and isfinite(largest) else 0
    power = 0 if _SMALLEST_PLAIN <= exponent <= _LARGEST_PLAIN else exponent
    scale = 10.0**power
    if error is None:
        return f"{size / scale:.{_DIGITS}g}", "", power
    decimals = 1 - floor(log10(error / scale)) if error > 0.0 else _DIGITS
    decimals = min(max(decimals, 0), _MOST_DECIMALS)
    return f"{size / scale:.{decimals}f}", f"{error / scale:.{decimals}f}", power
