"""The page on PlaSim names the fields, modes and presets that there are."""

import re
from pathlib import Path

from hybrid.experiments.plasim.building import HOOKS
from hybrid.experiments.plasim.settings import PRESETS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plasim.md").read_text()


def rows(first: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this title."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def exchanged(scheme: str) -> dict[str, tuple[str, str]]:
    """Return units and dimension of the fields that a hook hands over."""
    text = (HOOKS / f"{scheme}.f90").read_text()
    profiles = re.findall(r"exchange%profile\('(\w+)', '([^']+)', '(\w+)'", text)
    scalars = re.findall(r"exchange%scalar\('(\w+)', '([^']+)'", text)
    return {n: (u, d) for n, u, d in profiles} | {n: (u, "") for n, u in scalars}


def test_fields_are_those_of_the_hooks() -> None:
    told = rows("field")
    for column, scheme in ((3, "longwave"), (4, "shortwave")):
        on_page = {row[0].strip("`"): (row[1], row[2]) for row in told if row[column]}
        assert on_page == exchanged(scheme)
        ways = {row[0].strip("`"): row[column] for row in told if row[column]}
        assert {name for name, way in ways.items() if way == "out"} == {
            f"upward_{scheme}",
            f"downward_{scheme}",
        }


def test_modes_are_those_that_the_hooks_take() -> None:
    text = (HOOKS / "scheme.f90").read_text()
    taken = re.search(r"character\(len=8\) :: ('native'.*?)\]\)\) then", text, re.DOTALL)
    assert taken is not None
    modes = set(re.findall(r"'(\w+)'", taken[1]))
    assert {row[0].strip("`") for row in rows("mode")} == modes


def test_presets_are_as_long_as_the_page_says() -> None:
    told = {row[0].strip("`"): row[1:] for row in rows("preset")}
    assert list(told) == list(PRESETS)
    for name, settings in PRESETS.items():
        schemes, spin_up, compared = told[name]
        assert schemes == ", ".join(settings.schemes)
        assert spin_up == f"{settings.n_spin_up} days"
        assert compared.startswith(f"{settings.n_coupled} days")
