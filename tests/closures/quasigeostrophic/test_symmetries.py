"""What closures of two-layer flow must not notice, and what they must turn along with."""

from typing import Any

import numpy as np
import pytest
import torch
from two_dimensional_flow import spacing, turned
from two_layer_fields import (
    WEIGHTS,
    Field,
    close,
    every_closure,
    inputs_of,
    tendency_of,
    turbulence,
)

from closures import Closure
from closures.quasigeostrophic import HybridSymbolic

N = 32
CLOSURES = every_closure(N)
parametrized = pytest.mark.parametrize("name", CLOSURES)


def mirrored(field: Field) -> Field:
    """A vorticity seen in a mirror at x = 0, where it changes its sign."""
    return -np.roll(field[..., ::-1], 1, axis=-1)


def with_wind(closure: Closure, q: Field, u: Field, v: Field) -> Field:
    """Tendency when uniform winds, one for each layer, are added to the flow."""
    added = {"u": u, "v": v}
    fields = [
        values + torch.from_numpy(added[field.name][:, np.newaxis, np.newaxis])
        if field.name in added
        else values
        for field, values in zip(closure.spec.inputs, inputs_of(closure, q), strict=True)
    ]
    return np.asarray(closure(*fields)[0].numpy())


@parametrized
def test_a_uniform_wind_changes_nothing(name: str) -> None:
    closure, q = CLOSURES[name], turbulence(N)
    wind = np.array([3.0, -1.0]), np.array([0.5, 2.0])
    same = close(with_wind(closure, q, *wind), tendency_of(closure, q))
    # The budget of Leith+E counts the work of a wind on the mean flux: it is made for departures.
    assert same == (name not in ("symbolic", "sparse symbolic", "leith e", "leith e of momentum"))


def test_to_the_symbolic_closure_the_mean_flow_is_a_wind() -> None:
    q, wind = turbulence(N), np.array([3.0, -1.0])
    within = HybridSymbolic(spacing(N), WEIGHTS, mean_flow=tuple(wind))
    without = HybridSymbolic(spacing(N), WEIGHTS, mean_flow=(0.0, 0.0))
    assert close(with_wind(without, q, wind, np.zeros(2)), tendency_of(within, q))
    assert not close(tendency_of(without, q), tendency_of(within, q), 0.1)


@parametrized
def test_a_quarter_turn_of_the_flow_turns_the_tendency(name: str) -> None:
    closure, q = CLOSURES[name], turbulence(N)
    assert close(tendency_of(closure, turned(q)), turned(tendency_of(closure, q)))


def test_the_symbolic_closure_knows_the_axes_by_its_last_weights() -> None:
    closure, q = HybridSymbolic(spacing(N), WEIGHTS, mean_flow=(0.0, 0.0)), turbulence(N)
    assert not close(tendency_of(closure, turned(q)), turned(tendency_of(closure, q)), 1e-3)


@parametrized
def test_a_mirrored_flow_has_the_mirrored_tendency(name: str) -> None:
    closure, q = CLOSURES[name], turbulence(N)
    assert close(tendency_of(closure, mirrored(q)), mirrored(tendency_of(closure, q)))


@parametrized
def test_a_shifted_flow_has_the_shifted_tendency(name: str) -> None:
    closure, q = CLOSURES[name], turbulence(N)
    there, here = (np.roll(f, (5, 11), (-2, -1)) for f in (q, tendency_of(closure, q)))
    assert close(tendency_of(closure, there), here)


@parametrized
def test_the_mean_does_not_change(name: str) -> None:
    tendency = tendency_of(CLOSURES[name], turbulence(N, n_member=2))
    largest = np.abs(tendency).max(axis=(-2, -1))
    assert np.all(np.abs(tendency.mean(axis=(-2, -1))) <= 1e-14 * largest)
    assert largest.min() > 0.0


@parametrized
def test_a_flow_at_rest_stays_at_rest(name: str) -> None:
    rest = np.zeros((1, 2, N, N))
    assert np.array_equal(tendency_of(CLOSURES[name], rest), rest)


@parametrized
def test_members_do_not_know_each_other(name: str) -> None:
    q = turbulence(N, n_member=3)
    together, alone = (tendency_of(CLOSURES[name], part) for part in (q, q[1:2]))
    assert close(together[1:2], alone, 1e-13)


@parametrized
@pytest.mark.filterwarnings("ignore:.*instance-level annotations:UserWarning")
def test_torchscript_computes_the_same_on_every_grid(name: str) -> None:
    closure = CLOSURES[name]
    scripted: Any = torch.jit.script(closure.scriptable())
    for n_y, n_x in ((N, N), (12, 18), (9, 7)):
        # A part of a flow is no flow, but has the same formulas.
        whole = inputs_of(closure, turbulence(N, n_member=2))
        fields = [field[..., :n_y, :n_x].contiguous() for field in whole]
        (eager,), (compiled,) = closure(*fields), scripted(*fields)
        assert eager.shape == (2, 2, n_y, n_x)
        assert close(compiled, eager, 1e-13)
