"""Linear members with random priors are draws from the Bayesian posterior.

For ``y = X w + e`` with ``w ~ N(0, p^2 I)`` and ``e ~ N(0, s^2 I)``, a member that draws its prior
weights ``w_0 ~ N(0, p^2 I)``, adds noise ``N(0, s^2 I)`` of its own to the targets and minimises
``|y + noise - X (w_0 + v)|^2 / s^2 + |v|^2 / p^2`` over v has weights ``w_0 + v`` with the
posterior's mean and covariance: Osband, Aslanides & Cassirer 2018, Randomized prior functions for
deep reinforcement learning, NeurIPS, lemma 3.

Here members, priors and the error that they minimise are those of the trainings. What differs from
these: the minimum is found to the last digits and not by some epochs of AdamW; weights are held
back towards the prior by the penalty above, not by AdamW's decay; and each member sees all samples
with noise on the targets, not a share of the samples as they are. Subsets without replacement know
nothing of s and are no draws from a posterior.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from closures.multifidelity import EnsembleSizes, FeatureCount, FidelityEnsemble
from closures.multifidelity.objectives import SingleFidelityError

N_MEMBER, N_INPUT, N_SAMPLE = 4000, 4, 12
PRIOR_SCALE, NOISE = 1.7, 0.6
# Variance of Glorot's initial weights of a layer of that size.
PRIOR_VARIANCE = PRIOR_SCALE**2 * 2.0 / (N_INPUT + 1)

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(N_SAMPLE, N_INPUT)) * [1.0, 0.3, 2.0, 0.1]
    x[:, 3] += 0.05 * x[:, 0]
    y = x @ np.array([0.5, -1.0, 0.2, 2.0]) + NOISE * rng.normal(size=N_SAMPLE)
    return x, y


@pytest.fixture(scope="module")
def members(data: tuple[Array, Array]) -> Tensor:
    """Weights of trained members, prior and all ``(n_member, n_input)``."""
    x, y = (torch.from_numpy(values) for values in data)
    sizes = EnsembleSizes("single", N_MEMBER, (), PRIOR_SCALE, seed=5)
    ensemble = FidelityEnsemble(FeatureCount(N_INPUT, 1), sizes).double()
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(N_MEMBER, N_SAMPLE, 1, generator=generator, dtype=torch.float64)
    targets = y[None, :, None] + NOISE * noise
    everything = torch.ones(N_MEMBER, N_SAMPLE, dtype=torch.bool)
    objective = SingleFidelityError(ensemble, everything)
    (layer,) = ensemble.low.trained.layers
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.nn.Parameter)
    with torch.no_grad():
        weight.zero_()
    bias.requires_grad_(requires_grad=False)
    # The error is a mean over the samples.
    penalty = NOISE**2 / (PRIOR_VARIANCE * N_SAMPLE)
    optimizer = torch.optim.LBFGS(
        [weight],
        max_iter=300,
        tolerance_grad=1e-12,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = objective(x, targets, torch.arange(N_SAMPLE))
        total: Tensor = error + penalty * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    loss()
    assert weight.grad is not None
    assert float(weight.grad.abs().max()) < 1e-6
    prior = ensemble.low.prior.layers[0].weight  # type: ignore[union-attr, index]
    found: Tensor = (weight + PRIOR_SCALE * prior).detach()[:, :, 0]
    return found


def test_members_are_draws_from_the_posterior(data: tuple[Array, Array], members: Tensor) -> None:
    x, y = data
    covariance = np.linalg.inv(x.T @ x / NOISE**2 + np.eye(N_INPUT) / PRIOR_VARIANCE)
    mean = covariance @ x.T @ y / NOISE**2
    # In the posterior's own units everything is white.
    white = np.linalg.cholesky(np.linalg.inv(covariance)).T
    drawn = (members.numpy() - mean) @ white.T
    # Standard errors are 1 / sqrt(n) of means and of covariances, sqrt(2 / n) of variances.
    error = 1.0 / np.sqrt(N_MEMBER)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=4.0 * error)
    found = np.cov(drawn.T)
    np.testing.assert_allclose(found, np.eye(N_INPUT), atol=4.0 * np.sqrt(2.0) * error)
    # The data have taught something of some weights and little of others.
    shrunk = np.diag(covariance) / PRIOR_VARIANCE
    assert shrunk.min() < 0.1
    assert shrunk.max() > 0.5


def test_without_a_prior_they_are_not(data: tuple[Array, Array], members: Tensor) -> None:
    """What the data say little of would seem known: the first test can fail."""
    x, y = data
    covariance = np.linalg.inv(x.T @ x / NOISE**2 + np.eye(N_INPUT) / PRIOR_VARIANCE)
    rng = np.random.default_rng(3)
    targets = y[:, np.newaxis] + NOISE * rng.normal(size=(N_SAMPLE, N_MEMBER))
    alone = (covariance @ x.T @ targets / NOISE**2).T
    variance = np.diag(covariance)
    assert (np.var(alone, axis=0) / variance).min() < 0.6
    assert (np.var(members.numpy(), axis=0) / variance).min() > 0.9
