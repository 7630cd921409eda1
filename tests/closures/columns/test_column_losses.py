"""Losses against closed forms and against scoringrules."""

import math

import numpy as np
import pytest
import scoringrules
import torch
from column_specs import MIXED
from torch import Tensor

from closures.columns import losses
from closures.columns import probabilistic_losses as probabilistic
from closures.columns.layout import ColumnLayout


def normal(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_weighted_absolute_error() -> None:
    prediction, target = torch.tensor([[1.0, 5.0], [3.0, 5.0]]), torch.tensor([[0.0, 1.0]])
    weights = torch.tensor([120.0, 8.0])
    expected = (2.0 * 120.0 + 4.0 * 8.0) / 128.0
    assert losses.weighted_absolute_error(prediction, target, weights) == pytest.approx(expected)
    plain = losses.weighted_absolute_error(prediction, target, torch.ones(2))
    assert plain == pytest.approx(float((prediction - target).abs().mean()))


def test_huber_is_quadratic_then_linear() -> None:
    target = torch.zeros(1, 1)
    assert losses.huber(torch.tensor([[0.5]]), target) == pytest.approx(0.125)
    assert losses.huber(torch.tensor([[3.0]]), target) == pytest.approx(2.5)
    assert losses.huber(torch.tensor([[3.0]]), target, delta=2.0) == pytest.approx(4.0)


def test_vertical_difference_sees_shape_not_offset() -> None:
    target = normal(3, MIXED.n_output)
    offset = target + 7.0
    assert losses.vertical_difference(offset, target, MIXED) == pytest.approx(0.0, abs=1e-20)
    scalars = target.clone()
    scalars[:, 0] += 1.0
    assert losses.vertical_difference(scalars, target, MIXED) == 0.0
    step = target.clone()
    step[:, 6:13] += 0.5  # within the first profile, features 1 to 12
    # One of 11 differences in one of two profiles is off by 0.5.
    expected = 0.125 / 22.0
    assert losses.vertical_difference(step, target, MIXED) == pytest.approx(expected)


def test_vertical_difference_needs_profiles() -> None:
    layout = ColumnLayout(12, ("profile",), ("scalar",))
    with pytest.raises(ValueError, match="profiles of two levels or more, got 0 of 12; leave"):
        losses.vertical_difference(torch.zeros(1, 1), torch.zeros(1, 1), layout)


def test_confidence_loss_is_least_where_the_head_knows() -> None:
    prediction, target = normal(50, 4), normal(50, 4, seed=1)
    own = torch.nn.functional.huber_loss(prediction, target, reduction="none")
    knows = losses.confidence(prediction, own, target)
    assert knows == pytest.approx(float(own.mean()))
    assert losses.confidence(prediction, own + 0.5, target) == pytest.approx(knows + 0.125)


def test_confidence_loss_reaches_the_prediction_through_both_terms() -> None:
    prediction = torch.tensor([[0.5]], requires_grad=True)
    loss = losses.confidence(prediction, torch.tensor([[0.0]]), torch.tensor([[0.0]]))
    loss.backward()  # type: ignore[no-untyped-call]
    # d/dp (p^2 / 2 + (p^2 / 2)^2 / 2) = p + p^3 / 2
    assert prediction.grad is not None
    assert float(prediction.grad) == pytest.approx(0.5 + 0.5**3 / 2.0)


def test_only_active_columns_count_in_the_regression() -> None:
    prediction, target, log_odds = normal(4, 3), normal(4, 3, seed=1), normal(4, seed=2)
    active = torch.tensor([True, False, False, True])
    probability = torch.sigmoid(log_odds)
    decision = -torch.where(active, probability, 1.0 - probability).log().mean()
    expected = decision + ((prediction - target)[active] ** 2).mean()
    assert losses.triggered(prediction, log_odds, target, active) == pytest.approx(float(expected))
    none = torch.zeros(4, dtype=torch.bool)
    off = -(1.0 - probability).log().mean()
    assert losses.triggered(prediction, log_odds, target, none) == pytest.approx(float(off))


def test_heteroskedastic_stages() -> None:
    mean, log_precision, target = normal(9, 3), normal(9, 3, seed=1), normal(9, 3, seed=2)
    first = probabilistic.heteroskedastic(mean, log_precision, target, stage=1)
    assert first == pytest.approx(float(((mean - target) ** 2).mean()))
    second = probabilistic.heteroskedastic(mean, log_precision, target, stage=2)
    gaussian = torch.distributions.Normal(mean, torch.exp(-0.5 * log_precision))
    log_likelihood = gaussian.log_prob(target).mean()  # type: ignore[no-untyped-call]
    expected = -2.0 * log_likelihood - math.log(2.0 * math.pi)
    assert second == pytest.approx(float(expected))
    with pytest.raises(ValueError, match="expected stage 1 or 2, got 3"):
        probabilistic.heteroskedastic(mean, log_precision, target, stage=3)


def test_weight_decays_share_the_regularisation() -> None:
    alpha, beta = probabilistic.weight_decays(0.25, 0.5)
    assert (alpha, beta) == (0.25, 0.75)
    with pytest.raises(ValueError, match=r"expected 0 < gamma, rho < 1, got 1\.0 and 0\.0"):
        probabilistic.weight_decays(1.0)


def test_natural_parameters_give_the_same_likelihood() -> None:
    mean, deviation, target = normal(9, 3), normal(9, 3, seed=1).exp(), normal(9, 3, seed=2)
    found = probabilistic.natural_gaussian(mean / deviation**2, -0.5 / deviation**2, target)
    gaussian = torch.distributions.Normal(mean, deviation)
    expected = -gaussian.log_prob(target).mean()  # type: ignore[no-untyped-call]
    assert found == pytest.approx(float(expected))


def test_elbo_terms() -> None:
    mean, log_deviation, target = normal(9, 3), normal(9, 3, seed=1), normal(9, 3, seed=2)
    centre, log_variance = normal(9, 2, seed=3), normal(9, 2, seed=4)
    distributions = torch.distributions
    gaussian = distributions.Normal(mean, log_deviation.exp())
    fit = -gaussian.log_prob(target).mean()  # type: ignore[no-untyped-call]
    divergence = distributions.kl_divergence(
        distributions.Normal(centre, (0.5 * log_variance).exp()),
        distributions.Normal(torch.zeros_like(centre), torch.ones_like(centre)),
    )
    expected = fit - 0.5 * math.log(2.0 * math.pi) + 0.3 * divergence.sum(dim=1).mean() / 3.0
    found = probabilistic.negative_elbo(
        (mean, log_deviation), (centre, log_variance), target, beta=0.3
    )
    assert found == pytest.approx(float(expected))


def test_reparameterized_draws_have_their_moments_and_gradients() -> None:
    centre = torch.full((20_000, 1), 2.0, requires_grad=True)
    log_variance = torch.full((20_000, 1), math.log(9.0))
    drawn = probabilistic.reparameterized((centre, log_variance), torch.Generator().manual_seed(0))
    assert float(drawn.detach().mean()) == pytest.approx(2.0, abs=0.1)
    assert float(drawn.detach().std()) == pytest.approx(3.0, rel=0.02)
    drawn.sum().backward()  # type: ignore[no-untyped-call]
    assert centre.grad is not None
    assert torch.equal(centre.grad, torch.ones_like(centre))


@pytest.mark.parametrize(("alpha", "estimator"), [(1.0, "fair"), (0.0, "nrg")])
def test_crps_agrees_with_scoringrules(alpha: float, estimator: str) -> None:
    members, target = normal(7, 20, 3), normal(20, 3, seed=1)
    found = probabilistic.almost_fair_crps(members, target, alpha)
    expected = scoringrules.crps_ensemble(
        target.numpy(), members.numpy(), m_axis=0, estimator=estimator
    )
    assert found == pytest.approx(float(np.mean(expected)), rel=1e-12)


def test_almost_fair_crps_lies_between() -> None:
    members, target = normal(4, 20, 3), normal(20, 3, seed=1)
    fair, biased, between = (
        probabilistic.almost_fair_crps(members, target, alpha) for alpha in (1.0, 0.0, 0.95)
    )
    assert between == pytest.approx(float(0.95 * fair + 0.05 * biased), rel=1e-12)
    with pytest.raises(ValueError, match="expected at least 2 members, got 1"):
        probabilistic.almost_fair_crps(members[:1], target)


def test_gaussian_crps_agrees_with_scoringrules() -> None:
    mean, deviation, target = normal(9, 3), normal(9, 3, seed=1).exp(), normal(9, 3, seed=2)
    expected = scoringrules.crps_normal(target.numpy(), mean.numpy(), deviation.numpy())
    found = probabilistic.gaussian_crps(mean, deviation, target)
    assert found == pytest.approx(float(np.mean(expected)), rel=1e-12)


def test_members_learn_from_their_own_samples() -> None:
    membership = probabilistic.random_membership(3, 50, 0.8, seed=1)
    assert membership.sum(dim=1).tolist() == [40, 40, 40]
    assert not torch.equal(membership[0], membership[1])
    assert torch.equal(membership, probabilistic.random_membership(3, 50, 0.8, seed=1))
    members, target = normal(3, 50, 2), normal(50, 2, seed=1)
    expected = [
        float(((members[k, membership[k]] - target[membership[k]]) ** 2).mean()) for k in range(3)
    ]
    found = probabilistic.member_squared_error(members, target, membership)
    assert found == pytest.approx(np.mean(expected))
    with pytest.raises(ValueError, match=r"a fraction in \(0, 1\], got 0"):
        probabilistic.random_membership(3, 50, 0.0, seed=1)
