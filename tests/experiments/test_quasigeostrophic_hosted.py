"""Climates of the Fortran host beside those of the compiled loop, with the same archive."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from two_layer_flow import vigorous

import hybrid
from closures.quasigeostrophic import JansenHeldBackscatter, Stratification
from fortran_bridge.build import Prefix
from fortran_bridge.errors import HostError
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, FIELDS, climate, is_lost
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    CONFIGURATIONS,
    HOUR,
    YEAR,
    Duration,
)
from hybrid.experiments.quasigeostrophic.runs.hosted import hosted_climate

pytestmark = pytest.mark.fortran

MODEL = replace(CONFIGURATIONS["eddy"], n_truth=64, n_coarse=32).coarse
BRIEF = Duration(
    years=30.0 / 360.0,
    spin_up=10.0 / 360.0,
    sampled_every=48.0 * HOUR,
    snapshot_every=96.0 * HOUR,
    n_snapshot=2,
)
SPACING = (MODEL.grid.dy, MODEL.grid.dx)


@pytest.fixture(autouse=True)
def _needs_fftw(prefix: Prefix) -> None:
    if not prefix.host("quasigeostrophic").exists():
        pytest.skip("no two-layer host; install libfftw3-dev and run hybrid bridge build --force")


def test_the_climate_in_fortran_is_that_of_the_compiled_loop(tmp_path: Path) -> None:
    stratification = Stratification.of(MODEL.deformation_radius, MODEL.delta)
    closure = JansenHeldBackscatter(SPACING, stratification, largest={"q": 1e-3})
    path, q = tmp_path / "backscatter.pt", vigorous(MODEL, 0)
    hybrid.export(closure, path)
    said: list[float] = []
    hosted = hosted_climate(MODEL, q, BRIEF, path, said.append)
    own = climate(MODEL, q, BRIEF, tendency=hybrid.couple(path))
    without = climate(MODEL, q, BRIEF)
    assert hosted.attrs == own.attrs
    np.testing.assert_array_equal(hosted.time, own.time)
    for name in (*FIELDS, *SPECTRA, *BUDGET):
        largest = float(np.abs(own[name]).max())
        # Two programs in double precision, and fields stored in single.
        np.testing.assert_allclose(hosted[name], own[name], atol=1e-6 * largest, err_msg=name)
    assert float(np.abs(without.q - own.q).max()) > 1e-3 * float(np.abs(own.q).max())
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1.0)


def test_a_run_that_does_not_stay_finite_is_lost_in_fortran_too(tmp_path: Path) -> None:
    # Far more energy returned than taken.
    stratification = Stratification.of(MODEL.deformation_radius, MODEL.delta)
    closure = JansenHeldBackscatter(SPACING, stratification, smagorinsky=0.3, returned=100.0)
    path, q = tmp_path / "unstable.pt", vigorous(MODEL, 0)
    hybrid.export(closure, path)
    assert is_lost(climate(MODEL, q, BRIEF, tendency=hybrid.couple(path)))
    hosted = hosted_climate(MODEL, q, BRIEF, path)
    assert is_lost(hosted)
    assert 0.0 <= hosted.attrs[BLEW_UP] < BRIEF.years * YEAR


def test_a_host_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"absent\.pt"):
        hosted_climate(MODEL, vigorous(MODEL, 0), BRIEF, tmp_path / "absent.pt")
