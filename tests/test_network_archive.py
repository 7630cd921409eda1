"""Networks of two-layer flow as archives: the same run from the loop, from Python, in the twin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from two_layer_flow import relative_difference, vigorous

import hybrid
from closures.quasigeostrophic import Stratification
from closures.quasigeostrophic.networks import Architecture, NetworkClosure
from hybrid.two_layer_twin import TwoLayerTwin
from solvers import TwoLayerQG

Array = NDArray[Any]

MODEL = TwoLayerQG(nx=32, dt=3600.0)
SPACING = (MODEL.grid.dy, MODEL.grid.dx)
N_STEP = 100
QUV = ("q", "u", "v")
NETWORKS = {
    "gated": Architecture(n_channel=4, n_block=1),
    "square": Architecture(kind="separable", inputs=QUV, n_channel=4, n_block=1, symmetry="square"),
    "fcnn": Architecture(kind="fcnn", inputs=QUV, layers=((4, 5), (4, 3))),
    "tiles": Architecture(
        kind="fcnn", inputs=QUV, layers=((64, 5), (64, 5), (4, 3)), per_layer=False
    ),
}


def closure_of(name: str, q: Array) -> NetworkClosure:
    """A network whose tendency is a few per cent of that of the flow."""
    closure = NetworkClosure(
        SPACING,
        NETWORKS[name],
        largest={"q": 1e-3, "u": 20.0, "v": 20.0},
        largest_growth=1e-7,
        stratification=Stratification.of(MODEL.deformation_radius, MODEL.delta),
    ).eval()
    psi = MODEL.invert(np.fft.rfft2(q))
    grid = MODEL.grid
    u, v = np.fft.irfft2(-1j * grid.l[:, None] * psi), np.fft.irfft2(1j * grid.k * psi)
    fields = (torch.from_numpy(f)[None] for f in (q, u, v, 0.05 * MODEL.tendency(q)))
    given_q, given_u, given_v, tendency = fields
    closure.set_scales(given_q, given_u, given_v, tendency)
    return closure


@pytest.mark.fortran
@pytest.mark.parametrize("name", NETWORKS)
def test_an_archive_runs_as_its_network(name: str, tmp_path: Path) -> None:
    q = vigorous(MODEL)
    closure, path = closure_of(name, q), tmp_path / "network.pt"
    hybrid.export(closure, path)

    def in_python(fields: Mapping[str, Array], step: int) -> Array:
        del step
        given = (torch.from_numpy(np.array(fields[field]))[None] for field in "quv")
        with torch.no_grad():
            return np.asarray(closure(*given)[0][0].double().numpy())

    spectra = []
    for source in (hybrid.couple(path), in_python, None):
        run = MODEL.start(q, tendency=source)
        run.advance(N_STEP)
        spectra.append(run.prognostic["q"][0])
    found, expected, alone = spectra
    assert relative_difference(found, alone) > 1e-3
    # Networks compute in single precision.
    assert relative_difference(found, expected) < 1e-5
    with torch.no_grad():
        twin = TwoLayerTwin(MODEL).rollout(
            torch.from_numpy(q)[None], 1, N_STEP, lambda q, u, v: closure(q, u, v)[0]
        )
    assert relative_difference(np.fft.rfft2(twin[0, 0].numpy()), found) < 1e-5
