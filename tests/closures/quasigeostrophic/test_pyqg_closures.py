"""Closures of two-layer flow against those of pyqg 0.7.2, in its own model and in ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pyqg_runs import pyqg_trajectory
from two_layer_flow import relative_difference, turbulence

from benchmarks.pyqg_peer import pyqg_python
from closures.quasigeostrophic import (
    HybridSymbolic,
    JansenHeldBackscatter,
    Smagorinsky,
    Stratification,
    ZannaBolton2020,
)
from solvers import TwoLayerQG

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(1800)]

MODEL = TwoLayerQG(nx=64, dt=3600.0)
SPACING = (MODEL.grid.dy, MODEL.grid.dx)
STRATIFICATION = Stratification.of(MODEL.deformation_radius, MODEL.delta)
CLOSURES = {
    "smagorinsky": Smagorinsky(SPACING, 0.15),
    "zanna bolton": ZannaBolton2020(SPACING),
    "backscatter": JansenHeldBackscatter(
        SPACING, STRATIFICATION, smagorinsky=0.007**0.5, returned=1.2
    ),
    "symbolic": HybridSymbolic.published(SPACING, mean_flow=(MODEL.u1, MODEL.u2)),
    "sum": 0.5 * Smagorinsky(SPACING, 0.15) + 0.75 * ZannaBolton2020(SPACING),
}


@pytest.mark.parametrize("name", CLOSURES)
def test_a_run_with_a_closure_is_that_of_pyqg(name: str, tmp_path: Path) -> None:
    closure = CLOSURES[name]

    def tendency(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
        del step
        inputs = [torch.from_numpy(fields[f.name][np.newaxis].copy()) for f in closure.spec.inputs]
        return np.asarray(closure(*inputs)[0][0].numpy())

    theirs = pyqg_trajectory(pyqg_python(), tmp_path, MODEL, name)
    spectra = {}
    for source in (tendency, None):
        integration = MODEL.start(turbulence(MODEL), tendency=source)
        integration.advance(100)
        spectra[source] = integration.prognostic["q"][0]
    assert relative_difference(spectra[tendency], spectra[None]) > 1e-2
    # Between the two advections of the symbolic closure pyqg keeps the shortest wave.
    tolerance = 3e-4 if name == "symbolic" else 1e-12
    assert relative_difference(spectra[tendency], theirs["qh_100"]) <= tolerance
