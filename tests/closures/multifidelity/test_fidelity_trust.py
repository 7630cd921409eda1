"""From members' deviations to a confidence, and what part of an ensemble is."""

import math

import fidelity_ensembles as made
import numpy as np
import pytest
import torch

from closures.columns.networks.member_statistics import member_statistics
from closures.ensemble_scores import Outputs
from closures.multifidelity import (
    GuardedEnsemble,
    RelativeSpread,
    confidence_of,
    spread_of,
)
from closures.multifidelity.guarded import part_of
from closures.multifidelity.moments import (
    deviation_bias,
    joined_statistics,
    scaled_deviation,
)


def test_relative_spread_is_that_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    parts = {"a": slice(0, 3), "b": slice(3, 5)}
    outputs = Outputs(parts, [1.0, 2.0, 3.0, 1.0, 4.0], [2.0, 0.0, 0.5, 1.0, 8.0])
    unit = np.array([3.0, 1.0, 0.25, 1.0, 2.0])
    deviation = rng.uniform(0.1, 2.0, (7, 5))
    found = RelativeSpread.of_outputs(outputs, unit)(torch.from_numpy(deviation).float())
    expected = np.mean([outputs.relative_spread(deviation * unit, n) for n in parts], axis=0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [np.nan], [0.0, 0.0], [[1.0]], []])
def test_weights_that_make_no_sense(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="relative spread: expected"):
        RelativeSpread(weights)


def test_confidence_falls_as_the_spread_grows() -> None:
    spreads = np.logspace(-6, 6, 50)
    confidences = [confidence_of(spread) for spread in spreads]
    assert all(0.0 < c <= 1.0 for c in confidences)
    assert (np.diff(confidences) < 0.0).all()
    np.testing.assert_allclose([spread_of(c) for c in confidences], spreads, rtol=1e-9)


def test_guarded_ensemble_is_the_ensemble() -> None:
    whole, x = made.ensemble(), made.features(40)
    guarded = GuardedEnsemble(whole, made.spread(), 0.5)
    with torch.no_grad():
        mean, deviation, confidence = guarded.guarded(x)
        members = whole.members(x)
        expected = whole.moments(x)
    torch.testing.assert_close(mean, expected[0])
    torch.testing.assert_close(deviation, expected[1])
    torch.testing.assert_close(guarded.moments(x)[1], deviation)
    torch.testing.assert_close(guarded.sample(x, torch.ones_like(mean)), mean + deviation)
    # Noise widens the deviation, and does not lower the confidence.
    epistemic = members.std(dim=0)
    assert (deviation > epistemic).all()
    weights = made.spread().weights
    torch.testing.assert_close(confidence, 1.0 / (1.0 + (epistemic * weights).sum(dim=1)))
    assert guarded.least_confidence == confidence_of(0.5)


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.inf, math.nan])
def test_thresholds_must_be_positive(threshold: float) -> None:
    with pytest.raises(ValueError, match="expected a threshold above 0"):
        GuardedEnsemble(made.ensemble(), made.spread(), threshold)


def test_one_member_cannot_be_guarded() -> None:
    with pytest.raises(ValueError, match="expected at least 2 members, got 1"):
        GuardedEnsemble(made.ensemble(n_member=1), made.spread(), 0.5)


@pytest.mark.parametrize("form", ["single", "additive", "published"])
def test_parts_hold_their_members(form: str) -> None:
    whole, x = made.ensemble(form), made.features(9)
    part = part_of(whole, 2, 5)
    bare = part_of(whole, 2, 5, noise=False)
    with torch.no_grad():
        torch.testing.assert_close(part.members(x), whole.members(x)[2:5])
        assert torch.equal(part.deviation(x), whole.deviation(x))
        assert torch.equal(bare.deviation(x), torch.zeros_like(whole.deviation(x)))
        before = whole.members(x)
        for values in part.parameters():
            values.add_(1.0)
        assert torch.equal(whole.members(x), before)
    assert part.n_member == part.n_noise == 3


def test_statistics_of_groups_are_those_of_all() -> None:
    members = torch.randn(11, 5, 4, generator=torch.Generator().manual_seed(0)) + 100.0
    mean, scatter = joined_statistics(
        *member_statistics(members[:3]), 3, member_statistics(members[3:]), 8
    )
    torch.testing.assert_close(mean, members.mean(dim=0))
    torch.testing.assert_close(scatter / 10, members.var(dim=0), rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_few_normal_members_spread_as_many_on_average(n: int) -> None:
    draws = torch.randn(n, 40_000, 1, generator=torch.Generator().manual_seed(n))
    found = scaled_deviation(member_statistics(draws)[1], n, 32)
    # Standard error of the mean: at most 0.8 / 200.
    assert float(found.mean()) == pytest.approx(deviation_bias(32), abs=0.012)
    assert float(draws.std(dim=0).mean()) < deviation_bias(32) - 0.015


def test_one_number_has_no_deviation() -> None:
    with pytest.raises(ValueError, match="expected at least 2 members, got 1"):
        deviation_bias(1)
