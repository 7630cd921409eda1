"""Closures of Lorenz-96, which is evaluated four times a step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hybrid
from closures.lorenz96 import AR1Closure, CubicClosure
from fortran_bridge.noise import noise
from hybrid.coupling import couple
from solvers.lorenz96 import Lorenz96

COEFFICIENTS = (0.341, 1.30, -0.0136, -0.00235)
MODEL = Lorenz96(n_k=8, forcing=20.0, dt=0.005)
PHI, SIGMA = 0.984, 1.99


@pytest.fixture(scope="module")
def cubic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cubic") / "cubic.pt"
    hybrid.export(CubicClosure(COEFFICIENTS, valid_min=-10.0, valid_max=16.0), path)
    return path


@pytest.fixture(scope="module")
def ar1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ar1") / "ar1.pt"
    hybrid.export(AR1Closure(PHI, SIGMA), path)
    return path


def cubic_in_python(fields: Any, step: int) -> Any:
    x = fields["x"].astype(np.float32)
    b0, b1, b2, b3 = map(np.float32, COEFFICIENTS)
    return ((b3 * x + b2) * x + b1) * x + b0


def test_an_archive_is_evaluated_at_every_stage(cubic: Path) -> None:
    archive, python, polynomial, free = (
        model.start(seed=1, n_member=2, tendency=tendency)
        for model, tendency in (
            (MODEL, couple(cubic)),
            (MODEL, cubic_in_python),
            (Lorenz96(n_k=8, forcing=20.0, dt=0.005, coefficients=COEFFICIENTS), None),
            (MODEL, None),
        )
    )
    for integration in (archive, python, polynomial, free):
        integration.advance(20)
    x = archive.prognostic["x"]
    np.testing.assert_array_equal(x, python.prognostic["x"])
    # The archive computes in single precision; in a tenth of a unit of time nothing has grown.
    np.testing.assert_allclose(x, polynomial.prognostic["x"], atol=1e-5)
    assert np.abs(x - free.prognostic["x"]).max() > 0.1


def test_the_state_advances_once_a_step(ar1: Path) -> None:
    integration = MODEL.start(seed=1, n_member=2, tendency=couple(ar1, seed=5))
    integration.advance(3)
    integration.advance(4)
    residual = np.zeros((16, 1))
    for step in range(7):
        shock = noise(5, 0, step, 1 + np.arange(16), 1)
        residual = PHI * residual + np.sqrt(1.0 - PHI**2) * shock
    found = integration.restart()["restart_closure_residual"].to_numpy()
    # Single precision, seven steps.
    np.testing.assert_allclose(found.reshape(16, 1), residual, rtol=0.0, atol=7 * 3e-7)


def test_a_restart_continues_bit_for_bit(ar1: Path) -> None:
    def run(steps: int, **options: Any) -> Any:
        return MODEL.run(steps=steps, save_every=steps, tendency=couple(ar1, seed=5), **options)

    whole = run(20, n_member=2)
    second = run(12, initial=run(8, n_member=2))
    np.testing.assert_array_equal(second.x[-1], whole.x[-1])
    np.testing.assert_array_equal(second.restart_closure_residual, whole.restart_closure_residual)
