"""Every architecture: sizes, seeds, gradients, scripting, independence of neighbours."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from column_specs import MIXED, V1, V2
from torch import Tensor, nn

from closures.columns.layout import ColumnLayout
from closures.columns.networks.convnext import ConvNeXtSizes
from closures.columns.networks.interface import (
    ConfidentNetwork,
    EnsembleNetwork,
    MemoryNetwork,
    StochasticNetwork,
    TriggeredNetwork,
)
from closures.columns.networks.mlp import MLPSizes
from closures.columns.networks.randomized_prior import RandomizedPriorEnsemble, RandomizedPriorSizes
from closures.columns.networks.squeezeformer import SqueezeformerSizes
from closures.columns.networks.variational import ConditionalVAE
from closures.columns.registry import ARCHITECTURES, DETERMINISTIC, Head, build, sizes_of

LAYOUTS = {"V1": V1, "V2": V2, "mixed": MIXED}
V5 = ColumnLayout.profiles_first(60, (23, 25), (5, 8))
KAGGLE = ColumnLayout.profiles_first(60, (9, 17), (5, 8))


def features(layout: ColumnLayout, n: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(n, layout.n_input, generator=torch.Generator().manual_seed(seed))


def n_parameter(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shape_and_script(name: str, layout: ColumnLayout) -> None:
    network = build(name, layout, "tiny").eval()
    scripted = torch.jit.script(network)
    x = features(layout)
    output = network(x)
    assert output.shape == (5, layout.n_output)
    assert torch.isfinite(output).all()
    assert torch.equal(scripted(x), output)
    assert torch.equal(network(x), output)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_small_sizes_stay_small(name: str) -> None:
    assert n_parameter(build(name, V1)) < 1e6
    assert n_parameter(build(name, V1, "tiny")) < 20_000


@pytest.mark.parametrize(
    ("name", "preset", "layout", "expected"),
    [
        ("mlp", "published", V1, 1_753_472),
        ("mlp", "published_v2", V2, 2_440_304),
        ("mlp", "published_online", V2, 1_500_400),
        ("cnn", "published", V1, 13_215_420),
        ("ed", "published", V1, 831_879),
        ("hsr", "published", V1, 6_832_384),
        ("rpn", "published", V1, 2 * 32 * 1_753_472),
        ("unet", "published", V5, 12_983_821),
        ("reslstm", "published", KAGGLE, 15_323_149),
    ],
)
def test_published_sizes(name: str, preset: str, layout: ColumnLayout, expected: int) -> None:
    with torch.device("meta"):
        network = ARCHITECTURES[name].make(layout, sizes_of(name, preset))
    assert n_parameter(network) == expected


def test_perceptron_with_norm_and_silu_is_what_it_says() -> None:
    layout = ColumnLayout.profiles_first(2, (1, 1), (1, 0))
    sizes = MLPSizes((4,), activation="silu", layer_norm=True, dropout=0.5)
    network = build("mlp", layout, sizes=sizes).eval()
    parameters = dict(network.named_parameters())
    weights = [value for name, value in parameters.items() if value.dim() == 2]
    biases = [parameters["layers.0.bias"], parameters["layers.4.bias"]]
    x = features(layout)
    hidden = x @ weights[0].T + biases[0]
    centred = hidden - hidden.mean(dim=1, keepdim=True)
    normed = centred / torch.sqrt(centred.square().mean(dim=1, keepdim=True) + 1e-5)
    expected = (normed * torch.sigmoid(normed)) @ weights[1].T + biases[1]
    torch.testing.assert_close(network(x), expected, rtol=1e-5, atol=1e-6)
    network.train()
    assert not torch.equal(network(x), network(x))


def test_reported_parameters_of_unet_and_reslstm() -> None:
    """What the reports count beyond our networks; see the presets."""
    fixed_skips = 4 * (128 * 128 + 128) + 8 * (256 * 256 + 256)
    locations = 385 * 8 + 7 * 128 * 3
    assert round((12_983_821 + fixed_skips + locations) / 1e6, 2) == 13.58
    assert abs(15_323_149 / 15.40e6 - 1.0) < 0.01


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_follow_the_seed_alone(name: str) -> None:
    before = torch.random.get_rng_state()
    first = build(name, MIXED, "tiny", seed=3).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(1)
    again = build(name, MIXED, "tiny", seed=3).state_dict()
    other = build(name, MIXED, "tiny", seed=4).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def everything(network: nn.Module, x: Tensor) -> Tensor:
    """All that a network computes, so that a gradient can reach every weight."""
    total: Tensor = network(x).square().sum()
    if isinstance(network, ConditionalVAE):
        centre, log_variance = network.encode(x, network(x))
        total = total + centre.square().sum() + log_variance.square().sum()
    if isinstance(network, StochasticNetwork):
        total = total + network.moments(x)[1].square().sum()
    if isinstance(network, MemoryNetwork):
        memory = torch.ones(len(x), MIXED.n_level, network.n_memory)
        total = total + network.step(x, memory)[1].square().sum()
    if isinstance(network, ConfidentNetwork):
        total = total + network.with_loss(x)[1].square().sum()
    if isinstance(network, TriggeredNetwork):
        total = total + network.with_trigger(x)[1].square().sum()
    return total


HEADS: tuple[Head, ...] = ("", "confidence", "trigger")


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_gradients_reach_all_weights(name: str, head: Head) -> None:
    if head and name not in DETERMINISTIC:
        with pytest.raises(ValueError, match=f"{name}: expected one of mlp, .* a head of {head}"):
            build(name, MIXED, "tiny", head=head)
        return
    network = build(name, MIXED, "tiny", head=head)
    if name == "unet":
        # Its last layer starts from zero and lets no gradient through; one step ends that.
        everything(network, features(MIXED)).backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD(network.parameters(), lr=0.1).step()
    network.zero_grad()
    everything(network, features(MIXED, n=64)).backward()  # type: ignore[no-untyped-call]
    dead = [
        key
        for key, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert dead == []
    fixed = [key for key, parameter in network.named_parameters() if not parameter.requires_grad]
    assert all(key.startswith("prior.") for key in fixed)
    assert bool(fixed) == (name == "rpn")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_columns_do_not_feel_each_other(name: str) -> None:
    network = build(name, MIXED, "tiny", seed=1).eval()
    x = features(MIXED, n=9)
    together = network(x)
    alone = torch.cat([network(row[None]) for row in x])
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-5)
    shuffled = network(x.flip(0)).flip(0)
    torch.testing.assert_close(shuffled, together, rtol=1e-5, atol=1e-5)
    changed = x.clone()
    changed[1:] = 100.0
    torch.testing.assert_close(network(changed)[0], together[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in {"ed", "cvae"}])
def test_every_input_matters(name: str) -> None:
    """Of the two left out, one has a bottleneck of three numbers, whose ReLU may close it."""
    network = build(name, MIXED, "tiny", seed=1).eval()
    if name == "unet":
        nn.init.normal_(network.last[2].weight)  # type: ignore[index, union-attr]
    x = features(MIXED, n=32).requires_grad_()
    network(x).square().sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=0) > 0).all()


def test_sizes_of_your_own() -> None:
    sizes = replace(sizes_of("mlp", "tiny"), widths=(7,))
    network = build("mlp", MIXED, sizes=sizes)
    assert [p.shape[0] for p in network.parameters()] == [7, 7, MIXED.n_output, MIXED.n_output]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: build("mpl", V1), r"network: expected one of mlp, cnn, .*; got 'mpl'"),
        (lambda: build("cnn", V1, "huge"), r"cnn: expected a preset of tiny, small, .*'huge'"),
        (lambda: RandomizedPriorSizes(1, (4,)), "expected at least 2 members, got 1"),
        (lambda: ConvNeXtSizes((1, 2), (8,)), "expected one width for each depth"),
        (lambda: SqueezeformerSizes(9, 1, 2, 3, 8), "a multiple of the number of heads, got 9"),
    ],
)
def test_wrong_sizes_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["hsr", "rpn", "cvae"])
def test_samples_have_the_moments(name: str) -> None:
    network = build(name, MIXED, "tiny", seed=2).eval()
    assert isinstance(network, StochasticNetwork)
    x = features(MIXED, n=1)
    n = 40_000
    noise = torch.randn(n, network.n_noise, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        mean, deviation = network.moments(x)
        drawn = network.sample(x.expand(n, -1), noise)
    torch.testing.assert_close(network(x), mean)
    # The cubature of the cVAE is exact for cubics alone; its decoder is not one.
    bound = 0.1 if name == "cvae" else 0.03
    assert ((drawn.mean(dim=0) - mean[0]).abs() / deviation[0]).max() < bound
    assert (drawn.std(dim=0) / deviation[0] - 1.0).abs().max() < bound


def test_batched_members_are_separate_perceptrons() -> None:
    network = build("rpn", MIXED, "tiny", seed=2)
    assert isinstance(network, RandomizedPriorEnsemble)
    x = features(MIXED, n=4)
    members = network.members(x)
    assert members.shape == (3, 4, MIXED.n_output)
    for k in range(3):
        total = torch.zeros(4, MIXED.n_output)
        for part in (network.trained, network.prior):
            y = x
            for i, layer in enumerate(part.layers):
                y = y @ layer.weight[k] + layer.bias[k]  # type: ignore[index]
                y = nn.functional.leaky_relu(y, 0.15) if i < 2 else y
            total += y
        torch.testing.assert_close(members[k], total, rtol=1e-5, atol=1e-5)
    assert (members.std(dim=0) > 0).all()
    mean, deviation = network.moments(x)
    torch.testing.assert_close(mean, members.mean(dim=0))
    torch.testing.assert_close(deviation, members.std(dim=0))
    assert isinstance(network, EnsembleNetwork)


def test_cubature_is_exact_for_a_linear_decoder() -> None:
    network = build("cvae", MIXED, "tiny", seed=2).eval()
    assert isinstance(network, ConditionalVAE)
    n, k = MIXED.n_output, network.n_latent
    linear = nn.Linear(k + MIXED.n_input, 2 * n)
    with torch.no_grad():
        linear.weight[n:] = 0.0
        linear.bias[n:] = -1.0
    network.decoder = nn.Sequential(linear)
    x = features(MIXED, n=3)
    mean, deviation = network.moments(x)
    expected = linear(torch.cat([torch.zeros(3, k), x], dim=1))[:, :n]
    torch.testing.assert_close(mean, expected, rtol=1e-5, atol=1e-5)
    variance = linear.weight[:n, :k].square().sum(dim=1) + torch.exp(torch.tensor(-2.0))
    torch.testing.assert_close(deviation, variance.sqrt().expand(3, -1))


def test_memory_is_carried_and_bounded() -> None:
    network = build("vertical_rnn", MIXED, "tiny", seed=2).eval()
    assert isinstance(network, MemoryNetwork)
    x = features(MIXED, n=3)
    memory = torch.zeros(3, MIXED.n_level, network.n_memory)
    first, memory = network.step(x, memory)
    second, memory = network.step(x, memory)
    assert torch.equal(first, network(x))
    assert not torch.equal(first, second)
    assert memory.shape == (3, 12, 2)
    assert memory.abs().max() < 1.0


def test_predicted_loss_is_positive_and_shares_the_layers() -> None:
    network = build("mlp", MIXED, "tiny", head="confidence")
    assert isinstance(network, ConfidentNetwork)
    prediction, loss = network.with_loss(features(MIXED))
    assert torch.equal(prediction, network(features(MIXED)))
    assert (loss > 0).all()
    plain = build("mlp", MIXED, "tiny")
    head = 17 * MIXED.n_output
    assert n_parameter(network) - n_parameter(plain) == head


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_learns(name: str) -> None:
    """Two outputs that follow two inputs level by level; the rest is zero."""
    network = build(name, MIXED, "tiny", seed=5)
    x = features(MIXED, n=64, seed=6)
    target = torch.zeros(64, MIXED.n_output)
    profiles = torch.tensor(MIXED.features("inputs", "profile"))
    target[:, torch.tensor(MIXED.features("outputs", "profile"))] = x[:, profiles]
    target[:, 0] = x[:, 0]
    before = float((network(x) - target).detach().square().mean())
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.02)
    for _ in range(40):
        loss = (network(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    assert float((network(x) - target).detach().square().mean()) < 0.85 * min(before, 1.0)
