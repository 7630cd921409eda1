"""Traps that couplings to real models fell into, from Fortran with checks and traps on."""

import ctypes
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from bridge.host_programs import FORTRAN_FLAGS, compile_program, run_program
from closure_examples import Saturating
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge.build import Prefix

pytestmark = pytest.mark.fortran
Run = Callable[..., CompletedProcess[str]]

EACH_ENGINE = pytest.mark.parametrize("engine", ["torchscript", "native"])
INVALID, DIVIDE_BY_ZERO, OVERFLOW = 0x01, 0x04, 0x08  # fenv.h on x86-64
SATURATING = {
    "sigmoid": [0.731058579, 1.0, 0.0],
    "silu": [0.731058579, 1.0e4, 0.0],
    "tanh": [0.991328916, 1.0, 0.0],
}


@EACH_ENGINE
@pytest.mark.parametrize("name", SATURATING)
def test_traps_of_the_host_do_not_fire_inside_and_fire_afterwards(
    fortran_program: Run, tmp_path: Path, name: str, engine: str
) -> None:
    closure = Saturating(name)
    assert raised_by(closure), "this closure could not show the trap"
    hybrid.export(closure, tmp_path / "closure.pt")
    result = fortran_program("traps", tmp_path / "closure.pt", "none", engine)
    assert result.returncode == 0, result.stderr
    *numbers, alive = result.stdout.split()
    assert alive == "alive"
    np.testing.assert_allclose(np.array(numbers, dtype=float), SATURATING[name], rtol=1e-6)
    killed = run_program(tmp_path / "traps", tmp_path / "closure.pt", "overflow", engine)
    assert killed.returncode == -signal.SIGFPE
    assert killed.stdout.split() == numbers


class Overflowing(Closure):
    """1/(1 + x^2), whose square overflows long before the result does."""

    def __init__(self) -> None:
        level = (("level",), (512,))
        x = Field("x", "1", *level, valid_min=-1e30, valid_max=1e30)
        super().__init__(ClosureSpec("overflowing", "1.0", (x,), (Field("y", "1", *level),)))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (1.0 / (1.0 + x * x),)


@EACH_ENGINE
def test_threads_of_the_host_are_the_engines(
    fortran_program: Run, tmp_path: Path, engine: str
) -> None:
    hybrid.export(Overflowing(), tmp_path / "closure.pt")
    flags = (*FORTRAN_FLAGS, "-fopenmp")
    result = fortran_program("worker_threads", tmp_path / "closure.pt", engine, flags=flags)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "each keeps its own"


def raised_by(closure: Closure) -> int:
    """Which exceptions that a host traps the closure raises by itself."""
    environment = ctypes.CDLL("libm.so.6")
    x = torch.tensor([1.0, 1e4, -1e4])
    mask = INVALID | DIVIDE_BY_ZERO | OVERFLOW
    environment.feclearexcept(mask)
    closure(x)
    raised: int = environment.fetestexcept(mask)
    environment.feclearexcept(mask)
    return raised


@pytest.mark.parametrize("flags", [None, ("-O3",)], ids=["checked", "optimised"])
def test_dummies_that_may_be_copies(
    fortran_program: Run, column_archive: Path, flags: tuple[str, ...] | None
) -> None:
    chosen = {} if flags is None else {"flags": flags}
    result = fortran_program("dummies", column_archive, **chosen)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "all dummies give the right result"


@EACH_ENGINE
def test_the_first_run_is_not_slower_than_the_others(
    prefix: Prefix, column_archive: Path, tmp_path: Path, engine: str
) -> None:
    program = compile_program(prefix, tmp_path, "first_call")
    # What else the machine does makes a single run longer now and then, but not every time.
    # Cold caches cost a few medians, or some 20 of the native engine's, which are below a
    # microsecond; an engine that is not warm takes tens of milliseconds: a thousand medians.
    ratios = [float(run_program(program, column_archive, engine).stdout) for _ in range(3)]
    assert min(ratios) < 100.0
