"""The Fortran program that two-scale Lorenz-96 is compared with solves the same equations."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import lorenz96_step
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

pytestmark = pytest.mark.fortran


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lorenz96_step.build(tmp_path_factory.mktemp("fortran"))


@pytest.mark.parametrize(("n_k", "n_j"), lorenz96_step.SIZES)
def test_both_programs_compute_the_same(program: Path, n_k: int, n_j: int) -> None:
    found = lorenz96_step.run_fortran(program, n_k, n_j, 200)
    state = lorenz96_step.initial_state(n_k, n_j)
    run = TwoScaleLorenz96Wilks(n_k=n_k, n_j=n_j).run(steps=200, save_every=200, initial=state)
    # Fused and reordered sums; the fast variables let errors grow by exp(18 * 0.2) = 40.
    np.testing.assert_allclose(found.x, run["x"][-1, 0], rtol=0.0, atol=1e-11)
    assert 0.0 <= found.seconds < 1e-3


@pytest.mark.parametrize("arguments", [(), ("8", "32"), ("8", "no", "5"), ("8", "0", "5")])
def test_wrong_arguments_are_refused(program: Path, arguments: tuple[str, ...]) -> None:
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "usage: lorenz96_two_scale N_K N_J N_STEP, positive integers\n"


def test_both_forms_are_timed_beside_fortran() -> None:
    session = Session(rounds=FEWEST, seconds_a_turn=1e-3)
    costs = list(lorenz96_step.measure([(8, 4)], session))
    assert [(cost.variant, cost.size) for cost in costs] == [("Wilks", "8, 4"), ("Rasp", "8, 4")]
    for cost in costs:
        assert cost.peer == "gfortran -O3 -march=native"
        assert cost.peer_step is not None
        # 160 tendencies take more than 10 ns, and less than a millisecond.
        assert 1e-8 < min(cost.step, cost.peer_step) <= max(cost.step, cost.peer_step) < 1e-3
