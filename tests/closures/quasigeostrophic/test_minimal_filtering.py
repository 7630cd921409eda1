"""Convolutions by minimal filtering: the same as direct ones, to rounding, with their gradients."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from closures.quasigeostrophic.networks.convolution import PeriodicConvolution
from closures.quasigeostrophic.networks.minimal_filtering import MinimalFiltering, minimal_filter

#: Members, channels in and out, points along y and x, and the kernel's.
SHAPES = ((1, 3, 2, 8, 12, 5), (2, 1, 7, 12, 8, 5), (3, 5, 4, 4, 20, 3), (1, 2, 3, 16, 4, 3))


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def direct(x: Tensor, weight: Tensor) -> Tensor:
    """What `MinimalFiltering` computes, by torch: channels last on both sides."""
    return nn.functional.conv2d(x.permute(0, 3, 1, 2), weight).permute(0, 2, 3, 1)


def pair_of(n_in: int, n_out: int, width: int) -> tuple[PeriodicConvolution, nn.Conv2d]:
    """A convolution of the library and one of torch with its weights, in double precision."""
    torch.manual_seed(3)
    ours = PeriodicConvolution(n_in, n_out, width)
    peer = nn.Conv2d(n_in, n_out, width, padding=width // 2, padding_mode="circular")
    peer.load_state_dict(ours.state_dict())
    return ours.double(), peer.double()


@pytest.mark.parametrize(("n_result", "n_weight"), [(4, 5), (4, 3), (2, 3), (6, 3), (1, 4)])
def test_a_minimal_filter_is_a_filter(n_result: int, n_weight: int) -> None:
    results, weights, inputs = minimal_filter(n_result, n_weight)
    w, x = np.arange(1.0, n_weight + 1.0), np.cos(np.arange(n_result + n_weight - 1.0))
    found = results @ ((weights @ w) * (inputs @ x))
    np.testing.assert_allclose(found, np.correlate(x, w, "valid"), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("n", "n_in", "n_out", "n_y", "n_x", "width"), SHAPES)
def test_planes_are_filtered_as_directly(
    n: int, n_in: int, n_out: int, n_y: int, n_x: int, width: int
) -> None:
    x, weight = drawn(n, n_y + width - 1, n_x + width - 1, n_in), drawn(n_out, n_in, width, width)
    expected = direct(x, weight)
    for kind, bound in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        found = MinimalFiltering(width)(x.to(kind), weight.to(kind))
        assert found.dtype == kind
        assert float((found - expected).abs().max()) < bound * float(expected.abs().max())


def test_gradients_are_those_of_the_direct_convolution() -> None:
    x, weight, cotangent = drawn(2, 12, 16, 3), drawn(4, 3, 5, 5), drawn(2, 8, 12, 4)
    found = []
    for filtered in (MinimalFiltering(5), direct):
        given = [x.clone().requires_grad_(), weight.clone().requires_grad_()]
        filtered(*given).mul(cotangent).sum().backward()
        found.append([each.grad for each in given])
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("n_in", "n_out", "width", "n_y", "pays"),
    [(64, 65, 5, 8, True), (65, 64, 5, 7, True), (3, 64, 5, 8, False), (64, 64, 3, 8, False)],
    ids=["tiles", "no whole tiles", "few channels", "small kernel"],
)
def test_a_periodic_convolution_is_that_of_torch(
    n_in: int, n_out: int, width: int, n_y: int, pays: bool
) -> None:
    ours, peer = pair_of(n_in, n_out, width)
    assert ours.pays == pays
    x = drawn(2, n_in, n_y, 12)
    torch.testing.assert_close(ours(x), peer(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.weight, peer.weight, rtol=0, atol=0)
    assert list(ours.state_dict()) == list(peer.state_dict())


def test_members_do_not_see_each_other() -> None:
    ours = pair_of(64, 64, 5)[0].float()
    x = drawn(3, 64, 8, 8).float()
    assert torch.equal(ours(x)[1:2], ours(x[1:2]))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_torchscript_transforms_the_weights_once() -> None:
    ours = pair_of(64, 64, 5)[0].eval()
    compiled = torch.jit.freeze(torch.jit.script(ours))
    x = drawn(1, 64, 8, 8)
    assert torch.equal(compiled(x), ours(x))
    # Products at points remain, and none of the two that make the weights there.
    assert "aten::bmm" in str(compiled.graph)
    assert "aten::matmul" not in str(compiled.graph)
