"""The Fortran interface, compiled with bounds checks and with traps on invalid and overflow."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bridge.archives import of_newer_major
from closure_examples import N_LEVEL, Overflowing

import hybrid
from fortran_bridge.build import Prefix

pytestmark = pytest.mark.fortran
Run = Callable[..., subprocess.CompletedProcess[str]]

# case: (stat, part of the message)
EXPECTED = {
    "not loaded": (10, "expected a loaded closure (load it first), got null"),
    "not created": (10, "expected a binding (create it first), got null"),
    "missing file": (1, "nowhere/none.pt: expected a readable archive file, got 'No such file"),
    "not an archive": (2, "expected a closure archive, got a file that is not one"),
    "newer format": (2, "expected archive format 1.x, got 2.3; install a hybrid-closures"),
    "unknown engine": (3, "expected engine 'auto' or 'torchscript' for this archive, got 'onnx'"),
    "good": (0, ""),
    "wrong number of ids": (6, "column_id: expected one number for each column"),
    "unknown policy": (10, "policy: expected 'error' or 'host', got 'clip'"),
    "no columns": (10, "column_network: expected at least one column, got 0"),
    "unknown field": (4, "state_x: no such field in closure column_network; expected an input"),
    "wrong units": (5, "units that convert to or from the closure's 'K', got 'Pa' for the array"),
    "wrong rank": (6, "state_t: expected rank 2 (column,level), got rank 1"),
    "wrong size": (6, "state_t: expected 5 along 'level', got 7; regrid the array or export"),
    "wrong dims": (6, "in the order of the array's subscripts (so also 'level,column'), got"),
    "real128": (7, "state_ps: expected an array of 4-byte or 8-byte reals, got 16-byte numbers"),
    "never allocated": (10, "state_ps: expected an array with elements, got none; allocate it"),
    "too many dims": (6, "state_ps: expected rank 3 or less"),
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


def test_errors_have_messages_and_the_host_lives(
    fortran_program: Run, column_archive: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.pt"
    text.write_text("no archive")
    newer = of_newer_major(column_archive, tmp_path / "newer.pt")
    result = fortran_program("errors", column_archive, text, newer)
    assert result.returncode == 0, result.stderr
    lines = [line.split("|", 2) for line in result.stdout.splitlines()]
    found = {case: (int(stat), message) for case, stat, message in lines}
    assert found.keys() == EXPECTED.keys()
    for case, (stat, part) in EXPECTED.items():
        assert found[case][0] == stat, case
        assert part in found[case][1], case


def test_without_stat_the_program_stops_with_the_message(fortran_program: Run) -> None:
    result = fortran_program("stops")
    assert result.returncode == 1
    assert "ERROR STOP nowhere/none.pt: expected a readable archive file" in result.stderr


@pytest.mark.parametrize(
    ("declaration", "actual", "compiles"),
    [
        ("real(real64), target :: x(3)", "x", True),
        ("real(real64), target :: x(3)", "x(3:1:-2)", True),
        ("real(real64), pointer :: x(:)", "x", True),
        ("real(real64), target :: x(3)", "2*x", False),
        ("real(real64) :: x(3)", "x", False),
        ("integer, target :: x(3)", "x", False),
    ],
)
def test_what_cannot_be_kept_does_not_compile(
    prefix: Prefix, tmp_path: Path, declaration: str, actual: str, compiles: bool
) -> None:
    program = f"""program p
  use, intrinsic :: iso_fortran_env, only: real64
  use hybrid, only: binding_t
  type(binding_t) :: columns
  {declaration}
  call columns%bind('x', {actual}, dims='column', units='1')
end program p
"""
    (tmp_path / "p.f90").write_text(program)
    command = ["gfortran", "-fsyntax-only", f"-J{tmp_path}", str(prefix.fortran_source), "p.f90"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode == 0) == compiles, result.stderr
    if not compiles:
        assert "no matching specific" in result.stderr


def test_layouts(fortran_program: Run, column_archive: Path) -> None:
    result = fortran_program("layouts", column_archive)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "all layouts agree"


def test_layouts_optimised(fortran_program: Run, column_archive: Path) -> None:
    # What `target` and kept addresses promise must survive the optimiser.
    result = fortran_program("layouts", column_archive, flags=("-O3",))
    assert result.returncode == 0, result.stderr


def test_layouts_with_wide_default_kinds(fortran_program: Run, column_archive: Path) -> None:
    flags = ("-fdefault-real-8", "-fdefault-integer-8")
    result = fortran_program("layouts", column_archive, flags=flags)
    assert result.returncode == 0, result.stderr


def test_state_agrees_with_python(fortran_program: Run, persistence_archive: Path) -> None:
    result = fortran_program("state", persistence_archive)
    assert result.returncode == 0, result.stderr
    x, tendency = np.full(4, 0.25), np.zeros(4)
    ids = np.array([3, 1, 4, 15])
    binding = hybrid.load(persistence_archive).create(4, column_id=ids, seed=42)
    binding.bind("x", x, dims="column", units="1")
    binding.bind("x_tendency", tendency, dims="column", units="s-1")
    for step in range(1, 5):
        binding.run(step)
        binding.commit()
    np.testing.assert_array_equal(np.array(result.stdout.split(), dtype=float), tendency)
    assert binding.state_get("memory", N_LEVEL).shape == (4, N_LEVEL)


def test_traps_of_the_host_do_not_fire_inside(fortran_program: Run, tmp_path: Path) -> None:
    archive = tmp_path / "overflowing.pt"
    hybrid.export(Overflowing(), archive)
    result = fortran_program("traps", archive)
    assert result.returncode == 0, result.stderr
    values = np.array(result.stdout.split(), dtype=float)
    np.testing.assert_allclose(values, [0.731058579, 1.0, 0.0], rtol=1e-6)
