"""The benchmarks of the solvers still run against the interfaces they time."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from benchmarks import (
    barotropic_step,
    kuramoto_sivashinsky_step,
    lorenz96_step,
    pyqg_peer,
    shallow_water_step,
    two_layer_step,
)
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST
from benchmarks.step_cost import StepCost
from solvers import TwoScaleLorenz96Wilks
from solvers.cache import CACHE_VARIABLE
from solvers.fft import backends_for

# An odd number, of which the median is one.
BRIEF = Session(rounds=FEWEST + 1, seconds_a_turn=1e-4)


def fft_libraries(*shape: int) -> list[str]:
    return [name for name in backends_for(shape) if name != "scipy"]


def check(costs: Sequence[StepCost], size: str, variants: Sequence[str], peers: int) -> None:
    assert {cost.size for cost in costs} == {size}
    assert [cost.variant for cost in costs] == [name for name in variants for _ in range(peers)]
    # A step takes a hundredth of a microsecond at least, and not a tenth of a second.
    assert all(1e-8 < cost.step < 0.1 for cost in costs)
    assert all(cost.peer_step is None or 1e-8 < cost.peer_step < 0.1 for cost in costs)


def check_transforms(costs: Sequence[StepCost]) -> None:
    assert len({cost.variant for cost in costs if cost.default}) == 1
    assert all(cost.transforms is not None for cost in costs)


@pytest.mark.parametrize("nx", [16, 24])
def test_barotropic(nx: int) -> None:
    costs = list(barotropic_step.measure((nx,), BRIEF))
    check(costs, f"{nx} x {nx}", fft_libraries(nx, nx), peers=2)
    check_transforms(costs)
    assert [cost.peer for cost in costs[:2]] == ["numpy", "numpy, 4 transforms"]


def test_kuramoto_sivashinsky() -> None:
    costs = list(kuramoto_sivashinsky_step.measure((64,), BRIEF))
    check(costs, "64", fft_libraries(64), peers=1)
    check_transforms(costs)


def test_shallow_water() -> None:
    costs = list(shallow_water_step.measure((8,), BRIEF))
    check(costs, "8 x 8", ["float64", "float32"], peers=1)
    assert [cost.default for cost in costs] == [True, False]
    assert costs[0].transforms is None


@pytest.mark.fortran
def test_two_scale_lorenz96() -> None:
    costs = list(lorenz96_step.measure(((8, 4),), BRIEF))
    check(costs, "8, 4", ["Wilks", "Rasp"], peers=1)
    assert costs[0].peer == "gfortran -O3 -march=native"


def test_two_scale_lorenz96_is_timed_alone_without_a_compiler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lorenz96_step, "COMPILE", ("no-such-compiler",))
    notes: list[str] = []
    costs = list(lorenz96_step.measure(((8, 4),), replace(BRIEF, note=notes.append)))
    assert notes == ["gfortran is not there; two-scale Lorenz-96 is timed alone"]
    assert [cost.peer for cost in costs] == [None, None]


@pytest.mark.fortran
def test_fortran_steps_the_same_model(tmp_path: Path) -> None:
    program = lorenz96_step.build(tmp_path)
    found = lorenz96_step.run_fortran(program, 8, 4, 200)
    model = TwoScaleLorenz96Wilks(n_k=8, n_j=4, forcing=20.0)
    run = model.run(steps=200, save_every=200, initial=lorenz96_step.initial_state(8, 4))
    # Round-off of 200 steps in another order.
    np.testing.assert_allclose(found.x, run.x[-1, 0], rtol=0.0, atol=1e-11)


def test_two_layer_is_timed_alone_without_pyqg(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    notes: list[str] = []
    costs = list(two_layer_step.measure((16,), replace(BRIEF, note=notes.append)))
    (note,) = notes
    assert note == (
        "pyqg is not there; download and build it with: python -m benchmarks two-layer; "
        "the two-layer model is timed alone"
    )
    check(costs, "16 x 16", fft_libraries(16, 16), peers=1)
    check_transforms(costs)
    assert all(cost.peer is None for cost in costs)


def test_a_pyqg_that_cannot_be_built_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(pyqg_peer.sys, "executable", "false")  # type: ignore[attr-defined]
    message = r"^pyqg is not there and could not be downloaded and built: -m venv .*status 1"
    with pytest.raises(pyqg_peer.PyqgMissingError, match=message):
        pyqg_peer.pyqg_python()


class Stub:
    """Stands for pyqg: knows what it was asked, takes a tenth of a millisecond a step."""

    asked: list[tuple[int, float]]

    def __init__(self, python: Path) -> None:
        assert python == Path("python")
        Stub.asked = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def seconds(self, nx: int, dt: float, n_step: int) -> float:
        Stub.asked.append((nx, dt))
        return 1e-4 * n_step


def test_two_layer_is_compared_with_pyqg_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def ready(**_: Any) -> Path:
        return Path("python")

    monkeypatch.setattr(two_layer_step, "pyqg_python", ready)
    monkeypatch.setattr(two_layer_step, "Pyqg", Stub)
    costs = list(two_layer_step.measure((32,), BRIEF))
    assert set(Stub.asked) == {(32, 14400.0)}
    for cost in costs:
        assert cost.peer == "pyqg 0.7.2"
        assert cost.peer_step == pytest.approx(1e-4)
        assert cost.speed_up == pytest.approx(1e-4 / cost.step)


def test_a_pyqg_that_ends_is_an_error(tmp_path: Path) -> None:
    # This interpreter has no pyqg.
    message = "^pyqg: its process ended with status 1; remove .* to have it built anew$"
    with (
        pyqg_peer.Pyqg(Path(sys.executable)) as peer,
        pytest.raises(RuntimeError, match=message),
    ):
        peer.seconds(64, 7200.0, 1)
