"""The energy that closure and filter give and take in runs: sums over rings, in closed form."""

from dataclasses import replace
from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hybrid.experiments.quasigeostrophic.job import PairsJob
from hybrid.experiments.quasigeostrophic.report.energy_tables import energy_metrics, energy_table
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, OnProgress, climate
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR, Duration
from hybrid.experiments.quasigeostrophic.scores.energy import run_rates
from hybrid.experiments.quasigeostrophic.settings import PRESETS
from hybrid.experiments.quasigeostrophic.stages import Stages

# On 4 x 4 points there are 4 and 7 modes of the half plane in the two rings that fit in.
SIZE = {"nx": 4, "ny": 4, "length_x": 2.0 * pi, "length_y": 2.0 * pi}
OF_A_MODE = sqrt(2.0) * pi * np.array([0.5 / 4.0, 1.5 / 7.0])
RINGS = {"wavenumber": sqrt(2.0) * (0.5 + np.arange(2.0))}
TARGET = xr.DataArray([2.0, -1.0], RINGS, "wavenumber")


def run(**terms: tuple[float, float]) -> xr.Dataset:
    """Return a climate with some terms of the budget, sums over two rings, and 0 for the others."""
    sums = {name: np.array(terms.get(name, (0.0, 0.0))) for name in BUDGET}
    densities = {name: ("wavenumber", OF_A_MODE * each) for name, each in sums.items()}
    return xr.Dataset(densities, RINGS, SIZE)


def findings(runs: dict[str, list[xr.Dataset]]) -> Findings:
    truth = run(filter=(0.0, -3e-12), bottom_drag=(-4e-12, -1e-12))
    return Findings(
        truths={"eddy": [truth]},
        climates={"eddy": runs},
        targets={"eddy": TARGET},
        late_targets={"eddy": 1e-12 * TARGET},
        offline={"eddy": {}},
        costs={},
    )


def test_the_closure_counts_with_what_the_filter_takes_of_it() -> None:
    # On the second ring the closure gives 9, of which the filter takes 8 and 3 more of its own.
    one = run(filter=(0.0, -11.0), parameterization=(5.0, 9.0), bottom_drag=(-1.0, -2.0))
    other = run(filter=(0.0, -13.0), parameterization=(7.0, 9.0), bottom_drag=(-3.0, -2.0))
    found = run_rates([one, other])
    assert found == pytest.approx({"generation": 0.0, "drag": 4.0, "given": 6.0, "taken": 3.0})


def test_truth_models_and_target_have_rates_and_lost_models_none() -> None:
    lost = [xr.Dataset(attrs={BLEW_UP: 3e7})]
    made = findings({"none": [run(filter=(0.0, -1.0))], "leith": lost})
    metrics = energy_metrics(made, "eddy")
    assert {name.rpartition("_")[2] for name in metrics} == {"truth", "none", "target"}
    assert metrics["energy_eddy_taken_none"] == pytest.approx(1.0)
    rows = energy_table(made, "eddy").rows
    assert [*rows] == ["truth", "no closure", "subgrid tendency of the truth, offline"]
    assert rows["truth"] == pytest.approx((0.0, 5.0, 0.0, 3.0, -3.0))
    of_shear, of_drag, *rates = [*rows.values()][-1]
    assert of_shear is None
    assert of_drag is None
    width = RINGS["wavenumber"][1] - RINGS["wavenumber"][0]
    assert rates == pytest.approx([2.0 * width, width, width])


def test_the_late_target_is_that_of_the_second_half_of_the_states(tmp_path: Path) -> None:
    stages = StagesOfPairs(None, PRESETS["test"], tmp_path)  # type: ignore[arg-type]
    whole, late = stages.target("eddy"), stages.late_target("eddy")
    # The last two of three states have twice the vorticity and the tendency of the first.
    assert float(late.sum()) == pytest.approx(4.0 / 3.0 * float(whole.sum()))


class StagesOfPairs(Stages):
    """Stages that have pairs of three states."""

    def pairs(self, job: PairsJob, on_progress: OnProgress = lambda _fraction: None) -> xr.Dataset:
        del job, on_progress
        model = PRESETS["test"].configurations["eddy"].coarse
        q = np.random.default_rng(0).standard_normal((2, 32, 32))
        dims, n = ("time", "operator", "layer", "y", "x"), np.array([1.0, 2.0, 2.0])
        states = n[:, None, None, None, None] * q[None, None]
        fields = {"q": (dims, states), "q_tendency_total": (dims, -1e-6 * states)}
        coordinates = {**model.coordinates(), "time": np.arange(3.0), "operator": [1]}
        return xr.Dataset(fields, coordinates, model.attributes())


def test_without_closure_energy_balances_in_a_run() -> None:
    flow = replace(CONFIGURATIONS["eddy"], n_coarse=32)
    length = Duration(
        years=6.0, spin_up=3.0, sampled_every=60.0 * HOUR, snapshot_every=120.0 * HOUR, n_snapshot=2
    )
    found = run_rates([climate(flow.coarse, flow.initial(32, 0), length)])
    assert found["given"] == 0.0
    assert min(found["generation"], found["drag"], found["taken"]) > 0.0
    # But for what the flow gains, and what the filter takes in the corners of the spectral plane.
    assert found["drag"] + found["taken"] == pytest.approx(found["generation"], rel=0.05)
