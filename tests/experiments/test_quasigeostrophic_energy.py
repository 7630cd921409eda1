"""The energy that closure and filter give and take in runs: sums over rings, in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from hybrid.experiments.quasigeostrophic.report.energy_tables import (
    energy_metrics,
    energy_table,
    run_rates,
)
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, climate
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR, Duration

WIDTH = 2e-6
TARGET = xr.DataArray([2e-6, -1e-6], {"wavenumber": WIDTH * (0.5 + np.arange(2.0))}, "wavenumber")


def run(**terms: tuple[float, float]) -> xr.Dataset:
    """Return a climate with some terms of the budget on two rings, and 0 for the others."""
    values = {name: ("wavenumber", np.array(terms.get(name, (0.0, 0.0)))) for name in BUDGET}
    return xr.Dataset(values, {"wavenumber": WIDTH * (0.5 + np.arange(2.0))})


def findings(runs: dict[str, list[xr.Dataset]]) -> Findings:
    truth = run(filter=(0.0, -3e-6), bottom_drag=(-4e-6, -1e-6))
    return Findings(
        truths={"eddy": [truth]},
        climates={"eddy": runs},
        targets={"eddy": TARGET},
        late_targets={"eddy": TARGET},
        offline={"eddy": {}},
        costs={},
    )


def test_the_closure_counts_with_what_the_filter_takes_of_it() -> None:
    # On the second ring the closure gives 9, of which the filter takes 8 and 3 more of its own.
    one = run(filter=(0.0, -11.0), parameterization=(5.0, 9.0), bottom_drag=(-1.0, -2.0))
    other = run(filter=(0.0, -13.0), parameterization=(7.0, 9.0), bottom_drag=(-3.0, -2.0))
    found = run_rates([one, other])
    assert found == pytest.approx(
        {"generation": 0.0, "drag": 4 * WIDTH, "given": 6 * WIDTH, "taken": 3 * WIDTH}
    )


def test_truth_models_and_target_have_rates_and_lost_models_none() -> None:
    lost = [xr.Dataset(attrs={BLEW_UP: 3e7})]
    made = findings({"none": [run(filter=(0.0, -1e-6))], "leith": lost})
    metrics = energy_metrics(made, "eddy")
    assert {name.rpartition("_")[2] for name in metrics} == {"truth", "none", "target"}
    assert metrics["energy_eddy_taken_none"] == pytest.approx(1e-6 * WIDTH)
    assert metrics["energy_eddy_given_target"] == pytest.approx(2e-6 * WIDTH)
    rows = energy_table(made, "eddy").rows
    assert [*rows] == ["truth", "no closure", "subgrid tendency of the truth, offline"]
    assert rows["truth"] == pytest.approx((0.0, 10.0, 0.0, 6.0, -6.0))
    of_shear, of_drag, *rates = [*rows.values()][-1]
    assert of_shear is None
    assert of_drag is None
    assert rates == pytest.approx([4.0, 2.0, 2.0])


def test_without_closure_energy_balances_in_a_run() -> None:
    flow = replace(CONFIGURATIONS["eddy"], n_coarse=32)
    length = Duration(
        years=6.0, spin_up=3.0, sampled_every=60.0 * HOUR, snapshot_every=120.0 * HOUR, n_snapshot=2
    )
    found = run_rates([climate(flow.coarse, flow.initial(32, 0), length)])
    assert found["given"] == 0.0
    assert min(found["generation"], found["drag"], found["taken"]) > 0.0
    # But for what rings miss, and the flow gains.
    assert found["drag"] + found["taken"] == pytest.approx(found["generation"], rel=0.05)
