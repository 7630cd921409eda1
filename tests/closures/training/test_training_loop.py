"""The offline loop."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from closures.training import Training, train

GENERATOR = torch.Generator().manual_seed(3)
INPUTS = torch.randn(640, 3, generator=GENERATOR)
SLOPES = torch.tensor([[2.0], [-1.0], [0.5]])
TARGETS = INPUTS @ SLOPES + 0.25
CONFIG = Training(n_epoch=20, batch_size=64, learning_rate=0.1, weight_decay=0.0)


def linear() -> nn.Linear:
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
    return layer


def test_linear_map_is_recovered() -> None:
    layer = linear()
    history = train(layer, INPUTS, TARGETS, CONFIG)
    torch.testing.assert_close(layer.weight.T, SLOPES, rtol=0, atol=1e-3)
    torch.testing.assert_close(layer.bias, torch.tensor([0.25]), rtol=0, atol=1e-3)
    assert len(history.training) == 20
    assert history.training[-1] < 1e-5 < history.training[0]
    assert history.validation == ()


def test_weight_decay_shrinks_the_weights() -> None:
    free, decayed = linear(), linear()
    train(free, INPUTS, TARGETS, CONFIG)
    train(decayed, INPUTS, TARGETS, replace(CONFIG, weight_decay=1.0))
    assert decayed.weight.norm() < 0.999 * free.weight.norm()


def test_seed_decides_the_order_of_samples() -> None:
    results = []
    for seed in (0, 0, 1):
        layer = linear()
        results.append(train(layer, INPUTS, TARGETS, replace(CONFIG, n_epoch=2, seed=seed)))
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_validation_loss_is_that_of_the_trained_network() -> None:
    layer = linear()
    held = (INPUTS[:50] + 1.0, TARGETS[:50])
    history = train(layer, INPUTS, TARGETS, replace(CONFIG, n_epoch=3), validation=held)
    assert len(history.validation) == 3
    with torch.no_grad():
        expected = torch.mean((layer(held[0]) - held[1]) ** 2)
    assert history.validation[-1] == pytest.approx(float(expected), rel=1e-6)


def test_own_loss_is_used_and_progress_reported() -> None:
    seen: list[float] = []

    def absolute(prediction: Tensor, target: Tensor) -> Tensor:
        return torch.mean((prediction - target).abs())

    first = replace(CONFIG, n_epoch=4, learning_rate=1e-12)
    history = train(linear(), INPUTS, TARGETS, first, loss=absolute, on_progress=seen.append)
    # The rate is too small to change anything, so the loss is that of a prediction of zero.
    assert history.training[0] == pytest.approx(float(TARGETS.abs().mean()), rel=1e-5)
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_loss_that_is_not_finite_stops_the_training() -> None:
    broken = TARGETS.clone()
    broken[5] = float("nan")
    with pytest.raises(ValueError, match="expected a finite loss, got nan in epoch 1"):
        train(linear(), INPUTS, broken, CONFIG)


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="at least one batch of 64, got fewer samples"):
        train(linear(), INPUTS[:10], TARGETS[:10], CONFIG)
    with pytest.raises(ValueError, match=r"as many inputs as targets, got 640 and 600"):
        train(linear(), INPUTS, TARGETS[:600], CONFIG)
    with pytest.raises(ValueError, match="n_epoch=0"):
        Training(n_epoch=0)
    with pytest.raises(ValueError, match="learning_rate > 0"):
        Training(n_epoch=1, learning_rate=0.0)
