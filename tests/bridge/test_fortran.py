"""What the Fortran interface refuses, at compile time and at run time; and all of it is called.

Arrays come in one of two ways: by assumed-rank dummies (Fortran 2018) or by a procedure for each
rank. Both must do the same.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bridge.archives import of_newer_major
from bridge.fortran_closures import Difference, Guarded

import hybrid
from fortran_bridge.build import Prefix

pytestmark = pytest.mark.fortran
Run = Callable[..., subprocess.CompletedProcess[str]]
Said = dict[str, tuple[int, str]]

EACH_PATH = pytest.mark.parametrize(
    "path", [(), ("-DHYBRID_NO_ASSUMED_RANK",)], ids=["assumed rank", "typed"]
)

# case: (stat, part of the message)
EXPECTED: Said = {
    "not loaded": (10, "expected a loaded closure (load it first), got null"),
    "not created": (10, "expected a binding (create it first), got null"),
    "missing file": (1, "nowhere/none.pt: expected a readable archive file, got 'No such file"),
    "not an archive": (2, "expected a closure archive, got a file that is not one"),
    "newer format": (2, "expected archive format 1.x, got 2.3; install a hybrid-closures"),
    "unknown engine": (
        3,
        "expected engine 'auto', 'native' or 'torchscript' for this archive, got 'onnx'",
    ),
    "good": (0, ""),
    "wrong number of ids": (6, "column_id: expected 6 numbers, one for each column, got 5"),
    "unknown policy": (10, "expected 'error', 'flag', 'clip', 'zero' or 'host', got 'gently'"),
    "negative columns": (10, "column_network: expected a number of columns, got -1"),
    "unknown field": (4, "state_x: no such field in closure column_network; expected an input"),
    "wrong units": (5, "units that convert to or from the closure's 'K', got 'Pa' for the array"),
    "wrong rank": (6, "(column,level), got rank 1; a single column needs an axis of one column"),
    "wrong size": (6, "state_t: expected 5 along 'level', got 7; regrid the array or export"),
    "wrong dims": (6, "in the order of the array's subscripts (so also 'level,column'), got"),
    "never allocated": (10, "state_ps: expected an array with elements, got none; allocate it"),
    "too many dims": (
        6,
        "expected rank 1 (column), got rank 4; give an array, or a section of one",
    ),
    "no elements": (10, "state_ps: expected an array with elements, got none; allocate it"),
    "nothing bound": (8, "expected every field to be bound before run, got none for state_t,"),
    "commit before run": (8, "expected a run before commit, got none since the last commit"),
    "bound twice": (4, "state_t: bound twice; bind each field once"),
    "one never bound": (8, "got none for precipitation; bind them"),
    "no such state": (4, "memory: no such state field in closure column_network"),
    "nan": (
        9,
        "state_t: expected finite values, got NaN in column 4 of 6 (column id 4), element 3",
    ),
    "short message": (9, "state_t: expected fi"),
    "mended": (0, ""),
    "closure freed first": (0, ""),
}

MISUSE: Said = {
    "put before create": (10, "expected a binding (create it first), got null"),
    "apply before put": (8, "expected every input to be put since the last apply, got none for x"),
    "get before apply": (8, "expected apply before get, got none since the last put"),
    "put an output": (4, "y: no such input of closure guarded; expected one of x"),
    "put too few": (6, "x: expected 4 along 'column', got 2"),
    "put NaN": (9, "x: expected finite values, got NaN in column 3 of 4"),
    "put twice": (8, "x: expected apply after the inputs were put, got it put twice"),
    "get an input": (4, "x: no such output of closure guarded; expected one of y, trust"),
    "get in wrong units": (5, "y: expected units that convert to or from the closure's 'm'"),
    "get": (0, ""),
    "accumulate into an input": (10, "x: accumulate is for outputs, this is an input"),
    "a chunk too large": (6, "guarded: expected at most 4 columns, as the binding was created for"),
    "a chunk with too few numbers": (6, "column_id: expected 2 numbers, one for each column"),
    "a chunk with state": (8, "persistence: expected a closure without state"),
    "a mask too long": (6, "mask and reasons: expected 4 columns, got 5"),
    "too few reasons": (6, "mask and reasons: expected 4 columns, got 3"),
    "counts of no field": (4, "w: no such input, output or state field in closure guarded"),
    "threshold NaN": (10, "threshold: expected a finite number"),
    "threshold without confidence": (4, "expected an output with role 'confidence'"),
    "a share above 1": (10, "y: expected shares from 0 (the host's scheme) to 1 (the closure)"),
    "a ramp backwards": (10, "y: expected a ramp that ends after it begins, got steps 5 to 2"),
    "a shadow of an input": (4, "x: no such output of closure guarded"),
    "differences without a ramp": (8, "got none; call shadow, ramp or partial for it"),
    "differences of two sizes": (6, "mean, rms and largest of one size, got 1, 2, 1 and 1"),
    "a share of two elements": (6, "y: expected one share for each element of a column"),
    "shares of no columns": (6, "y: expected one share for each column, that is 4, got 0"),
    "accumulate a share": (10, "a share by shadow, ramp or partial, got one that accumulates"),
    "too few values": (6, "memory: expected 20 values (columns times elements), got 4"),
    "columns first": (6, "memory: expected (element, column) with 4 columns, got shape (4, 5)"),
    "set with columns first": (6, "expected (element, column) with 4 columns, got shape (4, 5)"),
    "no such memory": (4, "memories: no such state field in closure persistence"),
    "other differences": (6, "y: expected room for 1 elements, got 2"),
    "differences of no field": (4, "w: no such output of closure guarded"),
    "state before create": (10, "expected a binding (create it first), got null"),
    "a grid of fixed sizes": (0, ""),
    "one size of two": (6, "expected as many sizes and spacings as dims (y,x), got 1 and 2"),
    "too few members": (6, "member_id: expected 2 numbers, one for each member, got 1"),
    "another spacing": (6, "difference: expected a grid with spacing 5 along 'y'"),
    "another boundary": (6, "difference: expected boundary 'periodic' along 'y', got 'wall'"),
    "a grid for columns": (10, "guarded: expected a grid closure, got one of columns"),
    "fewer than no devices": (10, "device: expected a number of devices, got -1"),
    "no bytes": (2, "archive in memory: expected a closure archive, got an empty file"),
}

KINDS: Said = {
    f"{call} real128": (7, "expected an array of 4-byte or 8-byte reals, got 16-byte numbers")
    for call in ("bind", "put", "get")
}
RANKS: Said = {
    "rank 6": (6, "state_ps: expected an array of rank 1 to 5, got rank 6; pass an array or a"),
    "rank 0": (6, "state_ps: expected an array of rank 1 to 5, got rank 0"),
}


def check_messages(result: subprocess.CompletedProcess[str], expected: Said) -> None:
    assert result.returncode == 0, result.stderr
    lines = [line.split("|", 2) for line in result.stdout.splitlines()]
    found = {case: (int(stat), message) for case, stat, message in lines}
    assert found.keys() == expected.keys()
    for case, (stat, part) in expected.items():
        assert found[case][0] == stat, case
        assert part in found[case][1], case


@EACH_PATH
def test_errors_have_messages_and_the_host_lives(
    fortran_program: Run, column_archive: Path, tmp_path: Path, path: tuple[str, ...]
) -> None:
    text = tmp_path / "text.pt"
    text.write_text("no archive")
    newer = of_newer_major(column_archive, tmp_path / "newer.pt")
    result = fortran_program("errors", column_archive, text, newer, macros=path)
    check_messages(result, EXPECTED)


@EACH_PATH
def test_misuse_has_messages_and_the_host_lives(
    fortran_program: Run, persistence_archive: Path, tmp_path: Path, path: tuple[str, ...]
) -> None:
    hybrid.export(Guarded(), tmp_path / "guarded.pt")
    hybrid.export(Difference(), tmp_path / "difference.pt")
    archives = (tmp_path / "guarded.pt", persistence_archive, tmp_path / "difference.pt")
    check_messages(fortran_program("misuse", *archives, macros=path), MISUSE)


@EACH_PATH
def test_kinds_and_ranks_are_refused(
    fortran_program: Run, column_archive: Path, path: tuple[str, ...]
) -> None:
    # The compiler refuses other ranks where each has a procedure of its own.
    expected = KINDS if path else KINDS | RANKS
    check_messages(fortran_program("kinds", column_archive, macros=path), expected)


@EACH_PATH
def test_without_stat_the_program_stops_with_the_message(
    fortran_program: Run, path: tuple[str, ...]
) -> None:
    result = fortran_program("stops", macros=path)
    assert result.returncode == 1
    assert "ERROR STOP nowhere/none.pt: expected a readable archive file" in result.stderr


@EACH_PATH
@pytest.mark.parametrize(
    ("declaration", "call", "compiles"),
    [
        ("real(real64), target :: x(3)", "bind('x', x,", True),
        ("real(real64), target :: x(3)", "bind('x', x(3:1:-2),", True),
        ("real(real64), pointer :: x(:)", "bind('x', x,", True),
        ("real(real64), target :: x(3)", "bind('x', 2*x,", False),
        ("real(real64) :: x(3)", "bind('x', x,", False),
        ("integer, target :: x(3)", "bind('x', x,", False),
        ("real(real64) :: x(3)", "put('x', x,", True),
        ("real(real64) :: x(3)", "put('x', 2*x(3:1:-2),", True),
        ("real(real64), parameter :: x(3) = 1", "put('x', x,", True),
        ("integer :: x(3)", "put('x', x,", False),
        ("real(real64) :: x(3)", "get('x', x(3:1:-2),", True),
        ("real(real64) :: x(3)", "get('x', 2*x,", False),
        ("real(real64), parameter :: x(3) = 1", "get('x', x,", False),
        ("real(real64) :: x(3)", "get('x', x([1, 2]),", False),
    ],
)
def test_what_cannot_be_kept_or_written_does_not_compile(
    prefix: Prefix,
    tmp_path: Path,
    path: tuple[str, ...],
    declaration: str,
    call: str,
    compiles: bool,
) -> None:
    program = f"""program p
  use, intrinsic :: iso_fortran_env, only: real64
  use hybrid, only: binding_t
  type(binding_t) :: columns
  {declaration}
  call columns%{call} dims='column', units='1')
end program p
"""
    (tmp_path / "p.f90").write_text(program)
    source = str(prefix.fortran_source)
    command = ["gfortran", *path, "-fsyntax-only", f"-J{tmp_path}", source, "p.f90"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode == 0) == compiles, result.stderr
    if not compiles:
        assert re.search("p.f90:6:.*Error: ", result.stderr, re.DOTALL)
        assert "hybrid.F90" not in result.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ("-std=f2018",),
        ("-std=f2008", "-DHYBRID_NO_ASSUMED_RANK"),
        ("-std=f2018", "-DHYBRID_NO_REAL128"),
        ("-std=f2018", "-fdefault-real-8", "-fdefault-integer-8"),
    ],
    ids=" ".join,
)
def test_the_source_compiles_without_a_warning(
    prefix: Prefix, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    strict = ("-O2", "-Wall", "-Wextra", "-Werror", "-fcheck=all")
    source = str(prefix.fortran_source)
    command = ["gfortran", "-c", *flags, *strict, f"-J{tmp_path}", source, "-o", "hybrid.o"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_procedure_is_called(prefix: Prefix) -> None:
    source = prefix.fortran_source.read_text()
    folder = Path(__file__).parent / "fortran"
    programs = "".join(path.read_text() for path in folder.glob("*.[fF]90"))
    bound = set(re.findall(r"^    (?:procedure|generic) :: (\w+) =>", source, re.MULTILINE))
    assert {"load", "bind", "put", "get", "state_get", "differences"} <= bound
    facade = source[source.index("\nmodule hybrid\n") :]
    (names,) = re.findall(r"use hybrid_process, only: (.*)", facade)
    free = {*names.split(", "), "log_to"}
    assert "read_bytes" in free
    called = set(re.findall(r"%(\w+)\(", programs)) | set(re.findall(r"\b(\w+)\(", programs))
    assert bound | free <= called
