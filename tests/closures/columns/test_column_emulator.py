"""The closure around a network: any field list, every kind of result, physics layers, archives."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from column_specs import MIXED, V1, V2, column_spec, normalizations
from torch import Tensor, nn

import hybrid
from closures.base import Closure
from closures.columns.emulator import ColumnEmulator, Results
from closures.columns.layout import ColumnLayout
from closures.columns.nonnegative import Nonnegative
from closures.columns.registry import ARCHITECTURES, Head, build
from closures.errors import SpecError
from closures.field import Field
from closures.normalization import Normalization
from closures.sampling import random_inputs
from closures.spec import ClosureSpec
from hybrid import torchscript
from hybrid.noise import standard_normal
from hybrid.verify import verify

# Few levels where the archive is loaded: the library then tries blocks of up to 512 columns.
SHORT = {
    "V1": ColumnLayout(10, V1.inputs, V1.outputs),
    "V2": ColumnLayout(10, V2.inputs, V2.outputs),
}
RESULTS: tuple[tuple[str, Results], ...] = (
    *((name, "mean") for name in ARCHITECTURES),
    ("hsr", "moments"),
    ("hsr", "sample"),
    ("rpn", "moments"),
    ("rpn", "members"),
    ("rpn", "sample"),
    ("cvae", "moments"),
    ("cvae", "sample"),
    ("vertical_rnn", "memory"),
    ("mlp", "confidence"),
    ("bilstm", "trigger"),
)

HEADS: dict[Results, Head] = {"confidence": "confidence", "trigger": "trigger"}


def emulator(
    name: str, layout: ColumnLayout, results: Results = "mean", physics: tuple[nn.Module, ...] = ()
) -> ColumnEmulator:
    head = HEADS.get(results, "")
    network = build(name, layout, "tiny", seed=1, head=head)
    inputs, outputs = normalizations(layout)
    spec = column_spec(layout)
    return ColumnEmulator(spec, network, inputs, outputs, physics=physics, results=results).eval()


def columns(closure: Closure, n: int = 6) -> tuple[Tensor, ...]:
    return random_inputs(closure.spec, n, torch.Generator().manual_seed(0))


def stacked(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([t if t.dim() == 2 else t[:, None] for t in tensors], dim=1)


class Doubled(nn.Module):
    """A physics layer that needs inputs and outputs."""

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        return 2.0 * outputs + inputs[:, :1]


@pytest.mark.parametrize("layout", [V1, V2, MIXED])
def test_network_sees_normalised_features_in_order(layout: ColumnLayout) -> None:
    closure = emulator("mlp", layout)
    arguments = columns(closure)
    inputs, outputs = normalizations(layout)
    features = (stacked(arguments).double().numpy() - inputs.mean) * inputs.scale
    predicted = closure.network(torch.from_numpy(features).float()).double().detach().numpy()
    found = closure(*arguments)
    shapes = [(6, layout.n_level) if kind == "profile" else (6,) for kind in layout.outputs]
    assert [tuple(tensor.shape) for tensor in found] == shapes
    expected = outputs.denormalize(predicted)
    np.testing.assert_allclose(stacked(found).detach().numpy(), expected, rtol=1e-5, atol=1e-5)


def test_physics_layers_act_in_order_on_raw_values() -> None:
    spec = column_spec(MIXED)
    plain = emulator("mlp", MIXED)
    arguments = columns(plain)
    expected = 2.0 * stacked(plain(*arguments)) + stacked(arguments)[:, :1] - 6.0
    cut = torch.maximum(expected, torch.tensor(0.0))

    class Shifted(nn.Module):
        def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
            return outputs - 6.0

    names = [field.name for field in spec.outputs if not field.dims]
    layers = (Doubled(), Shifted(), Nonnegative(spec, names))
    found = stacked(emulator("mlp", MIXED, physics=layers)(*arguments))
    profiles = torch.tensor(MIXED.features("outputs", "profile"))
    scalars = torch.tensor(MIXED.features("outputs", "scalar"))
    assert torch.equal(found[:, profiles], expected[:, profiles])
    assert torch.equal(found[:, scalars], cut[:, scalars])
    assert expected[:, profiles].min() < 0.0
    assert expected[:, scalars].min() < 0.0


def test_only_outputs_can_be_kept_from_going_negative() -> None:
    with pytest.raises(SpecError, match=r"columns: expected outputs \(y0, .*\) .*, got rain"):
        Nonnegative(column_spec(MIXED), ["rain"])


def test_moments_are_denormalised() -> None:
    closure = emulator("hsr", MIXED, "moments")
    names = [field.name for field in closure.spec.outputs]
    assert names == ["y0", "y1", "y2", "y3", "y0_std", "y1_std", "y2_std", "y3_std"]
    arguments = columns(closure)
    inputs, outputs = normalizations(MIXED)
    normalized = (stacked(arguments).double().numpy() - inputs.mean) * inputs.scale
    mean, deviation = closure.network.moments(  # type: ignore[operator]
        torch.from_numpy(normalized).float()
    )
    found = closure(*arguments)
    expected = outputs.mean + outputs.spread * mean.double().detach().numpy()
    np.testing.assert_allclose(stacked(found[:4]).detach().numpy(), expected, rtol=1e-5)
    expected = outputs.spread * deviation.double().detach().numpy()
    np.testing.assert_allclose(stacked(found[4:]).detach().numpy(), expected, rtol=1e-5)


def test_mean_of_members_is_the_mean() -> None:
    closure = emulator("rpn", MIXED, "members")
    assert [field.shape for field in closure.spec.outputs] == [(3,), (3, 12), (3,), (3, 12)]
    assert closure.spec.outputs[1].dims == ("realization", "level")
    arguments = columns(closure)
    members = closure(*arguments)
    mean = emulator("rpn", MIXED)(*arguments)
    for all_of_them, expected in zip(members, mean, strict=True):
        torch.testing.assert_close(all_of_them.mean(dim=1), expected, rtol=1e-5, atol=1e-5)


def test_every_member_goes_through_the_physics_layers() -> None:
    arguments = columns(emulator("rpn", MIXED))
    plain = emulator("rpn", MIXED, "members")(*arguments)
    doubled = emulator("rpn", MIXED, "members", (Doubled(),))(*arguments)
    first = stacked(arguments)[:, :1]
    torch.testing.assert_close(doubled[0], 2.0 * plain[0] + first)
    torch.testing.assert_close(doubled[1], 2.0 * plain[1] + first[:, :, None])


def test_same_noise_same_draw() -> None:
    closure = emulator("cvae", MIXED, "sample")
    (field,) = closure.spec.noise
    assert (field.name, field.shape) == ("draw", (2 + MIXED.n_output,))
    *inputs, noise = columns(closure)
    first, again, other = (closure(*inputs, z)[1] for z in (noise, noise, -noise))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_confidence_falls_with_the_predicted_loss() -> None:
    closure = emulator("mlp", MIXED, "confidence")
    assert closure.spec.outputs[-1].role == "confidence"
    arguments = columns(closure)
    before = closure(*arguments)[-1]
    assert before.shape == (6,)
    assert ((before > 0.0) & (before < 1.0)).all()
    with torch.no_grad():
        closure.network.network.layers[-1].bias[MIXED.n_output :] += 1.0  # type: ignore[union-attr, index]
    assert (closure(*arguments)[-1] < before).all()


def test_outputs_are_zero_where_the_trigger_is_off() -> None:
    closure = emulator("bilstm", MIXED, "trigger")
    arguments = columns(closure, 40)
    with torch.no_grad():
        closure.network.network.head.bias[-1] -= closure(*arguments)[-1].logit().mean()  # type: ignore[union-attr, index, operator]
        *outputs, probability = closure(*arguments)
    on = probability > 0.5
    assert on.any()
    assert not on.all()
    for output in outputs:
        assert (output[on] != 0.0).all()
        assert (output[~on] == 0.0).all()


@pytest.mark.parametrize("layout", SHORT.values(), ids=SHORT)
@pytest.mark.parametrize(("name", "results"), RESULTS)
def test_archive_computes_the_same(
    name: str, results: Results, layout: ColumnLayout, tmp_path: Path
) -> None:
    closure = emulator(name, layout, results)
    report = hybrid.export(closure, tmp_path / "a.pt")
    assert max(report.differences.values()) <= report.bound
    n, spec = 32, closure.spec
    arguments = columns(closure, n)[: len(spec.inputs)]
    values = {f.name: a.numpy() for f, a in zip(spec.inputs, arguments, strict=True)}
    found = hybrid.load(tmp_path / "a.pt").evaluate(values, step=4, seed=9)
    more = [torch.zeros(n, *field.sizes) for field in spec.state]
    for i, field in enumerate(spec.noise):
        drawn = standard_normal(9, i, 4, np.arange(1, n + 1), field.size)
        more.append(torch.from_numpy(drawn).float())
    with torch.no_grad():
        expected = closure(*arguments, *more)
    for field, tensor in zip(spec.outputs, expected, strict=False):
        scale = float(tensor.abs().max())
        np.testing.assert_allclose(found[field.name], tensor.numpy(), rtol=0, atol=2e-6 * scale)


@pytest.mark.slow
@pytest.mark.fortran
@pytest.mark.parametrize("layout", SHORT.values(), ids=SHORT)
@pytest.mark.parametrize(("name", "results"), RESULTS)
def test_verify_passes_from_fortran_too(
    name: str, results: Results, layout: ColumnLayout, tmp_path: Path
) -> None:
    hybrid.export(emulator(name, layout, results), tmp_path / "a.pt")
    report = verify(tmp_path / "a.pt")
    assert report.ok
    assert {row.engine for row in report.rows} >= {"torchscript", "c", "fortran"}


@pytest.mark.parametrize(("name", "results"), [("mlp", "mean"), ("hsr", "sample")])
def test_two_exports_are_the_same_bytes(name: str, results: Results, tmp_path: Path) -> None:
    closure = emulator(name, MIXED, results)
    sums = []
    for path in (tmp_path / "first.pt", tmp_path / "second.pt"):
        hybrid.export(closure, path)
        sums.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert sums[0] == sums[1]


def test_emulators_can_be_added_and_scaled(tmp_path: Path) -> None:
    first, second = emulator("mlp", MIXED), emulator("cnn", MIXED)
    mixed = 0.5 * first + 0.5 * second
    hybrid.export(mixed, tmp_path / "mixed.pt")
    arguments = columns(first)
    for a, b, c in zip(first(*arguments), second(*arguments), mixed(*arguments), strict=True):
        torch.testing.assert_close(c, 0.5 * a + 0.5 * b)


def test_weights_are_saved_and_loaded() -> None:
    closure, other = emulator("cnn", MIXED), emulator("cnn", MIXED)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    names = list(closure.state_dict())
    assert len(names) == len({tensor.data_ptr() for tensor in closure.state_dict().values()})
    other.load_state_dict(closure.state_dict())
    arguments = columns(closure)
    for a, b in zip(closure(*arguments), other(*arguments), strict=True):
        assert torch.equal(a, b)


def test_dropout_is_off_in_the_archive() -> None:
    closure = emulator("cnn", MIXED)
    closure.train()
    arguments = columns(closure)
    assert not torch.equal(closure(*arguments)[1], closure(*arguments)[1])
    closure.eval()
    loaded = torch.jit.load(io.BytesIO(torchscript.compiled(closure)))  # type: ignore[no-untyped-call]
    for a, b in zip(closure(*arguments), loaded(*arguments), strict=True):
        assert torch.equal(a, b)


def scalar_spec(**changes: Any) -> ClosureSpec:
    level = ("level",), (12,)
    values = {
        "inputs": (Field("x", "K", *level),),
        "outputs": (Field("y", "K", *level),),
        **changes,
    }
    return ClosureSpec("refused", "1.0", **values)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            scalar_spec(inputs=(Field("x", "K", ("level",), (12,), "float64"),)),
            "x: expected float32, in which the networks compute, got float64; the bridge converts",
        ),
        (scalar_spec(noise=(Field("z", "1"),)), "a column contract of inputs and outputs alone"),
        (scalar_spec(outputs=(Field("y", "K"),)), r"normalisation of 1 outputs, .* shape \(12,\)"),
    ],
)
def test_contracts_that_do_not_fit(spec: ClosureSpec, message: str) -> None:
    twelve = Normalization(np.zeros(12), np.ones(12))
    with pytest.raises(SpecError, match=message):
        ColumnEmulator(spec, nn.Linear(12, 12), twelve, twelve)


@pytest.mark.parametrize(
    "results", ["moments", "members", "sample", "memory", "confidence", "trigger"]
)
def test_a_network_gives_what_it_has(results: Results) -> None:
    twelve = Normalization(np.zeros(12), np.ones(12))
    message = rf"refused: expected a \w+Network for results '{results}', got a Linear; choose"
    with pytest.raises(SpecError, match=message):
        ColumnEmulator(scalar_spec(), nn.Linear(12, 12), twelve, twelve, results=results)
