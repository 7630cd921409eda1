"""The distribution of actions that agents draw together, against dense covariance matrices."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from hybrid.learners.joint_normal import JointNormal, Moments

N_MODEL, N_COEFFICIENT, N_FEATURE, N_AGENT = 3, 2, 4, 25
PARTS = (0.0, 0.5, 0.99)


def case(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, features and actions."""
    draw = torch.Generator().manual_seed(seed)
    weights = torch.randn(N_COEFFICIENT, N_FEATURE, generator=draw)
    features = torch.randn(N_MODEL, N_FEATURE, N_AGENT, generator=draw)
    actions = torch.randn(N_MODEL, N_COEFFICIENT, N_AGENT, generator=draw)
    return weights, features, actions


def covariance(normal: JointNormal, features: Tensor) -> Tensor:
    """Covariance of the actions of a model's agents, shape (agent, agent), by its definition."""
    x = features.double()
    alone = normal.alone * (x**2).sum(0).mean() * torch.eye(N_AGENT, dtype=torch.float64)
    return alone + normal.shared * x.mT @ x


@pytest.mark.parametrize("common", PARTS)
def test_density_and_entropy_are_those_of_the_dense_normal(common: float) -> None:
    normal = JointNormal(0.3, common)
    weights, features, actions = case()
    moments = Moments.of(actions, features)
    log_prob, entropy = normal.log_prob(weights, moments), normal.entropy(moments)
    for model in range(N_MODEL):
        dense = covariance(normal, features[model]).numpy()
        mean = (weights.double() @ features[model].double()).numpy()
        expected = [multivariate_normal(mean[c], dense) for c in range(N_COEFFICIENT)]
        density = sum(e.logpdf(a) for e, a in zip(expected, actions[model].numpy(), strict=True))
        assert log_prob[model].item() == pytest.approx(density, rel=1e-9)
        total = sum(e.entropy() for e in expected)
        assert entropy[model].item() == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("common", PARTS)
def test_draws_have_mean_and_covariance(common: float) -> None:
    torch.manual_seed(1)
    normal, n = JointNormal(0.5, common), 20_000
    weights, features, _ = case()
    seen = features[:1].expand(n, -1, -1)
    noise = normal.noise(n, N_COEFFICIENT, N_FEATURE)
    actions = normal.sample(weights, noise, seen)[:, 0].double().numpy()
    dense = covariance(normal, features[0]).numpy()
    error = np.sqrt(np.diag(dense) / n)
    mean = (weights @ features[0])[0].numpy()
    assert (np.abs(actions.mean(axis=0) - mean) < 5.0 * error).all()
    # The standard error of a covariance of normal numbers.
    error = np.sqrt((dense**2 + np.outer(np.diag(dense), np.diag(dense))) / n)
    assert (np.abs(np.cov(actions.T) - dense) < 5.0 * error).all()


def test_noise_that_is_kept_is_the_same_for_all_agents() -> None:
    torch.manual_seed(2)
    normal = JointNormal(0.5, 1.0 - 1e-12)
    weights, features, _ = case()
    noise = normal.noise(N_MODEL, N_COEFFICIENT, N_FEATURE)
    first, again = (normal.sample(weights, noise, features) for _ in range(2))
    assert torch.allclose(first, again, rtol=0, atol=1e-4)
    assert torch.allclose(first, (weights + noise) @ features, rtol=0, atol=1e-4)


def test_agents_vary_as_much_whatever_they_have_in_common() -> None:
    _, features, _ = case()
    traces = [covariance(JointNormal(0.3, part), features[0]).trace().item() for part in PARTS]
    assert traces == pytest.approx([traces[0]] * len(PARTS))


def test_common_exploration_tells_of_weights_what_it_tells_of_them() -> None:
    # With next to no noise of their own, agents say what the weights were: the derivative of the
    # density by the weights is then that of a normal distribution of the weights.
    normal = JointNormal(0.3, 1.0 - 1e-8)
    weights, features, _ = case()
    weights = weights.double().requires_grad_()
    noise = normal.noise(N_MODEL, N_COEFFICIENT, N_FEATURE).double()
    actions = (weights.detach() + noise) @ features.double()
    density = normal.log_prob(weights, Moments.of(actions, features)).sum()
    (derivative,) = torch.autograd.grad(density, weights)
    assert torch.allclose(derivative, noise.sum(0) / 0.3**2, rtol=1e-4)


@pytest.mark.parametrize(
    ("deviation", "common", "message"),
    [
        (0.0, 0.5, "deviation: expected a positive number, got 0.0"),
        (
            0.1,
            1.0,
            (
                "common: expected a part from 0 to less than 1, got 1.0; the rest is what agents "
                "do alone, without which actions have no density"
            ),
        ),
    ],
)
def test_what_has_no_density_is_refused(deviation: float, common: float, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the whole text is compared
        JointNormal(deviation, common)
    assert str(error.value) == message
