"""Hooks in a Fortran source: recognised by its interface, or refused."""

import pytest
from plasim_stand_in import RADIATION

from hybrid.experiments.plasim.errors import SourceError
from hybrid.experiments.plasim.insertion import SCHEMES, with_hook


def test_two_lines_a_scheme_differ_and_callers_stay() -> None:
    text = RADIATION
    for interface in SCHEMES.values():
        text = with_hook(text, interface)
    before, after = RADIATION.splitlines(), text.splitlines()
    assert len(before) == len(after)
    changed = [line.strip() for old, line in zip(before, after, strict=True) if old != line]
    assert changed == [
        "Subroutine SWR_phys   ! sunlight",
        "end subroutine swr_phys",
        "subroutine lwr_phys",
        "end subroutine lwr_phys",
    ]
    assert "call swr " in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nsubroutine lwr\n", "\nsubroutine lwr(dt)\n", "expected no arguments, got 'dt'"),
        ("dlwfl(:,:) = dftu + dftd", "", "expected it to set dlwfl"),
        ("+ dls)", ")", "expected it to read dls"),
        ("  integer :: k\n  do", "  real :: dftu(9)\n  integer :: k\n  do", "own ones named dftu"),
        ("end subroutine lwr\n", "end\n", "one beginning and one named end of it, got 0"),
        ("subroutine lwr\n  use radmod", "subroutine lwr\n", "expected it to use module radmod"),
    ],
)
def test_another_source_is_refused(old: str, new: str, message: str) -> None:
    assert RADIATION.count(old) == 1
    with pytest.raises(
        SourceError, match=r"radmod\.f90, subroutine lwr: .*not the version"
    ) as info:
        with_hook(RADIATION.replace(old, new), SCHEMES["longwave"])
    assert message in str(info.value)


def test_a_source_with_hooks_is_not_given_them_again() -> None:
    once = with_hook(RADIATION, SCHEMES["shortwave"])
    with pytest.raises(SourceError, match="subroutine swr: expected one beginning"):
        with_hook(once, SCHEMES["shortwave"])
