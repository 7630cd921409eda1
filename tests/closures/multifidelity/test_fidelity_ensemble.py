"""Ensembles of one and two fidelities: forms, members, priors, training, noise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from closures.columns.emulator import ColumnEmulator
from closures.field import Field
from closures.multifidelity import (
    EnsembleSizes,
    EnsembleTraining,
    FeatureCount,
    FidelityBatches,
    FidelityEnsemble,
    Form,
    Samples,
    fit_ensemble,
    membership,
    pooled,
)
from closures.normalization import fit_normalization
from closures.spec import ClosureSpec
from closures.training import Checkpoint, Order, Training, TrainingError

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

COUNT = FeatureCount(2, 2)
SIZES = EnsembleSizes(n_member=4, widths=(32, 32))
HOW = EnsembleTraining(Training(30, batch_size=64, learning_rate=3e-3))


def some(n: int, high: float, function: Function, noise: float = 0.0, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.0, high, (n, 2))
    y = function(x) + noise * rng.standard_normal(x.shape)
    return Samples(torch.from_numpy(x).float(), torch.from_numpy(y).float(), np.arange(n) // 10)


def low_physics(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2.0 * x)


def high_physics(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2.0 * x) + 0.3 * x


@pytest.fixture(scope="module")
def low() -> Samples:
    return some(2000, 4.0, low_physics)


@pytest.fixture(scope="module")
def high() -> Samples:
    return some(500, 1.0, high_physics, noise=0.1, seed=1)


@pytest.fixture(scope="module")
def trained(low: Samples, high: Samples) -> FidelityEnsemble:
    return fit_ensemble(SIZES, COUNT, HOW, high=high, low=low)[0]


def test_additive_form_adds_a_correction_that_sees_features_and_low_fidelity() -> None:
    network = FidelityEnsemble(COUNT, SIZES)
    x = torch.randn(5, 2)
    low, high = network.fidelities(x)
    together = x.expand(4, -1, -1)
    assert torch.allclose(low, network.low(together))
    assert torch.allclose(high, low + network.high(torch.cat([together, low], dim=2)))
    assert torch.allclose(network(x), high.mean(dim=0))


def test_published_form_sees_the_low_fidelity_alone() -> None:
    network = FidelityEnsemble(COUNT, replace(SIZES, form="published"))
    low, high = network.fidelities(torch.randn(5, 2))
    assert torch.allclose(high, network.high(low))


def test_low_fidelity_sees_the_first_features_alone() -> None:
    network = FidelityEnsemble(FeatureCount(2, 2, low=1), SIZES)
    x = torch.randn(5, 2)
    changed = x.clone()
    changed[:, 1] += 1.0
    assert torch.equal(network.fidelities(x)[0], network.fidelities(changed)[0])
    assert not torch.allclose(network.fidelities(x)[1], network.fidelities(changed)[1])


@pytest.mark.parametrize("stop", [True, False])
def test_stopped_gradient_leaves_the_low_fidelity_network_alone(stop: bool) -> None:
    network = FidelityEnsemble(COUNT, replace(SIZES, stop_gradient=stop))
    network.members(torch.randn(5, 2)).square().sum().backward()  # type: ignore[no-untyped-call]
    gradients = [p.grad for p in network.low.trained.parameters()]
    assert all((g is None) == stop for g in gradients)


def test_priors_keep_their_weights_and_have_their_factor() -> None:
    network = FidelityEnsemble(COUNT, replace(SIZES, form="single", prior_scale=2.0))
    x = torch.randn(1, 5, 2).expand(4, -1, -1)
    low = network.low
    assert torch.allclose(low(x), low.trained(x) + 2.0 * low.prior(x))
    assert not any(p.requires_grad for p in low.prior.parameters())
    assert not torch.allclose(low.prior(x)[0], low.prior(x)[1])


def test_moments_join_members_and_noise() -> None:
    network = FidelityEnsemble(COUNT, SIZES, torch.nn.Linear(2, 2))
    x = torch.randn(6, 2)
    mean, deviation = network.moments(x)
    members = network.members(x)
    expected = members.var(dim=0) + network.noise(x).exp().square()
    assert torch.allclose(mean, members.mean(dim=0))
    assert torch.allclose(deviation.square(), expected)


def test_one_member_without_prior_is_a_deterministic_network(high: Samples) -> None:
    sizes = EnsembleSizes("single", 1, (16,), prior_scale=0.0)
    network, _ = fit_ensemble(sizes, COUNT, replace(HOW, share=1.0), high=high)
    mean, deviation = network.moments(high.features)
    assert torch.allclose(mean, network.members(high.features)[0])
    assert float(deviation.detach().abs().max()) == 0.0


@pytest.mark.parametrize("form", ["additive", "published", "single"])
def test_members_trained_together_are_those_trained_alone(
    low: Samples, high: Samples, form: Form
) -> None:
    sizes = replace(SIZES, form=form)
    plentiful = None if form == "single" else low
    how = replace(HOW, training=replace(HOW.training, n_epoch=3))
    together, _ = fit_ensemble(sizes, COUNT, how, high=high, low=plentiful)
    of_all = together.members(high.features)
    for k in (0, 3):
        one = replace(sizes, n_member=1, first_member=k)
        alone, _ = fit_ensemble(one, COUNT, how, high=high, low=plentiful)
        assert torch.allclose(alone.members(high.features)[0], of_all[k], atol=1e-5)
    assert not torch.allclose(of_all[0], of_all[3], atol=1e-2)


def test_two_fidelities_extrapolate_where_one_does_not(
    high: Samples, trained: FidelityEnsemble
) -> None:
    alone, _ = fit_ensemble(replace(SIZES, form="single"), COUNT, HOW, high=high)
    warm = some(500, 4.0, high_physics, seed=2)
    beyond = (warm.features > 1.5).all(dim=1)
    truth = warm.targets[beyond]

    def error(network: FidelityEnsemble) -> float:
        return float((network(warm.features[beyond]) - truth).square().mean().detach())

    assert error(trained) < 0.3 * error(alone)


def test_interrupted_training_goes_on_to_the_same_weights(
    low: Samples, high: Samples, tmp_path: Path, trained: FidelityEnsemble
) -> None:
    class StopError(Exception):
        pass

    def stop(fraction: float) -> None:
        if fraction > 0.6:
            raise StopError

    checkpoint = Checkpoint(tmp_path / "c", {})
    with pytest.raises(StopError):
        fit_ensemble(SIZES, COUNT, HOW, high=high, low=low, checkpoint=checkpoint, on_progress=stop)
    assert checkpoint.path.is_file()
    resumed, _ = fit_ensemble(SIZES, COUNT, HOW, high=high, low=low, checkpoint=checkpoint)
    for name, value in trained.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_noise_is_found_from_what_members_left_out() -> None:
    samples = some(6000, 2.0, lambda x: 0.5 * x, noise=0.3, seed=3)
    how = EnsembleTraining(
        Training(6, batch_size=128, weight_decay=0.0), noise=Training(6, batch_size=128)
    )
    sizes = EnsembleSizes("single", 4, (16,))
    network, _ = fit_ensemble(sizes, COUNT, how, high=samples)
    found = network.deviation(samples.features).mean(dim=0)
    assert torch.allclose(found, torch.full((2,), 0.3), rtol=0.15)


def test_members_learn_from_whole_groups() -> None:
    group = np.repeat(np.arange(10), 7)
    chosen = membership(group, range(6), 0.8, seed=0, fidelity=1)
    by_group = chosen.reshape(6, 10, 7)
    assert bool((by_group == by_group[:, :, :1]).all())
    assert by_group[:, :, 0].sum(dim=1).tolist() == [8] * 6
    assert torch.equal(chosen[2:4], membership(group, range(2, 4), 0.8, seed=0, fidelity=1))
    assert not torch.equal(chosen, membership(group, range(6), 0.8, seed=0, fidelity=0))
    of_two = membership(np.array([0, 1]), range(3), 0.8, seed=0, fidelity=0)
    assert of_two.sum(dim=1).tolist() == [1, 1, 1]


def test_batches_pass_over_the_larger_set_once_and_over_the_other_again_and_again(
    low: Samples, high: Samples
) -> None:
    batches = FidelityBatches(low, high, Order(100))
    rows = list(batches.epoch(3))
    assert len(rows) == len(batches) == 20
    of_low = torch.cat([row[2] for row in rows])
    assert sorted(of_low.tolist()) == list(range(2000))
    of_high = torch.cat([row[5] for row in rows])
    assert torch.bincount(of_high, minlength=500).tolist() == [2] * 500
    assert all(torch.equal(high.targets[row[5]], row[4]) for row in rows)
    again = list(batches.epoch(3))
    assert all(
        torch.equal(a, b)
        for x, y in zip(rows, again, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    assert not torch.equal(rows[0][2], next(iter(batches.epoch(4)))[2])


def test_pooled_samples_keep_groups_apart(low: Samples, high: Samples) -> None:
    both = pooled(low, high)
    assert len(both) == len(low) + len(high)
    assert not set(both.group[: len(low)]) & set(both.group[len(low) :])


@pytest.mark.filterwarnings("ignore:.*instance-level annotations.*")  # of generated modules
def test_archive_code_equals_the_ensemble(trained: FidelityEnsemble) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 2.0, (50, 2))
    spec = ClosureSpec(
        name="pair",
        version="1.0",
        inputs=(Field("t", "K", ("level",), (2,)),),
        outputs=(Field("tendency", "K s-1", ("level",), (2,)),),
        description="two levels",
    )
    closure = ColumnEmulator(
        spec, trained, fit_normalization(x), fit_normalization(0.1 * x), results="moments"
    )
    scripted = torch.jit.script(closure.scriptable())
    columns = torch.from_numpy(x).float()
    for mine, compiled in zip(closure(columns), scripted(columns), strict=True):
        assert torch.allclose(mine, compiled, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_member": 0}, "n_member >= 1"),
        ({"form": "other"}, "expected form"),
        ({"prior_scale": -1.0}, "prior_scale >= 0"),
        ({"widths": (0,)}, "width"),
    ],
)
def test_impossible_ensembles_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SIZES, **change)  # type: ignore[arg-type]


def test_bad_samples_are_refused(low: Samples) -> None:
    with pytest.raises(TrainingError, match="finite features"):
        Samples(low.features * torch.nan, low.targets, low.group)
    with pytest.raises(TrainingError, match="expected 2000 targets and groups"):
        Samples(low.features, low.targets[:5], low.group)
    with pytest.raises(TrainingError, match="share in"):
        membership(low.group, range(2), 0.0, seed=0, fidelity=0)
    with pytest.raises(TrainingError, match="lower batch_size"):
        FidelityBatches(low, some(3, 1.0, low_physics), Order(100))
