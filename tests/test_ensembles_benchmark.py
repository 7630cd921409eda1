"""What ensembles, cascades and students cost: how it is measured, and what was measured."""

import numpy as np
import pytest

from benchmarks.ensembles import APART, CASCADE, ONE_ARCHIVE, PAIRS, STUDENT, measure
from benchmarks.fidelity_columns import (
    N_INPUT,
    N_LEVEL,
    N_OUTPUT,
    Scaling,
    column_contract,
    generated_columns,
)
from benchmarks.interleaved import QUICK

pytestmark = pytest.mark.fortran


def test_columns_are_warmer_where_asked() -> None:
    columns = generated_columns("high", (0.0, 4.0), 2, 1)
    assert columns.inputs.shape == (768, N_INPUT)
    assert columns.outputs.shape == (768, N_OUTPUT)
    assert list(np.unique(columns.group, return_counts=True)[1]) == [384, 384]
    ground = columns.inputs[:, N_LEVEL - 1]
    assert ground[columns.group == 1].mean() > ground[columns.group == 0].mean() + 2.0
    scaling = Scaling.of(columns)
    assert float(scaling.features(columns).std(dim=0).max()) < 1.001
    spec = column_contract(columns)
    low = np.concatenate([np.atleast_1d(np.asarray(field.valid_min)) for field in spec.inputs])
    np.testing.assert_array_equal(low, columns.inputs.min(axis=0))


def test_everything_is_compared() -> None:
    costs = list(measure((48,), QUICK))
    assert [(c.closure, c.beside, c.reproducible) for c in costs] == [
        (*pair, reproducible) for reproducible in (True, False) for pair in PAIRS
    ]
    assert {c.closure for c in costs} == {ONE_ARCHIVE, CASCADE, STUDENT}
    assert costs[0].beside == APART
    for cost in costs:
        assert (cost.n_member, cost.n_column) == (4, 48)
        assert 0.0 < cost.low <= cost.ratio <= cost.high
        scores = cost.scores
        assert 0.0 < scores.flagged < 1.0
        assert set(scores.crps) == set(scores.coverage90) == {"present", "p4k"}
        assert all(0.0 < crps < 2.0 for crps in scores.crps.values())
        assert all(0.0 <= covered <= 1.0 for covered in scores.coverage90.values())
        row = cost.row()
        assert float(row["ratio"]) == pytest.approx(cost.ratio, abs=5e-4)
        if cost.closure == ONE_ARCHIVE:
            assert scores.agreement == scores.agreement_trusted == scores.agreement_flagged == 1.0
        if cost.closure == CASCADE:
            assert scores.agreement > 0.8
