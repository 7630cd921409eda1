"""The runs that coefficients are fitted to: their states and places, and going on after a stop."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from two_layer_climates import CUTOFF, made_climate

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.calibration import calibrator
from hybrid.experiments.quasigeostrophic.calibration.calibrator import Calibrator
from hybrid.experiments.quasigeostrophic.calibration.coefficients import (
    SixthOrderCoefficients,
)
from hybrid.experiments.quasigeostrophic.calibration.fit import Calibration
from hybrid.experiments.quasigeostrophic.job import TRIAL, TRUTH, FitJob, TrialJob
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    CONFIGURATIONS,
    MIDDLE,
    Configuration,
)
from hybrid.experiments.quasigeostrophic.settings import PRESETS

SIZES = Calibration(n_round=2, n_trial=32, n_truth=3, n_again=2)
# As strong as the truth where 1.17 of the energy is returned.
RETURNED = 1.17


@dataclass
class Made:
    """Flows and initial states of runs that were asked for, by model."""

    runs: dict[str, list[tuple[float, int]]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """Runs are random numbers, the stronger the more energy is returned."""
    found = Made({TRIAL: [], TRUTH: [], "none": []})

    def strong(strength: float, seed: int) -> xr.Dataset:
        run = made_climate(seed).assign_attrs(cutoff=CUTOFF)
        return run.map(
            lambda field: strength * (field if "time" in field.dims else 1.0 + 0.05 * field)
        )

    @dataclass(frozen=True)
    class PlainRun:
        flow: Configuration
        nx: int
        duration: Any
        seed: int

        def climate(self, _on_progress: Any) -> xr.Dataset:
            is_truth = self.nx == self.flow.n_truth
            found.runs[TRUTH if is_truth else "none"].append((self.flow.beta, self.seed))
            return strong(1.0 if is_truth else 0.5, self.seed)

    def climate(model: Any, initial: int, _duration: Any, *, tendency: Any, **_: Any) -> Any:
        found.runs[TRIAL].append((model.beta, initial))
        return strong(1.0 + tendency.closure.returned - RETURNED, initial)

    monkeypatch.setattr(calibrator, "PlainRun", PlainRun)
    monkeypatch.setattr(calibrator, "climate", climate)
    monkeypatch.setattr(Configuration, "initial", lambda _flow, _nx, seed: seed)
    return found


def at(folder: Path, seed: int = 0) -> Calibrator:
    folder.mkdir(exist_ok=True)
    flows = {
        flow.name: replace(flow, n_truth=64, n_coarse=32)
        for flow in (CONFIGURATIONS["eddy"], MIDDLE)
    }
    return Calibrator(Checkpoint(folder, seed), SIZES, flows, PRESETS["test"].duration)


def places(found: Calibrator, number: int) -> NDArray[np.float64]:
    n = SIZES.n_trial
    return np.array([found._place(i) for i in range(number * n, (number + 1) * n)])


def test_rounds_find_what_is_as_strong_as_the_truth(made: Made, tmp_path: Path) -> None:
    found = at(tmp_path)
    assert found.coefficients.returned == pytest.approx(RETURNED, abs=0.02)
    first, last = found.fits()
    assert (first.n_run, last.n_run) == (2 * 32, 2 * 64)
    assert set(last.mean) == {"eddy", "middle"}
    assert found.coefficients == SixthOrderCoefficients.at(last.place)
    # The second round fills half the range, around what the first has found.
    wide, narrow = places(found, 0), places(found, 1)
    np.testing.assert_allclose(np.ptp(narrow, axis=0) / np.ptp(wide, axis=0), 0.5, atol=0.1)
    assert np.all(np.abs(narrow - first.place) <= 0.5)
    assert {name: len(runs) for name, runs in made.runs.items()} == {
        TRIAL: 2 * 64,
        TRUTH: 2 * 3,
        "none": 2 * 3,
    }


def test_no_state_is_one_that_is_scored_or_used_twice(made: Made, tmp_path: Path) -> None:
    for seed in (0, 1):
        at(tmp_path / str(seed), seed).fit(FitJob(1))
    assert made.runs[TRUTH] == made.runs["none"]
    runs = [*made.runs[TRIAL], *made.runs[TRUTH]]
    assert len(runs) == len(set(runs)) == 4 * (64 + 3)
    # The same in each flow.
    eddy, middle = (
        {seed for beta, seed in runs if beta == flow.beta}
        for flow in (CONFIGURATIONS["eddy"], MIDDLE)
    )
    assert eddy == middle
    scored = {1000 * seed + i for seed in range(1000) for i in range(PRESETS["full"].n_seed)}
    assert not scored & eddy


def test_a_fit_that_was_interrupted_goes_on_to_the_same(made: Made, tmp_path: Path) -> None:
    whole = at(tmp_path / "whole").fit(FitJob(1))
    parts = tmp_path / "parts"
    for i in (3, 1):
        at(parts).run(TrialJob(TRIAL, "eddy", i))
    at(parts).fit(FitJob(0))
    n = len(made.runs[TRIAL])
    assert at(parts).fit(FitJob(1)) == whole
    assert len(made.runs[TRIAL]) == n + 2 * SIZES.n_trial
