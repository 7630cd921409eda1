"""Numbers as tables show them."""


def number(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}"


def microseconds(seconds: float) -> str:
    """Return a time in microseconds."""
    return f"{1e6 * seconds:.0f}" if seconds >= 1e-4 else number(1e6 * seconds)
