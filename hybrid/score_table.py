"""Tables of scores as text: the same numbers in the terminal and in the report."""

import math
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from hybrid.experiments.result import Table

SIGNIFICANT = 4
"""Digits that the largest number of a column shows."""

ABSENT = "-"
"""Shown where a score does not exist; a score that came out as NaN says ``nan``."""


def format_column(values: list[float | None]) -> list[str]:
    """Write the numbers of one column with as many decimals as its largest one needs.

    Equal decimals keep the points aligned. A number that would lose all but one digit that
    way is written in scientific notation instead.

    Examples
    --------
    >>> format_column([0.019, 0.2574, None])
    ['0.0190', '0.2574', '-']
    >>> format_column([12.5, 2.0e-6])
    ['12.50', '2.00e-06']
    """
    finite = [abs(v) for v in values if v is not None and math.isfinite(v) and v != 0]
    largest = max(finite, default=1.0)
    exponent = math.floor(math.log10(largest))
    decimals = min(max(SIGNIFICANT - 1 - exponent, 0), SIGNIFICANT)
    if all(value == int(value) for value in finite) and largest < 1e9:
        decimals = 0
    return [_format(value, decimals) for value in values]


def _format(value: float | None, decimals: int) -> str:
    if value is None:
        return ABSENT
    if not math.isfinite(value):
        return str(value)
    loses_digits = decimals > 0 and abs(value) < 10.0 ** (1 - decimals)
    if value != 0 and (loses_digits or abs(value) >= 1e9):
        return f"{value:.2e}"
    return f"{value:.{decimals}f}"


def format_rows(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the rows of `table` as text, each column formatted as a whole.

    Raises
    ------
    ValueError
        If a row has not one number a column.
    """
    for label, row in table.rows.items():
        if len(row) != len(table.columns):
            raise ValueError(
                f"table {table.title!r}, row {label!r}: expected {len(table.columns)} numbers, "
                f"one a column, got {len(row)}"
            )
    columns = [format_column(list(column)) for column in zip(*table.rows.values(), strict=True)]
    return dict(zip(table.rows, zip(*columns, strict=True), strict=True))


def terminal_table(table: Table) -> RichTable:
    """Return `table` for the terminal."""
    rendered = RichTable(
        title=Text(table.title),
        caption=Text(table.note) if table.note else None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    rows = format_rows(table)
    rendered.add_column(min_width=_longest(word for label in rows for word in label.split()))
    for index, column in enumerate(table.columns):
        # In a narrow terminal headings may break, numbers may not.
        width = _longest(row[index] for row in rows.values())
        rendered.add_column(Text(column), justify="right", overflow="fold", min_width=width)
    for label, row in rows.items():
        rendered.add_row(Text(label), *row)
    return rendered


def print_table(console: Console, table: Table) -> None:
    """Print `table` after an empty line, whole: a narrow terminal or a file cuts nothing off."""
    console.print()
    console.print(terminal_table(table), crop=False)


def _longest(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts), default=1)
