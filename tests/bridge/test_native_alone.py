"""A host linked for the native engine alone: no torch in its memory, and little of it."""

import subprocess
from pathlib import Path

import pytest
from bridge.native_networks import write

from fortran_bridge.build import Prefix

SOURCE = Path(__file__).parent / "c" / "native_alone.c"
FOREIGN = ("torch", "mkl", "c10", "blas", "python")
MOST_RESIDENT = 40_000
"""kB, for a network with 7 MB of weights; libtorch alone maps 450 MB."""


def link(prefix: Prefix, target: Path, *more: str) -> Path:
    """Compile the host and link it with the library, and with `more`."""
    folder = prefix.library.parent
    subprocess.run(
        [
            *("gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"),
            *(f"-I{prefix.include}", str(SOURCE), "-o", str(target)),
            *(f"-L{folder}", "-lhybrid", *more, f"-Wl,-rpath,{folder}"),
        ],
        check=True,
    )
    return target


@pytest.fixture(scope="module")
def program(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host."""
    return link(prefix, tmp_path_factory.mktemp("alone") / "native_alone")


def run(*command: str | Path) -> list[str]:
    """Run a command; return its lines."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_it_is_linked_with_nothing_foreign(program: Path, prefix: Prefix) -> None:
    for binary in (program, prefix.library.with_name("libhybrid_native.so")):
        needed = [line.split()[0].lower() for line in run("ldd", binary)]
        assert [name for name in needed if any(part in name for part in FOREIGN)] == []
    # Threads are the engine's own affair.
    assert not any("gomp" in line for line in run("ldd", program))


@pytest.mark.parametrize("engine", ["native", "auto"])
def test_it_holds_little(program: Path, tmp_path: Path, engine: str) -> None:
    numbers, *maps = run(program, write("B", tmp_path), engine)
    seconds, resident, _ = (float(number) for number in numbers.split())
    names = {Path(line).name.lower() for line in maps}
    assert "libhybrid_native.so" in names
    assert sorted(name for name in names if any(part in name for part in FOREIGN)) == []
    assert resident < MOST_RESIDENT
    # How long it takes is the benchmarks' affair; this is a hundred times what it should be.
    assert 0.0 < seconds < 2.0


def test_units_that_need_no_conversion_need_no_database(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reading it would fail, and takes milliseconds where it does not.
    monkeypatch.setenv("UDUNITS2_XML_PATH", str(tmp_path / "none.xml"))
    assert run(program, write("A", tmp_path), "native")


def test_a_step_allocates_nothing(prefix: Prefix, tmp_path: Path) -> None:
    # Linked with the program, the engine finds the program's own malloc, which counts.
    program = link(prefix, tmp_path / "counted", "-Wl,--no-as-needed", "-l:libhybrid_native.so")
    numbers = run(program, write("A", tmp_path), "native")[0]
    assert numbers.split()[2] == "0"
