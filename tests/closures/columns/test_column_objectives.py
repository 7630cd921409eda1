"""Objectives of column networks: what they minimise, and that they do."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from closures import ClosureSpec, Field, SpecError
from closures.columns.emulator import ColumnEmulator
from closures.columns.layout import ColumnLayout
from closures.columns.losses import vertical_difference
from closures.columns.networks.heteroskedastic import HeteroskedasticRegression
from closures.columns.networks.vertical_rnn import VerticalRNN
from closures.columns.nonnegative import Nonnegative
from closures.columns.objective_choice import LossSettings, Setting, make_objective
from closures.columns.objectives import ColumnObjective
from closures.columns.registry import build
from closures.columns.weighting import feature_weights
from closures.constraints import FieldRanges
from closures.normalization import Normalization, fit_normalization
from closures.training import Order, TensorBatches, Training, fit
from closures.training.trajectories import TrajectoryBatches

N_LEVEL = 4
SPEC = ClosureSpec(
    "columns",
    "1.0",
    inputs=(Field("t", "K", ("level",), (N_LEVEL,)), Field("ps", "Pa")),
    outputs=(Field("heating", "K s-1", ("level",), (N_LEVEL,)), Field("rain", "m s-1")),
)
RANGES = FieldRanges.of_spec(SPEC)
LAYOUT = ColumnLayout.of_fields(SPEC.inputs, SPEC.outputs)


def columns(n: int = 256) -> tuple[Tensor, Tensor]:
    """Raw columns; the first level never changes, and half the columns are dry."""
    inputs = torch.randn(n, N_LEVEL + 1, generator=torch.Generator().manual_seed(1))
    heating = 1e-4 * inputs[:, :N_LEVEL].roll(1, dims=1)
    heating[:, 0] = 0.0
    rain = 1e-7 * inputs[:, 4:].clamp(min=0.0)
    return inputs * 10.0 + 250.0, torch.cat([heating, rain], dim=1)


INPUTS, OUTPUTS = columns()


def normalization(values: Tensor) -> Normalization:
    return fit_normalization(values.double().numpy())


def objective(
    name: str = "mlp",
    physics: tuple[nn.Module, ...] = (),
    head: Any = "",
    inputs: Tensor = INPUTS,
    **loss: Any,
) -> ColumnObjective:
    """Objective around a tiny network."""
    results = {"confidence": "confidence", "trigger": "trigger"}.get(head, "mean")
    emulator = ColumnEmulator(
        SPEC,
        build(name, LAYOUT, "tiny", head=head),
        normalization(inputs),
        normalization(OUTPUTS),
        physics=physics,
        results=results,  # type: ignore[arg-type]
    )
    energy = np.array([10.0, 20.0, 30.0, 40.0, 2.5e9])
    setting = Setting(
        LAYOUT, RANGES, normalization(OUTPUTS), ("rain",), 20.0, energy, len(INPUTS), 3
    )
    return make_objective(emulator.core, LossSettings(**loss), setting)


def expected(made: ColumnObjective) -> tuple[Tensor, Tensor]:
    """Prediction with the rain cut off at zero, and target, both normalised, without level 0."""
    inputs, outputs = normalization(INPUTS), normalization(OUTPUTS)
    x = torch.from_numpy(inputs.normalize(INPUTS.double().numpy())).float()
    with torch.no_grad():
        prediction = made.network(x)
    zero = float(outputs.normalize(np.zeros(5))[4])
    prediction[:, 4] = prediction[:, 4].clamp(min=zero)
    target = torch.from_numpy(outputs.normalize(OUTPUTS.double().numpy())).float()
    return prediction[:, 1:], target[:, 1:]


def value(made: ColumnObjective, *more: Tensor) -> float:
    with torch.no_grad():
        return float(made.eval()(INPUTS, OUTPUTS, *more))


def test_errors_are_those_of_outputs_that_vary_with_scalars_cut_off() -> None:
    made = objective(kind="mse")
    prediction, target = expected(made)
    assert value(made) == pytest.approx(float((prediction - target).square().mean()), rel=1e-5)
    assert value(objective(kind="mae")) == pytest.approx(
        float((prediction - target).abs().mean()), rel=1e-5
    )
    huber = nn.functional.huber_loss(prediction, target, delta=0.5)
    assert value(objective(kind="huber", delta=0.5)) == pytest.approx(float(huber), rel=1e-5)


def test_rain_is_squared_where_the_rest_is_absolute() -> None:
    made = objective(kind="mae", squared=("rain",))
    prediction, target = expected(made)
    errors = torch.cat([(prediction - target)[:, :3].abs(), (prediction - target)[:, 3:] ** 2], 1)
    assert value(made) == pytest.approx(float(errors.mean()), rel=1e-5)
    assert value(made) != pytest.approx(value(objective(kind="mae")), rel=1e-3)
    with pytest.raises(SpecError, match="expected in squared outputs out of heating, rain"):
        objective(kind="mae", squared=("snow",))


def test_weights_count_outputs_as_scores_do() -> None:
    energy = torch.tensor([20.0, 30.0, 40.0, 2.5e9])
    spread = torch.from_numpy(normalization(OUTPUTS).spread[1:]).float()
    made = objective(kind="mae", weighting="energy")
    prediction, target = expected(made)
    errors = ((prediction - target).abs().mean(dim=0) * spread * energy).tolist()
    # Of a profile the mean over levels counts, the constant one among them.
    score = sum(errors[:3]) / 4 + errors[3]
    equal = [each / w for each, w in zip(errors, (spread * energy).tolist(), strict=True)]
    weights = [
        float(s * e) / (4 if i < 3 else 1)
        for i, (s, e) in enumerate(zip(spread, energy, strict=True))
    ]
    assert value(made) == pytest.approx(score / sum(weights), rel=1e-4)
    by_variable = objective(kind="mae", weighting="energy_by_variable", weights={"rain": 3.0})
    total = sum(float(s * e) for s, e in zip(spread[:3], energy[:3], strict=True))
    assert value(by_variable) == pytest.approx(
        (sum(errors[:3]) / total + 3.0 * equal[3]) / 4.0, rel=1e-4
    )


def test_weights_have_mean_one_over_what_varies() -> None:
    spread = normalization(OUTPUTS).spread
    weights = feature_weights(RANGES, spread, factors={"rain": 5.0})
    assert weights[0] == 0.0
    assert weights[1:].mean() == pytest.approx(1.0)
    assert weights[4] == pytest.approx(5.0 * weights[1])
    with pytest.raises(SpecError, match="expected the energy of each output"):
        feature_weights(RANGES, spread, "energy")
    with pytest.raises(SpecError, match=r"outputs out of heating, rain .* got snow=1"):
        feature_weights(RANGES, spread, factors={"snow": 1.0})
    with pytest.raises(SpecError, match="an output that varies and counts"):
        feature_weights(RANGES, np.zeros(5))


def test_vertical_differences_are_added() -> None:
    plain = value(objective(kind="huber"))
    made = objective(kind="huber", vertical_difference=0.7)
    prediction, target = expected(made)
    constant = torch.zeros(len(prediction), 1)
    more = vertical_difference(
        torch.cat([constant, prediction], dim=1), torch.cat([constant, target], dim=1), LAYOUT
    )
    assert value(made) == pytest.approx(plain + 0.7 * float(more), rel=1e-5)


class Doubled(nn.Module):
    """Physics that doubles all outputs."""

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        return 2.0 * outputs


def test_the_error_after_physics_is_that_of_the_closure() -> None:
    layers = (Nonnegative(SPEC, ["rain"]), Doubled())
    made = objective(physics=layers, kind="mse", through_physics=True)
    with torch.no_grad():
        (outputs,) = made.core(INPUTS)
    spread = torch.from_numpy(normalization(OUTPUTS).spread).float()
    error = ((outputs - OUTPUTS)[:, 1:] / spread[1:]).square().mean()
    assert value(made) == pytest.approx(float(error), rel=1e-4)
    assert value(objective(physics=layers, kind="mse")) != pytest.approx(float(error), rel=1e-2)


def test_targets_are_clipped() -> None:
    made = objective(kind="mse")
    extreme = OUTPUTS.clone()
    extreme[0, 2] = 1e6
    with torch.no_grad():
        assert float(made(INPUTS, extreme)) < value(made) + 30.0**2 / OUTPUTS[:, 1:].numel()


def test_noise_reaches_inputs_that_the_network_sees() -> None:
    inputs = INPUTS.clone()
    inputs[:, 2] = 250.0
    made = objective(kind="mse", inputs=inputs)
    made.input_noise = 0.1
    made.train()
    noise = made.features(INPUTS) - made.core.normalized(INPUTS)
    assert float(noise[:, [0, 1, 3, 4]].std()) == pytest.approx(0.1, rel=0.1)
    assert float(noise[:, 2].abs().max()) == 0.0
    made.eval()
    assert torch.equal(made.features(INPUTS), made.core.normalized(INPUTS))


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("hsr", {"kind": "heteroskedastic"}),
        ("hsr", {"kind": "gaussian_crps"}),
        ("hsr", {"kind": "sample_crps", "n_draw": 3}),
        ("rpn", {"kind": "members"}),
        ("rpn", {"kind": "ensemble_crps"}),
        ("cvae", {"kind": "elbo"}),
        ("cvae", {"kind": "sample_crps"}),
        ("mlp", {"kind": "confidence"}),
        ("mlp", {"kind": "trigger", "active": "rain"}),
        ("mlp", {"kind": "mae", "vertical_difference": 1.0}),
    ],
)
def test_every_objective_is_learned(name: str, loss: dict[str, Any]) -> None:
    head = loss["kind"] if loss["kind"] in {"confidence", "trigger"} else ""
    made = objective(name, head=head, **loss)
    numbered = loss["kind"] == "members"
    batches = TensorBatches(INPUTS, OUTPUTS, Order(32, 0, numbered=numbered))
    held = TensorBatches(INPUTS, OUTPUTS, Order(256, None, drop_last=False, numbered=numbered))
    training = Training(30, batch_size=32, learning_rate=1e-2, schedule="constant")
    history = fit(made, batches, training, validation=held)
    # The stages of heteroskedastic regression are not compared.
    first = 10 if name == "hsr" and loss["kind"] == "heteroskedastic" else 0
    assert history.validation[-1] < history.validation[first] - 0.05


def test_members_learn_from_their_own_samples() -> None:
    made = objective("rpn", kind="members", fraction=0.5)
    membership = made.membership
    assert isinstance(membership, Tensor)
    assert membership.sum(dim=1).tolist() == [128] * 3
    numbers = torch.arange(len(INPUTS))
    without = numbers[~membership[0] & ~membership[1] & ~membership[2]]
    made.train()
    loss = made(INPUTS[without], OUTPUTS[without], without)
    assert float(loss.detach()) == 0.0
    assert value(made, numbers) > 0.0


def test_heteroskedastic_regression_has_two_stages_and_two_decays() -> None:
    made = objective("hsr", kind="heteroskedastic", gamma=0.022)
    assert [made.stage_at(each / 9) for each in range(9)] == [1, 1, 1, 2, 2, 2, 2, 2, 2]
    decays = [group["weight_decay"] for group in made.parameter_groups(0.5)]
    assert decays == pytest.approx([0.0004949, 0.022], rel=1e-3)
    made.stage = 1
    made(INPUTS, OUTPUTS).backward()
    assert isinstance(made.network, HeteroskedasticRegression)
    precision = made.network.log_precision
    assert all(each.grad is None for each in precision.parameters())


def test_a_rollout_carries_the_memory() -> None:
    made = objective("vertical_rnn", kind="mse", rollout=3)
    network = made.network
    assert isinstance(network, VerticalRNN)
    inputs, outputs = INPUTS.reshape(-1, 4, 5)[:, :3], OUTPUTS.reshape(-1, 4, 5)[:, :3]
    with torch.no_grad():
        together = float(made(inputs, outputs))
        one = [float(made(inputs[:, [i]], outputs[:, [i]])) for i in range(3)]
        memory = torch.zeros(len(inputs), N_LEVEL, 2)
        expected = []
        for i in range(3):
            found, memory = network.step(made.features(inputs[:, i]), memory)
            error = made.compared(inputs[:, i], found) - made.targets(outputs[:, i])
            expected.append(float(error[:, 1:].square().mean()))
    assert together == pytest.approx(sum(expected) / 3, rel=1e-5)
    assert together != pytest.approx(sum(one) / 3, rel=1e-4)


class Steps:
    """Three columns at six time steps, whose features are step and column."""

    n_sample = 18
    widths = (2, 1)

    def parts(self) -> list[tuple[Any, Any]]:
        step, column = np.divmod(np.arange(18, dtype=np.float32), 3)
        inputs = np.stack([step, column], axis=1)
        return [(inputs[:12], step[:12, None]), (inputs[12:], step[12:, None])]


def test_trajectories_are_consecutive_steps_of_one_column() -> None:
    batches = TrajectoryBatches(Steps(), [0, 1, 2, 5, 6, 7], 2, Order(4, 0))
    assert len(batches) == 3
    found = torch.cat([inputs for inputs, _ in batches.epoch(0)])
    assert found.shape == (12, 2, 2)
    assert torch.equal(found[:, 0, 1], found[:, 1, 1])
    starts = sorted({(int(a), int(b)) for a, b in found[:, :, 0]})
    assert starts == [(0, 1), (1, 2), (3, 4), (4, 5)]
    with pytest.raises(ValueError, match="expected 4 consecutive time steps, found none among 6"):
        TrajectoryBatches(Steps(), [0, 1, 2, 5, 6, 7], 4, Order(4, 0))


def test_losses_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SpecError, match="loss elbo: expected a ConditionalVAE, got a MLP"):
        objective(kind="elbo")
    with pytest.raises(SpecError, match="expected a network with head 'trigger'"):
        objective(kind="trigger", active="rain")
    with pytest.raises(SpecError, match="expected in active a scalar output, got 'heating'"):
        objective(head="trigger", kind="trigger", active="heating")
    with pytest.raises(SpecError, match="expected no weights, got weighting=energy"):
        objective("hsr", kind="heteroskedastic", weighting="energy")
    with pytest.raises(SpecError, match="expected through_physics=false"):
        objective("hsr", kind="heteroskedastic", through_physics=True)
    with pytest.raises(ValueError, match="loss: expected one of mse, mae, huber"):
        LossSettings(kind="mape")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"rollout >= 1, got 1\.0, 0\.0 and 0"):
        LossSettings(rollout=0)
