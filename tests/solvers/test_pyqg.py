"""The two-layer model against pyqg 0.7.2, which runs in an environment of its own."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyqg_runs import pyqg_trajectory
from two_layer_flow import relative_difference, turbulence

from benchmarks.pyqg_peer import pyqg_python
from solvers import TwoLayerQG

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(1800)]

# Square grids alone: on others pyqg gives the rows the wavenumbers of the columns.
FLOWS = {
    "64": TwoLayerQG(nx=64),
    "128": TwoLayerQG(nx=128, dt=3600.0),
    "64, other parameters": TwoLayerQG(
        nx=64,
        length_x=8e5,
        dt=1200.0,
        beta=5e-12,
        deformation_radius=12e3,
        delta=0.4,
        h1=800.0,
        u1=0.03,
        u2=-0.01,
        bottom_drag=5e-7,
    ),
}


@pytest.fixture(scope="module")
def python() -> Path:
    """Interpreter of an environment with pyqg, built once and kept in the cache folder."""
    return pyqg_python()


def closure(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    """Return what ``pyqg_reference/trajectory.py`` lets pyqg add."""
    rate = 1e-7 * np.array([[[-1.0]], [[2.0]]])
    return np.asarray(rate * fields["q"] * np.tanh(20.0 * fields["u"] * fields["v"]))


@pytest.mark.parametrize("with_closure", [False, True], ids=["alone", "with a closure"])
@pytest.mark.parametrize("flow", FLOWS)
def test_trajectory_is_that_of_pyqg(
    python: Path, tmp_path: Path, flow: str, with_closure: bool
) -> None:
    model = FLOWS[flow]
    theirs = pyqg_trajectory(python, tmp_path, model, "by layers" if with_closure else "none")
    assert theirs["version"] == "0.7.2"
    tendency = closure if with_closure else None
    integration = model.start(turbulence(model), tendency=tendency)
    ours = integration.prognostic["q"][0]
    integration.advance(100)
    assert relative_difference(ours, theirs["qh_100"]) <= 1e-12
    integration.advance(900)
    # Round-off differs, and turbulence amplifies the difference.
    assert relative_difference(ours, theirs["qh_1000"]) <= 1e-10


def test_defaults_are_those_of_pyqg(python: Path) -> None:
    script = (
        "import pyqg; m = pyqg.QGModel(log_level=0); "
        "print(m.nx, m.L, m.dt, m.beta, m.rd, m.delta, m.Hi[0], m.U1, m.U2, m.rek)"
    )
    answer = subprocess.run(
        [str(python), "-c", script], check=True, capture_output=True, text=True
    ).stdout
    d = TwoLayerQG()
    expected = (
        *(d.nx, d.length_x, d.dt, d.beta, d.deformation_radius),
        *(d.delta, d.h1, d.u1, d.u2, d.bottom_drag),
    )
    assert tuple(map(float, answer.split())) == expected
