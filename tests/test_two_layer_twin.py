"""The two-layer model in torch: the compiled model's trajectories, and gradients through them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from two_layer_fields import without_shortest
from two_layer_flow import OBLONG, relative_difference, turbulence, vigorous

from closures.quasigeostrophic import JansenHeldBackscatter, Stratification
from hybrid.two_layer_twin import TwoLayerTwin
from solvers import TwoLayerQG

Array = NDArray[Any]

TINY = replace(OBLONG, nx=12, ny=8, length_y=None, dt=7200.0)


def drag(q: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """A closure that takes all that a closure is given."""
    return -1e-6 * q + 1e-11 * u + 2e-11 * v * q / 1e-5


def drag_of_arrays(fields: Mapping[str, Array], step: int) -> Array:
    del step
    made = drag(*(torch.from_numpy(np.array(fields[name])) for name in "quv"))
    return np.asarray(made.numpy())


@pytest.mark.parametrize("n_step", [1, 2, 3, 60])
@pytest.mark.parametrize("with_closure", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_the_twin_steps_as_the_compiled_model(
    n_step: int, with_closure: bool, filtered: bool
) -> None:
    model = replace(OBLONG, filter=filtered)
    q = turbulence(OBLONG)
    run = model.start(q, tendency=drag_of_arrays if with_closure else None)
    run.advance(n_step)
    twin = TwoLayerTwin(model)
    state = twin.start(torch.from_numpy(q)[None])
    for _ in range(n_step):
        state = twin.step(state, drag if with_closure else None)
    # Of 64 x 48 points; an order of the scheme that were wrong would show at 1e-3.
    assert relative_difference(state.q[0].numpy(), run.prognostic["q"][0]) < 1e-10


def test_the_closure_changes_what_is_compared() -> None:
    twin, q = TwoLayerTwin(OBLONG), torch.from_numpy(turbulence(OBLONG))[None]
    alone, with_it = (twin.rollout(q, 1, 60, closure).numpy() for closure in (None, drag))
    assert relative_difference(alone, with_it) > 1e-3


def test_a_closure_of_the_package_runs_in_both() -> None:
    model = replace(OBLONG, ny=64, length_y=None)
    spacing = (model.grid.dy, model.grid.dx)
    closure = JansenHeldBackscatter(
        spacing, Stratification.of(model.deformation_radius, model.delta), returned=1.2
    )

    def compiled(fields: Mapping[str, Array], step: int) -> Array:
        del step
        return np.asarray(closure(torch.from_numpy(np.array(fields["q"]))[None])[0][0].numpy())

    q = vigorous(model)
    run = model.start(q, tendency=compiled)
    run.advance(50)
    made = TwoLayerTwin(model).rollout(
        torch.from_numpy(q)[None], 1, 50, lambda q, _u, _v: closure(q)[0]
    )
    spectrum = np.fft.rfft2(made[0, 0].numpy())
    assert relative_difference(spectrum, run.prognostic["q"][0]) < 1e-10


def test_flows_of_a_batch_do_not_know_each_other() -> None:
    twin = TwoLayerTwin(OBLONG)
    q = torch.from_numpy(np.stack([vigorous(OBLONG, seed) for seed in range(3)]))
    together, alone = (twin.rollout(part, 2, 5, drag) for part in (q, q[1:2]))
    assert together.shape == (3, 2, 2, 48, 64)
    assert torch.allclose(together[1:2], alone, rtol=1e-13, atol=0.0)


def test_saved_states_are_those_of_one_run() -> None:
    twin, q = TwoLayerTwin(OBLONG), torch.from_numpy(turbulence(OBLONG))[None]
    saved, last = twin.rollout(q, 3, 4, drag), twin.rollout(q, 1, 12, drag)
    assert torch.equal(saved[:, -1], last[:, 0])


def test_gradients_are_those_of_finite_differences() -> None:
    twin = TwoLayerTwin(TINY)
    # In units in which q and coefficients are of order one.
    unit = 1e-5
    q = torch.from_numpy(vigorous(TINY) / unit)[None].requires_grad_()
    coefficients = torch.tensor([0.5, -0.3], dtype=torch.float64, requires_grad=True)

    def mismatch(values: Tensor, factors: Tensor) -> Tensor:
        def closure(q: Tensor, u: Tensor, v: Tensor) -> Tensor:
            del v
            return factors[0] * 1e-6 * q + factors[1] * 1e-10 * u * torch.tanh(q / unit)

        return (twin.rollout(unit * values, 2, 4, closure) / unit).square().mean()

    assert torch.autograd.gradcheck(mismatch, (q, coefficients), eps=1e-5, atol=1e-8, rtol=1e-5)


def test_single_precision_is_that_of_the_model() -> None:
    model = replace(OBLONG, dtype="float32")
    q = torch.from_numpy(turbulence(OBLONG))[None]
    made = TwoLayerTwin(model).rollout(q, 1, 20, drag)
    assert made.dtype == torch.float32
    exact = TwoLayerTwin(OBLONG).rollout(q, 1, 20, drag).numpy()
    # Rounding of 20 steps.
    assert relative_difference(made.numpy(), exact) < 1e-4


def test_a_mirror_of_the_whole_flow_is_kept_and_a_quarter_turn_is_not() -> None:
    model = TwoLayerQG(nx=32, dt=3600.0)
    # The shortest wave, whose derivative is taken to one side, has no mirror image.
    twin, q = TwoLayerTwin(model), torch.from_numpy(without_shortest(vigorous(model)))[None]

    def mirrored(field: Tensor) -> Tensor:
        return -torch.roll(field.flip(-2), 1, -2)

    def turned(field: Tensor) -> Tensor:
        return torch.roll(torch.rot90(field, 1, (-2, -1)), 1, -2)

    for change, is_kept in ((mirrored, True), (turned, False)):
        one = twin.rollout(change(q), 1, 30)[0, 0]
        other = change(twin.rollout(q, 1, 30)[:, 0])[0]
        difference = relative_difference(one.numpy(), other.numpy())
        # beta and the shear of the mean flow know north, but not left from right of it.
        assert (difference < 1e-11) == is_kept
        assert is_kept or difference > 1e-2
