"""Arrays of Fortran hosts: ranks, kinds, sections and dummies, by either path and compiler."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bridge.fortran_closures import Deep

import hybrid

pytestmark = pytest.mark.fortran
Run = Callable[..., subprocess.CompletedProcess[str]]

EACH_PATH = pytest.mark.parametrize(
    "path", [(), ("-DHYBRID_NO_ASSUMED_RANK",)], ids=["assumed rank", "typed"]
)
# What `target` and kept addresses promise must survive the optimiser; the kinds of arrays are told
# by the module, not by the compiler's defaults.
EACH_BUILD = pytest.mark.parametrize(
    "flags", [("-O3",), ("-fdefault-real-8", "-fdefault-integer-8")], ids=["optimised", "wide"]
)
PROGRAMS = {
    "layouts": "all layouts agree",
    "deep": "all deep layouts agree",
    "put_get": "put and get agree with bind and run",
}
EACH_PROGRAM = pytest.mark.parametrize("program", PROGRAMS)


def newest_flang() -> str | None:
    """Find LLVM's compiler under the names that distributions give it."""
    names = [
        f"{name}-{version}" for version in range(30, 15, -1) for name in ("flang", "flang-new")
    ]
    return next(filter(shutil.which, ["flang", "flang-new", *names]), None)


@pytest.fixture(scope="session")
def archives(column_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The archive that each program runs."""
    deep = tmp_path_factory.mktemp("deep") / "deep.pt"
    hybrid.export(Deep(), deep)
    return {"layouts": column_archive, "deep": deep, "put_get": column_archive}


@EACH_PATH
@EACH_PROGRAM
def test_all_layouts_agree(
    fortran_program: Run, archives: dict[str, Path], program: str, path: tuple[str, ...]
) -> None:
    result = fortran_program(program, archives[program], macros=path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == PROGRAMS[program]
    # The compiler tells of temporary copies: one is the program's own, for a contiguous dummy.
    assert result.stderr.count("An array temporary was created") == (program == "put_get")


@EACH_PATH
@EACH_BUILD
@EACH_PROGRAM
def test_layouts_of_other_builds(
    fortran_program: Run,
    archives: dict[str, Path],
    program: str,
    flags: tuple[str, ...],
    path: tuple[str, ...],
) -> None:
    result = fortran_program(program, archives[program], flags=flags, macros=path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == PROGRAMS[program]


@EACH_PATH
@EACH_PROGRAM
def test_another_compiler_agrees(
    fortran_program: Run, archives: dict[str, Path], program: str, path: tuple[str, ...]
) -> None:
    compiler = newest_flang()
    if compiler is None:
        pytest.skip("no flang here; on Debian, `apt-get install flang-19` (about 1 GB)")
    result = fortran_program(
        program, archives[program], flags=("-O2",), macros=path, compiler=compiler
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == PROGRAMS[program]
