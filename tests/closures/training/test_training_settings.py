"""Schedules, early stopping, averages, precision, and what is refused."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from closures.training import (
    EpochReport,
    History,
    Objective,
    Order,
    Supervised,
    TensorBatches,
    Training,
    fit,
    mean_squared_error,
    ranks,
    train,
)

GENERATOR = torch.Generator().manual_seed(3)
INPUTS = torch.randn(320, 3, generator=GENERATOR)
TARGETS = INPUTS @ torch.tensor([[2.0], [-1.0], [0.5]])
PLAIN = Training(6, batch_size=32, learning_rate=0.01, weight_decay=0.0, schedule="constant")


def linear() -> nn.Linear:
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
    return layer


def rates(training: Training) -> list[float]:
    history = train(linear(), INPUTS, TARGETS, training, (INPUTS, TARGETS))
    return list(history.learning_rate)


def test_constant_and_step_rates() -> None:
    assert rates(PLAIN) == pytest.approx([0.01] * 6)
    stepped = replace(PLAIN, schedule="step", every=2, factor=0.5)
    assert rates(stepped) == pytest.approx([0.01, 0.005, 0.005, 0.0025, 0.0025, 0.00125])


def test_cosine_ends_at_zero_and_the_cycle_peaks() -> None:
    cosine = rates(replace(PLAIN, schedule="cosine"))
    assert cosine[2] == pytest.approx(0.005)
    assert cosine[-1] == pytest.approx(0.0, abs=1e-8)
    cycle = rates(replace(PLAIN, schedule="one_cycle"))
    assert max(cycle) > 0.009
    assert cycle[-1] < 2e-3 * max(cycle)


def test_plateau_lowers_the_rate_where_nothing_improves() -> None:
    # A rate so low that the loss, a float32, never falls.
    training = replace(PLAIN, schedule="plateau", every=2, factor=0.1, learning_rate=1e-12)
    found = rates(training)
    assert found[0] == pytest.approx(1e-12)
    assert found[-1] == pytest.approx(1e-14)


def test_early_stopping_keeps_the_best_weights() -> None:
    # The validation targets are the other way round, so the first epoch is the best one.
    layer = linear()
    history = train(
        layer, INPUTS, TARGETS, replace(PLAIN, patience=2), validation=(INPUTS, -TARGETS)
    )
    assert len(history.training) == 3
    assert history.best_epoch == 1
    assert history.validation[0] == min(history.validation)
    found = mean_squared_error(layer(INPUTS), -TARGETS)
    assert float(found.detach()) == pytest.approx(history.validation[0], rel=1e-6)


def test_without_validation_the_last_weights_are_kept() -> None:
    layer = linear()
    history = train(layer, INPUTS, TARGETS, PLAIN)
    assert history.best_epoch == 6


def test_the_average_of_the_weights_is_kept() -> None:
    seen: list[Tensor] = []

    class Watched(Supervised):
        def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
            if self.training:
                seen.append(next(self.network.parameters()).detach().clone())
            return super().forward(inputs, targets)

    averaged, last = linear(), linear()
    batches = TensorBatches(INPUTS, TARGETS, Order(32, 0))
    training = replace(PLAIN, n_epoch=2)
    fit(Watched(averaged, mean_squared_error), batches, replace(training, averaging=0.6))
    train(last, INPUTS, TARGETS, training)
    _, average, *others = [*seen, last.weight.detach()]
    for n, weight in enumerate(others, start=1):
        decay = min(0.6, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * weight
    torch.testing.assert_close(averaged.weight.detach(), average)
    assert float((last.weight - average).abs().max().detach()) > 0.005


def test_mixed_precision_learns_the_same_within_its_rounding() -> None:
    layer = linear()
    history = train(layer, INPUTS, TARGETS, replace(PLAIN, n_epoch=30, precision="bf16-mixed"))
    assert history.training[-1] < 0.02 * history.training[0]
    assert layer.weight.dtype == torch.float32


def test_noise_is_added_while_training_alone() -> None:
    # Noise on linear inputs shrinks the weights by 1 / (1 + 0.25), as a ridge penalty does.
    layer = linear()
    training = replace(PLAIN, n_epoch=200, input_noise=0.5)
    history = train(layer, INPUTS, TARGETS, training, (INPUTS, TARGETS))
    assert float(layer.weight[0, 0].detach()) == pytest.approx(2.0 / 1.25, rel=0.15)
    assert history.training[-1] > 3.0 * history.validation[-1]


def test_reports_tell_rates_and_the_best() -> None:
    reports: list[EpochReport] = []
    batches = TensorBatches(INPUTS, TARGETS, Order(32, 0))
    objective = Supervised(linear(), mean_squared_error)
    history: History = fit(objective, batches, PLAIN, validation=batches, on_epoch=reports.append)
    assert [each.epoch for each in reports] == [1, 2, 3, 4, 5, 6]
    assert [each.validation for each in reports] == list(history.validation)
    assert reports[-1].best == min(history.validation)
    assert all(each.samples_per_second > 0.0 for each in reports)
    assert reports[0].seconds_left > 0.0 == reports[-1].seconds_left


class Staged(Objective):
    """Loss 1 in the first half, 10 in the second: stages that cannot be compared."""

    def stage_at(self, fraction: float) -> int:
        return 1 if fraction < 0.5 else 2

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        error = mean_squared_error(self.network(inputs), targets)
        return error + (1.0 if self.stage == 1 else 1000.0)


def test_the_best_is_looked_for_in_the_last_stage() -> None:
    batches = TensorBatches(INPUTS, TARGETS, Order(32, 0))
    objective = Staged(linear())
    history = fit(objective, batches, replace(PLAIN, patience=1), validation=batches)
    assert len(history.training) == 6
    assert history.validation[2] < 100.0 < history.validation[3]
    assert history.best_epoch == 6


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected schedule to be one of one_cycle, cosine"):
        replace(PLAIN, schedule="linear")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected precision to be one of 32, bf16-mixed"):
        replace(PLAIN, precision="16")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"0 <= averaging < 1.*got averaging=1\.0"):
        replace(PLAIN, averaging=1.0)
    with pytest.raises(ValueError, match="expected validation samples for patience"):
        train(linear(), INPUTS, TARGETS, replace(PLAIN, patience=1))
    broken = TARGETS.clone()
    broken[3] = float("nan")
    with pytest.raises(ValueError, match="expected a finite validation loss, got nan"):
        train(linear(), INPUTS, TARGETS, PLAIN, validation=(INPUTS, broken))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU")
def test_mixed_precision_on_a_gpu() -> None:
    layer = linear()
    batches = TensorBatches(INPUTS.cuda(), TARGETS.cuda(), Order(32, 0))
    training = replace(PLAIN, n_epoch=30, precision="bf16-mixed")
    with ranks("cuda") as among:
        history = fit(Supervised(layer, mean_squared_error), batches, training, among=among)
    assert history.training[-1] < 0.02 * history.training[0]
    assert layer.weight.is_cuda
