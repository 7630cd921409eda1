"""What ensembles, cascades and students cost: how it is measured, and what was measured."""

import numpy as np
import pytest
import torch

from benchmarks.ensemble_training import (
    IN_TURN,
    TOGETHER,
    TrainingCost,
    TrainingSizes,
    training_cost,
)
from benchmarks.ensembles import (
    ALIKE,
    APART,
    CASCADE,
    ONE_ARCHIVE,
    PAIRS,
    STUDENT,
    EnsembleCost,
    measure,
)
from benchmarks.fidelity_columns import (
    N_INPUT,
    N_LEVEL,
    N_OUTPUT,
    Scaling,
    column_contract,
    generated_columns,
)
from benchmarks.interleaved import QUICK
from closures.multifidelity import Samples

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
    *costs, training = measure((48,), QUICK)
    assert isinstance(training, TrainingCost)
    runs = [cost for cost in costs if isinstance(cost, EnsembleCost)]
    # What does not depend on blocks has none that could differ.
    without = [pair for pair in PAIRS if ALIKE not in pair]
    assert [(c.closure, c.beside, c.reproducible) for c in runs] == [
        *((*pair, True) for pair in PAIRS),
        *((*pair, False) for pair in without),
    ]
    assert len(runs) == len(costs)
    assert {c.closure for c in runs} == {ONE_ARCHIVE, CASCADE, STUDENT}
    assert runs[0].beside == APART
    rows = [*(cost.row() for cost in runs), training.row()]
    assert "" not in {text for row in rows for text in row.values()}
    for cost in runs:
        assert (cost.n_member, cost.n_column) == (4, 48)
        if not cost.reproducible:
            assert cost.block == cost.block_beside == 48
        if cost.beside == ALIKE:
            assert cost.block == cost.block_beside <= 48
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


def test_members_are_the_same_however_they_are_trained() -> None:
    rng = torch.Generator().manual_seed(0)
    features, targets = (torch.randn(96, n, generator=rng) for n in (5, 3))
    samples = Samples(features, targets, np.arange(96) // 8)
    cost = training_cost(samples, TrainingSizes(3, (16,), 32, 64), QUICK)
    assert (cost.closure, cost.beside) == (TOGETHER, IN_TURN)
    assert (cost.n_member, cost.widths, cost.batch_size, cost.n_sample) == (3, (16,), 32, 64)
    assert 0.0 < cost.low <= cost.ratio <= cost.high
    assert cost.seconds > 0.0
    # Rounding of products of another shape, through two steps of AdamW.
    assert cost.difference < 1e-4
    assert float(cost.row()["ratio"]) == pytest.approx(cost.ratio, abs=5e-4)
