"""The benchmark of eddy viscosities, its committed results and the page that shows them."""

import json
from pathlib import Path

import cost_tables
import tables

from benchmarks import eddy_viscosity_step
from benchmarks.interleaved import Session

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "eddy-viscosity.json"


def test_every_closure_is_beside_constant_leith() -> None:
    costs = list(eddy_viscosity_step.measure((24,), Session(rounds=1, seconds_a_turn=1e-4)))
    assert [cost.closure for cost in costs] == list(eddy_viscosity_step.VISCOSITIES)
    assert {cost.size for cost in costs} == {"24 x 24"}
    assert all(1e-8 < cost.step < 0.1 and cost.low <= cost.ratio <= cost.high for cost in costs)
    (leith,) = (cost for cost in costs if cost.closure == eddy_viscosity_step.LEITH)
    assert leith.ratio == leith.low == leith.high == 1.0
    assert leith.row()["step / Leith"] == "1.00"


def test_the_page_on_turbulence_holds_the_committed_costs() -> None:
    text = tables.TURBULENCE.read_text()
    assert text.count("<!-- table: ") == 1
    assert tables.with_tables(text) == text
    results = json.loads(RESULTS.read_text())
    closures = [record["closure"] for record in results["records"]]
    assert closures == list(eddy_viscosity_step.VISCOSITIES)
    results["records"][3].update(ratio=9.87, low=9.5, high=10.0)
    assert "| 9.87 | 9.50 to 10.00 |" in cost_tables.eddy_viscosity_table(results)


def test_a_learned_policy_costs_at_most_half_as_much_again_as_constant_leith() -> None:
    results = json.loads(RESULTS.read_text())
    costs = {record["closure"]: record["high"] for record in results["records"]}
    for name in ("c2", "c2, every 10 steps", "c2 and c4, every 10 steps"):
        assert costs[f"linear policy, {name}"] <= 1.5
