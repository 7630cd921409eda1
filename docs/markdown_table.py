"""A table in Markdown."""

import re
from collections.abc import Sequence

# A number that is rounded to zero from below; not the end of a word, a date or an exponent.
_NEGATIVE_ZERO = re.compile(r"(?<![\w.-])-(0(?:\.0+)?)(?![\w.])")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the lines of a table, all columns but the first flush right; zeros have no sign.

    Examples
    --------
    >>> print(markdown_table(["closure", "R2"], [["mean", "-0.000"], ["MLP", "-0.001"]]))
    | closure | R2 |
    | --- | ---: |
    | mean | 0.000 |
    | MLP | -0.001 |
    """
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    shown = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join(_NEGATIVE_ZERO.sub(r"\1", line) for line in shown)
