"""By how much one closure is ahead of others, seed by seed."""

from types import MappingProxyType

import pytest

from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.columns import column_bed
from hybrid.experiments.multifidelity.job import Scored
from hybrid.experiments.multifidelity.leads import lead_metrics, lead_table
from hybrid.experiments.multifidelity.tables import Findings


def scored(r2: float, crps: float) -> Scored:
    scores = {"r2_pooled": r2, "crps": crps}
    pooled = {"p4k": {"heating": scores, "moistening": scores}}
    return Scored(pooled, MappingProxyType({}), MappingProxyType({}), {}, 1.0, 1)


FINDINGS = Findings(
    column_bed(),
    {
        "mf": [scored(0.8, 2.0), scored(0.9, 1.0), scored(0.7, 3.0)],
        "hf": [scored(0.7, 2.5), scored(0.7, 1.5), scored(0.7, 3.5)],
    },
    [by_name("mf"), by_name("hf")],
)


def test_a_lead_is_positive_where_the_first_is_better() -> None:
    metrics = lead_metrics(FINDINGS, "p4k")
    # Differences of R2 by seed .1, .2 and 0: mean .1, s.d. .1, Student's t(2) at 97.5 % 4.303.
    half = 4.303 * 0.1 / 3**0.5
    assert metrics["lead_r2_heating_p4k_hf"] == pytest.approx(0.1)
    assert metrics["lead_r2_heating_p4k_hf_low"] == pytest.approx(0.1 - half, abs=1e-4)
    assert metrics["lead_r2_heating_p4k_hf_high"] == pytest.approx(0.1 + half, abs=1e-4)
    # Every seed is better by .5: what seeds share leaves the interval.
    for end in ("", "_low", "_high"):
        assert metrics[f"lead_crps_moistening_p4k_hf{end}"] == pytest.approx(0.5)


def test_the_table_says_what_the_metrics_say() -> None:
    table = lead_table(FINDINGS, "p4k")
    assert list(table.rows) == ["HF alone"]
    assert len(table.columns) == len(table.rows["HF alone"]) == 12
    assert table.columns[:4] == (
        "R2 heating",
        "R2 heating, low",
        "R2 heating, high",
        "CRPS heating",
    )
    assert list(table.rows["HF alone"]) == pytest.approx(
        list(lead_metrics(FINDINGS, "p4k").values())
    )
    assert "W kg-1" in (table.note or "")
