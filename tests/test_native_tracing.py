"""Operations of torch become steps that compute the same, or are refused in words."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from native_programs import Function
from torch import Tensor, nn
from torch.nn import functional

from hybrid.native.errors import NotExpressedError
from hybrid.native.evaluate import evaluate
from hybrid.native.program import Program
from hybrid.native.tracing import trace

N_COLUMN = 5
"""Columns that forward is followed with."""
N_OTHER = 11
"""Columns that the program is then evaluated for."""
SHAPE = (4, 3)
WEIGHT = torch.linspace(-1.0, 1.0, 18).reshape(6, 3)


def columns(n: int, seed: int = 0) -> Tensor:
    """Return numbers of both signs, some beyond where activations saturate, none near zero."""
    generator = torch.Generator().manual_seed(seed)
    x = 4.0 * torch.randn(n, *SHAPE, generator=generator)
    return x + 0.1 * torch.sign(x)


def traced(function: Callable[..., Tensor | tuple[Tensor, ...]], n: int = 1) -> Program:
    return trace(Function(function), [columns(N_COLUMN, seed) for seed in range(n)])


def assert_same(function: Callable[..., Tensor | tuple[Tensor, ...]], n: int = 1) -> Program:
    """Trace with some columns and compare with torch for others."""
    program = traced(function, n)
    others = [columns(N_OTHER, seed + 10) for seed in range(n)]
    found = evaluate(program, [tensor.numpy() for tensor in others])
    with torch.no_grad():
        expected = Function(function)(*others)
    for array, tensor in zip(found, expected, strict=True):
        wanted = tensor.to(torch.float32).reshape(N_OTHER, -1).numpy()
        finite = np.abs(wanted[np.isfinite(wanted)])
        atol = 8 * 2.0**-23 * float(finite.max(initial=1.0))
        np.testing.assert_allclose(array, wanted, rtol=2e-6, atol=atol)
    return program


ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "numbers": lambda x: 2.0 - (3.0 * x + 1.0) / 4.0 - x,
    "a number by it": lambda x: 1.5 / x,
    "alpha": lambda x: torch.add(x, x, alpha=3) + torch.sub(x, x * x, alpha=0.5),
    "rsub": lambda x: torch.rsub(x, 2.0, alpha=3),
    "relu": torch.relu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.15),
    "elu": lambda x: functional.elu(x, 0.7),
    "selu": functional.selu,
    "gelu": functional.gelu,
    "gelu, tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "log": lambda x: torch.log(x.abs()),
    "sqrt": torch.sqrt,
    "rsqrt": lambda x: torch.rsqrt(x.abs()),
    "neg": torch.neg,
    "reciprocal": torch.reciprocal,
    "softplus": functional.softplus,
    "softplus, sharp": lambda x: functional.softplus(x, 3.0, 30.0),
    "softsign": functional.softsign,
    "hardtanh": functional.hardtanh,
    "relu6": functional.relu6,
    "hardsigmoid": functional.hardsigmoid,
    "hardswish": functional.hardswish,
    "prelu": lambda x: functional.prelu(x, torch.tensor([0.1, 0.2, 0.3, 0.4])),
    "square": torch.square,
    "cube": lambda x: x**3,
    "powers": lambda x: x**1 + x**-1 + x**-2 + x.abs() ** 0.5 + x.abs() ** -0.5,
    "powers, not whole": lambda x: x.abs() ** 2.5 + x.abs() ** -0.3 + x**0.7,
    "clamp": lambda x: x.clamp(-1.0, 2.0) + x.clamp(max=0.5),
    "clamp by tensors": lambda x: x.clamp(min=torch.tensor([-1.0, 0.0, 1.0])),
    "clamp_min": lambda x: torch.clamp_min(x, 0.5) + torch.clamp_max(x, 0.5),
    "infinite limit": lambda x: x.clamp(-torch.inf, 2.0),
    "maximum": lambda x: torch.maximum(x, torch.tensor([-torch.inf, 0.0, 1.0])),
    "minimum": lambda x: torch.minimum(x, -x),
    "addcmul": lambda x: torch.addcmul(x, x, x, value=0.5),
    "addcmul, constants": lambda x: torch.addcmul(x, torch.ones(3), torch.arange(3.0)),
    "addcdiv": lambda x: torch.addcdiv(x, x, x.abs() + 1.0),
    "where": lambda x: torch.where(x > 0.5, x, -2.0 * x),
    "where, equal": lambda x: torch.where((x >= 0.0) & ~(x > 1.0) | (x != x[:, :1]), x, x + 1.0),
    "where, constants": lambda x: torch.where(x[:, :, :1] < 0.0, torch.arange(3.0), x),
    "comparisons": lambda x: (x <= 0.0).to(x.dtype) + (x == x[:, :1]).float() * (x < 3.0),
    "fixed mask": lambda x: x.masked_fill(torch.tensor([True, False, True]), 0.25),
    "mask of all": lambda x: x.masked_fill(torch.tensor(True), 0.25) + x,
    "fixed where": lambda x: torch.where(torch.tensor([True, False, True]), x, x.flip([1])),
    "mask": lambda x: x.masked_fill(x < 0.0, 7.0),
    "in place": lambda x: (x * 2.0).relu_().add_(1.0),
    "constants of the batch": lambda x: x + torch.zeros_like(x) + torch.full((len(x), 1, 1), 2.0),
}

KERNEL = torch.sin(torch.arange(24.0)).reshape(2, 4, 3)
CONVOLUTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "kernel of one level": lambda x: functional.conv1d(x, KERNEL[:, :, :1], torch.ones(2)),
    "without padding": lambda x: functional.conv1d(x, KERNEL),
    "as many levels as before": lambda x: functional.conv1d(x, KERNEL, torch.ones(2), padding=1),
    "fewer levels": lambda x: functional.conv1d(x, KERNEL, padding=2, stride=2),
    "one after the other": lambda x: functional.conv1d(
        functional.conv1d(x, KERNEL, padding=1).relu(), KERNEL[:, :2], padding=1
    ),
    "a kernel a channel": lambda x: functional.conv1d(
        x, KERNEL.reshape(4, 2, 3)[:, :1], torch.arange(4.0), padding=1, groups=4
    ),
    "a kernel a channel, no bias": lambda x: functional.conv1d(
        x.mT, KERNEL.reshape(8, 1, 3)[:3], padding=1, groups=3
    ),
}

MOVED: dict[str, Callable[[Tensor], Tensor]] = {
    "itself": lambda x: x,
    "views": lambda x: x.reshape(-1, 12).view(-1, 2, 6),
    "permuted": lambda x: x.permute(0, 2, 1).contiguous().flatten(1),
    "columns last": lambda x: (x.permute(1, 2, 0) * torch.arange(12.0).reshape(4, 3, 1)).permute(
        2, 1, 0
    ),
    "slices": lambda x: x[:, 1:4:2, -1] - x[:, 0, 1:],
    "flipped and rolled": lambda x: x.flip([1]) + x.roll(2, 1),
    "picked": lambda x: x[:, [3, 0, 0]] + x.index_select(1, torch.tensor([1, 2, 3])),
    "gathered": lambda x: x.gather(2, torch.ones(len(x), 4, 2, dtype=torch.long)),
    "split": lambda x: (
        torch.cat(torch.split(x, [1, 3], 1)[::-1], 1) + torch.stack(x.unbind(2), 1).mT
    ),
    "chunks": lambda x: x.chunk(2, 1)[1],
    "repeated": lambda x: x[:, :1].expand(-1, 4, -1) + x.repeat(1, 1, 2)[..., 3:],
    "differences": lambda x: torch.diff(x, dim=1),
    "joined": lambda x: torch.cat([x.exp(), torch.ones(len(x), 1, 3), x], dim=1),
    "a row of ones": lambda x: torch.cat([torch.ones(1, 1, 1).expand(len(x), 4, -1), x], dim=2),
    "stacked": lambda x: torch.stack([x, x.tanh(), torch.zeros_like(x)], dim=2),
    "windows": lambda x: x.unfold(1, 2, 1).sum(-1),
    "folded batch": lambda x: x.repeat(3, 1, 1).tanh().reshape(3, -1, 4, 3).transpose(0, 1),
}

SUMMED: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda x: x.sum(2),
    "sum, two axes": lambda x: x.sum((1, 2)),
    "sum, kept": lambda x: x - x.sum(1, keepdim=True),
    "mean": lambda x: x.mean(-1) + x.mean((1, 2), keepdim=True)[..., 0],
    "one term": lambda x: x[:, :1].mean(1),
    "layer norm": lambda x: functional.layer_norm(x, (3,)),
    "layer norm, weights": lambda x: functional.layer_norm(
        x, (4, 3), torch.arange(12.0).reshape(4, 3), torch.ones(4, 3)
    ),
    "batch norm": lambda x: functional.batch_norm(
        x, torch.arange(4.0), torch.arange(4.0) + 1.0, torch.arange(4.0), torch.ones(4)
    ),
    "members": lambda x: torch.stack([x, x.tanh(), x.exp()]).mean(0),
}

PRODUCTS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: functional.linear(x, WEIGHT, torch.arange(6.0)),
    "linear, flat": lambda x: functional.linear(x.flatten(1), WEIGHT.reshape(-1, 1).expand(18, 12)),
    "no bias": lambda x: x[:, 0] @ WEIGHT.T,
    "constant first": lambda x: (WEIGHT @ x[:, 1].T).T,
    "vector": lambda x: x @ torch.arange(3.0),
    "what is added depends": lambda x: torch.addmm(x[:, 0], x[:, 1], torch.ones(3, 3)),
    "einsum": lambda x: torch.einsum("nlk,ok->nol", x, WEIGHT),
    "a matrix a level": lambda x: torch.einsum(
        "nlk,lko->nlo", x, torch.arange(24.0).reshape(4, 3, 2)
    ),
    "members": lambda x: torch.baddbmm(
        torch.arange(8.0).reshape(2, 1, 4),
        x[:, 0].unsqueeze(0).expand(2, -1, -1),
        torch.arange(24.0).reshape(2, 3, 4),
    ).transpose(0, 1),
    "a bias a column": lambda x: torch.baddbmm(
        x[None, :, 0].expand(2, -1, -1), x[:, 1].unsqueeze(0).expand(2, -1, -1), torch.ones(2, 3, 3)
    ).sum(0),
}

ALL = {
    f"{kind}: {name}": function
    for kind, functions in (
        ("elementwise", ELEMENTWISE),
        ("moved", MOVED),
        ("convolution", CONVOLUTIONS),
        ("summed", SUMMED),
        ("product", PRODUCTS),
    )
    for name, function in functions.items()
}


@pytest.mark.parametrize("name", ALL)
def test_the_program_computes_what_torch_computes(name: str) -> None:
    assert_same(ALL[name])


class Scriptable(nn.Module):
    """What networks trained elsewhere are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x[:, 0])
        for k in range(1, 3):
            y = y + self.body(x[:, k])
        return torch.cat([y, torch.where(y > 0.0, y, 0.5 * y)], dim=1)


def test_torchscript_is_followed_too() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = torch.jit.script(Scriptable().eval())
    program = assert_same(network)
    # Twice in a row: TorchScript optimises what it runs a second time.
    assert traced(network).steps == program.steps


def test_several_arguments_and_results() -> None:
    program = assert_same(lambda x, y: (x * y, x, x + 1.0, y.sum((1, 2))), n=2)
    program.check_fits([12, 12], [12, 12, 12, 1])


# torch's own gelu makes NaN of infinity where its vectors do the work, and its power makes infinity
# of -infinity, of which there is no logarithm.
@pytest.mark.parametrize("name", sorted({*ELEMENTWISE} - {"gelu", "powers, not whole"}))
def test_nan_and_infinity_go_where_torch_lets_them_go(name: str) -> None:
    x = columns(N_OTHER)
    x[:, 0, 0], x[:, 1, 1], x[:, 2, 2] = torch.nan, torch.inf, -torch.inf
    (found,) = evaluate(traced(ELEMENTWISE[name]), [x.numpy()])
    expected = ELEMENTWISE[name](x).reshape(N_OTHER, -1).numpy()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(np.isposinf(found), np.isposinf(expected))
    np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x - x.mean(0), "forward mixes columns, or does not treat all of them alike"),
        (lambda x: x.flip([0]) + x, "forward mixes columns"),
        (lambda x: x[:1] + x, "forward mixes columns"),
        (lambda x: torch.cat([part.exp() for part in torch.split(x, 2)]), "forward mixes columns"),
        (lambda x: torch.cumsum(x, 1), "forward uses aten.cumsum, which the native engine does"),
        (lambda x: x.half().float(), "computes in float16, the native engine in float32 and flo"),
        (lambda x: x.sum((1, 2), dtype=torch.bfloat16).float(), "forward computes in bfloat16"),
        (lambda x: x.to(torch.int64).float(), "forward computes in int64"),
        (
            lambda x: x if bool(x[0, 0, 0]) else -x,
            r"forward decides by values \(aten._local_scalar_d",
        ),
        (lambda x: x[x[:, 0, 0] > 0.0], "forward decides by values|uses aten.index|unusual form"),
        (lambda x: x + torch.randn(3), r"forward draws random numbers \(aten.randn\)"),
        (lambda x: x**0, "forward has a power 0, which is the same for all columns"),
        (
            lambda x: functional.gelu(x.double()),
            "computes gelu in float64, the native engine in fl",
        ),
        (lambda x: 2.0**x, "forward has a power whose exponent is no number"),
        (lambda x: x @ x.mT, "forward multiplies matrices neither of which is constant"),
        (lambda x: x[:, 0] @ x[:3, 0], "forward multiplies matrices neither of which is constant"),
        (lambda x: x[:, 0].mul_(2.0), r"forward changes tensors in place \(aten.mul_\)"),
        (lambda x: x * x.bool(), "forward uses aten._to_copy for truth values"),
        (lambda x: ((x > 0.0) + (x > 1.0)).float(), "forward uses aten.add for truth values"),
        (lambda x: x * ((x > 0.0) == (x > 1.0)), "forward uses aten.eq for truth values"),
        (lambda x: x * torch.logical_not(x), "aten.logical_not of numbers as truth values"),
        (lambda x: x * (x > torch.zeros(3).half()), "forward computes in float16"),
        (lambda x: torch.div(x, 2.0, rounding_mode="floor"), "forward rounds quotients to whole"),
        (lambda x: functional.softplus(x, 1.0, 5.0), "softplus that is cut off at 5"),
        (lambda x: functional.elu(torch.ops.aten.elu(x, 1, 1, 2)), "ELU with a scaled argument"),
        (lambda x: torch.addmm(x[:, 0], x[:, 1], torch.ones(3, 3), beta=2.0), "forward scales a"),
        (
            lambda x: functional.batch_norm(x, None, None, training=True),
            "mixes columns in training",
        ),
        (
            lambda x: functional.linear(x[:, 0, :1].expand(-1, 65)[..., None], torch.ones(2, 1)),
            "forward applies one layer to 65 groups of features, more than 64",
        ),
        (lambda x: functional.conv1d(x, KERNEL[:, :2], groups=2), "of 2 groups of channels"),
        (lambda x: functional.conv1d(x, KERNEL[..., :2], dilation=2), "not a plain one along one"),
        (
            lambda x: functional.conv_transpose1d(x, KERNEL.transpose(0, 1)),
            "not a plain one along one axis",
        ),
        (lambda x: functional.conv2d(x[:, None], KERNEL[:, None]), "not a plain one along one"),
        (lambda x: functional.conv1d(KERNEL, x[:2]), "convolution whose kernel is no constant"),
        (lambda x: torch.native_layer_norm(x, (3,), None, None, 1e-5)[1] + 1.0, "side result"),
    ],
)
def test_what_has_no_steps_is_refused_in_words(
    function: Callable[[Tensor], Tensor], reason: str
) -> None:
    with pytest.raises(NotExpressedError, match=reason):
        traced(function)


def test_what_is_raised_inside_is_raised() -> None:
    def broken(x: Tensor) -> Tensor:
        raise ArithmeticError(f"no result for {tuple(x.shape)}")

    with pytest.raises(ArithmeticError, match="no result for"):
        traced(broken)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_moves(data: st.DataObject) -> None:
    """Moves in any order, then a sum with what was there before, give what torch gives."""

    def move(x: Tensor) -> Tensor:
        n = x.shape[0]
        kind = data.draw(st.sampled_from(["permute", "flat", "pick", "join", "fold", "reverse"]))
        axes = list(range(1, x.dim()))
        if kind == "permute":
            return x.permute(0, *data.draw(st.permutations(axes)))
        if kind == "flat":
            return x.reshape(n, -1)
        if kind == "pick":
            axis = data.draw(st.sampled_from(axes))
            size = x.shape[axis]
            index = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=4))
            return x.index_select(axis, torch.tensor(index))
        if kind == "join":
            return torch.cat([x, 2.0 * x], dim=data.draw(st.sampled_from(axes)))
        if kind == "fold":
            return x.repeat(2, *(1 for _ in axes)).exp().reshape(2, *x.shape).transpose(0, 1)
        return x.flip([data.draw(st.sampled_from(axes))])

    made: list[Tensor] = []

    def function(x: Tensor) -> Tensor:
        moved = 0.01 * x
        for _ in range(data.draw(st.integers(1, 4))):
            moved = move(moved)
        made.append(moved + moved.sum(dim=tuple(range(1, moved.dim())), keepdim=True))
        return made[0]

    x = columns(N_COLUMN)
    (found,) = evaluate(trace(Function(function), [x]), [x.numpy()])
    expected = made[0].reshape(N_COLUMN, -1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
