"""Networks as closures of two-layer flow: what holds whatever their weights are."""

from typing import Any

import numpy as np
import pytest
import torch
from two_dimensional_flow import spacing, turned
from two_layer_fields import (
    SHARES,
    STRATIFICATION,
    Field,
    close,
    flow_of,
    inputs_of,
    tendency_of,
    turbulence,
)

from closures import SpecError
from closures.quasigeostrophic.networks import PAPER, Architecture, NetworkClosure
from closures.quasigeostrophic.networks.convolution import IsotropicConvolution
from closures.quasigeostrophic.networks.fcnn import PUBLISHED

N = 24
STEP = spacing(N)
SMALL_FCNN = ((8, 5), (4, 3), (4, 3))
QUV = ("q", "u", "v")


def closure_of(architecture: Architecture, **settings: Any) -> NetworkClosure:
    """A closure in double precision that has seen turbulence, so that all channels matter."""
    made = NetworkClosure(STEP, architecture, **settings).double()
    q, u, v = inputs_of(made, turbulence(N, seed=9, n_member=3))
    made.set_scales(q, u, v, 2.0 * q)
    return made.eval()


NETWORKS = {
    "gated": closure_of(Architecture(n_channel=6)),
    "separable": closure_of(Architecture(kind="separable", inputs=QUV, n_channel=6)),
    "mirror": closure_of(
        Architecture(kind="separable", inputs=QUV, n_channel=6, symmetry="mirror")
    ),
    "square": closure_of(
        Architecture(kind="separable", inputs=(*QUV, "advection"), n_channel=6, symmetry="square")
    ),
    "fcnn": closure_of(Architecture(kind="fcnn", inputs=QUV, layers=SMALL_FCNN)),
    "fcnn of both": closure_of(
        Architecture(kind="fcnn", inputs=QUV, layers=SMALL_FCNN, per_layer=False)
    ),
}
parametrized = pytest.mark.parametrize("name", NETWORKS)


def from_south(field: Field) -> Field:
    """A vorticity with north and south exchanged about y = 0, where it changes its sign."""
    return -np.roll(field[..., ::-1, :], 1, axis=-2)


@parametrized
def test_north_and_south_are_alike_by_construction_or_not_at_all(name: str) -> None:
    closure, q = NETWORKS[name], turbulence(N)
    there, here = tendency_of(closure, from_south(q)), from_south(tendency_of(closure, q))
    assert close(there, here) == (name in ("gated", "mirror", "square"))
    assert close(there, here) or not close(there, here, 1e-2)


@parametrized
def test_a_quarter_turn_is_kept_by_construction_or_not_at_all(name: str) -> None:
    closure, q = NETWORKS[name], turbulence(N)
    there, here = tendency_of(closure, turned(q)), turned(tendency_of(closure, q))
    assert close(there, here) == (name in ("gated", "square"))
    assert close(there, here) or not close(there, here, 1e-2)


@parametrized
def test_a_shifted_flow_has_the_shifted_tendency(name: str) -> None:
    closure, q = NETWORKS[name], turbulence(N)
    there, here = (np.roll(f, (5, 11), (-2, -1)) for f in (q, tendency_of(closure, q)))
    assert close(tendency_of(closure, there), here)


@parametrized
def test_the_mean_does_not_change(name: str) -> None:
    tendency = tendency_of(NETWORKS[name], turbulence(N, n_member=2))
    largest = np.abs(tendency).max(axis=(-2, -1))
    assert np.all(np.abs(tendency.mean(axis=(-2, -1))) <= 1e-14 * largest)
    assert largest.min() > 0.1


@parametrized
@pytest.mark.filterwarnings("ignore:.*instance-level annotations:UserWarning")
def test_torchscript_computes_the_same_on_every_grid(name: str) -> None:
    closure = NETWORKS[name]
    scripted: Any = torch.jit.script(closure.scriptable())
    for n_y, n_x in ((N, N), (12, 18), (9, 7)):
        fields = [f[..., :n_y, :n_x].contiguous() for f in inputs_of(closure, turbulence(N))]
        (eager,), (compiled,) = closure(*fields), scripted(*fields)
        assert eager.shape == (1, 2, n_y, n_x)
        assert close(compiled.detach(), eager.detach(), 1e-12)


def test_a_gated_network_makes_nothing_of_nothing() -> None:
    rest = np.zeros((1, 2, N, N))
    assert np.array_equal(tendency_of(NETWORKS["gated"], rest), rest)


def test_a_kernel_without_directions_is_its_mirror_image_and_turns_into_itself() -> None:
    layer = IsotropicConvolution(3, 5).double()
    assert layer.weight.shape == (3, 6)
    point = torch.zeros(1, 3, 9, 9, dtype=torch.float64)
    point[..., 4, 4] = 1.0
    kernel = layer(point)[0]
    for same in (kernel.flip(-1), kernel.flip(-2), kernel.transpose(-1, -2)):
        assert torch.equal(same, kernel)
    assert not torch.equal(kernel[:, 4, 5], kernel[:, 4, 6])


def test_the_network_of_the_paper_has_its_size() -> None:
    before, n = 6, 0
    for channels, width in PUBLISHED:
        # Kernel and constant, and two numbers of the normalisation.
        n += before * channels * width**2 + channels + 2 * channels
        before = channels
    n += before * 3**2 + 1
    assert len(PUBLISHED) + 1 == 8
    assert NetworkClosure(STEP, PAPER).n_parameter() == 2 * n


def energy_and_gain(closure: NetworkClosure, q: Field) -> tuple[Field, Field]:
    """Energy of the flow, and what the closure adds to it in a unit of time."""
    psi, made = flow_of(q)["psi"], tendency_of(closure, q)
    shares = SHARES[:, None, None]
    energy, gain = (-(shares * psi * field).mean((-2, -1)).sum(-1) for field in (0.5 * q, made))
    return energy, gain


@pytest.mark.parametrize("rate", [0.0, 0.02])
def test_energy_grows_no_faster_than_the_limiter_lets_it(rate: float) -> None:
    architecture = Architecture(n_channel=6)
    free = closure_of(architecture)
    bound = closure_of(architecture, largest_growth=rate, stratification=STRATIFICATION)
    # Without its sign a network gives where it takes.
    q = np.concatenate([turbulence(N, seed) for seed in range(4)])
    signs = np.sign(energy_and_gain(free, q)[1])
    assert (np.abs(signs) == 1.0).all()
    for give in (1.0, -1.0):
        free.output_spread.copy_(give * free.output_spread.abs())
        bound.output_spread.copy_(free.output_spread)
        energy, gain = energy_and_gain(free, q)
        _, limited = energy_and_gain(bound, q)
        np.testing.assert_allclose(
            limited, np.minimum(gain, rate * energy), rtol=1e-11, atol=1e-13 * np.abs(gain).max()
        )
        if (gain > rate * energy).any():
            return
    pytest.fail("neither sign of the network puts in more than the limiter lets through")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Architecture(kind="wide"),  # type: ignore[arg-type]
            "kind: expected one of fcnn, separable, gated, unet, got 'wide'",
        ),
        (
            lambda: Architecture(kind="fcnn", symmetry="round"),  # type: ignore[arg-type]
            "symmetry: expected one of none, mirror, square, got 'round'",
        ),
        (
            lambda: Architecture(inputs=QUV),
            (
                "inputs: expected q and advection for a gated network, whose channels turn as q "
                "does, got q, u, v; choose kind='separable' for u and v"
            ),
        ),
        (
            lambda: NetworkClosure(STEP, Architecture(kind="separable", inputs=("q", "u"))),
            "inputs: expected different names among q, u, v, advection, u and v together, got q, u",
        ),
        (
            lambda: NetworkClosure(STEP, Architecture(inputs=())),
            "inputs: expected different names among q, u, v, advection, u and v together, got none",
        ),
        (
            lambda: Architecture(layers=((8, 3),), width=4),
            "width: expected kernels of odd numbers of points, got 4, 3",
        ),
        (
            lambda: Architecture(layers=((8, 3),), n_block=0),
            (
                "n_channel, n_block, layers: expected at least one block, and one channel each, "
                "got 16, 0, 8"
            ),
        ),
        (
            lambda: NetworkClosure(STEP, Architecture(), largest_growth=0.1),
            (
                "stratification: expected that of the model, which tells the energy that "
                "largest_growth bounds, got none; pass Stratification.of(...)"
            ),
        ),
        (
            lambda: NetworkClosure(
                STEP, Architecture(), largest_growth=-0.1, stratification=STRATIFICATION
            ),
            "largest_growth: expected no negative rate [s-1], got -0.1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(SpecError) as error:
        make()
    assert str(error.value) == message


def test_weights_are_those_of_the_seed() -> None:
    one, same, other = (NetworkClosure(STEP, Architecture(), seed=seed) for seed in (1, 1, 2))
    q = torch.from_numpy(turbulence(N))
    assert torch.equal(one(q, q, q)[0], same(q, q, q)[0])
    assert not torch.equal(one(q, q, q)[0], other(q, q, q)[0])
    assert one(q, q, q)[0].dtype == torch.float32
    assert {field.dtype for field in one.spec.fields()} == {"float32"}
