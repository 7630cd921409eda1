"""Runs of pyqg, in an environment of its own, from a state of ours."""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from two_layer_flow import turbulence

from solvers import TwoLayerQG


def pyqg_trajectory(
    python: Path, folder: Path, model: TwoLayerQG, closure: str
) -> dict[str, NDArray[Any]]:
    """Return q-hat of pyqg after 100 and 1000 steps, from the same turbulence as ours.

    Parameters
    ----------
    python
        Interpreter of an environment with pyqg, see `benchmarks.pyqg_peer.pyqg_python`.
    folder
        Where files may be written.
    model
        Parameters, on a square grid.
    closure
        One that ``solvers/pyqg_reference/trajectory.py`` knows.
    """
    source, target = folder / "given.npz", folder / "found.npz"
    parameters: dict[str, Any] = {
        "nx": model.nx,
        "L": model.length_x,
        "dt": model.dt,
        "beta": model.beta,
        "rd": model.deformation_radius,
        "delta": model.delta,
        "H1": model.h1,
        "U1": model.u1,
        "U2": model.u2,
        "rek": model.bottom_drag,
    }
    q = turbulence(model)
    np.savez(source, q=q, steps=[100, 1000], closure=closure, **parameters)
    script = Path(__file__).parent / "solvers" / "pyqg_reference" / "trajectory.py"
    subprocess.run(
        [str(python), str(script), str(source), str(target)],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return dict(np.load(target))
