"""Sums and multiples of closures compute what they say, also when compiled."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from closure_examples import ColumnNetwork, Persistence

import hybrid
from closures import SpecError
from closures.sampling import random_inputs
from hybrid.torchscript import load_scripted


def draw(closure: hybrid.Closure, n: int = 9) -> tuple[torch.Tensor, ...]:
    return random_inputs(closure.spec, n, torch.Generator().manual_seed(1))


def test_sum_adds_outputs_of_the_same_name() -> None:
    a, b = ColumnNetwork(seed=0), ColumnNetwork(seed=1)
    inputs = draw(a)
    both = (a + b)(*inputs)
    for total, first, second in zip(both, a(*inputs), b(*inputs), strict=True):
        torch.testing.assert_close(total, first + second, rtol=0, atol=0)


def test_factor_scales_outputs_but_not_state() -> None:
    closure = Persistence()
    inputs = draw(closure)
    tendency, memory = closure(*inputs)
    scaled_tendency, scaled_memory = (0.5 * closure)(*inputs)
    torch.testing.assert_close(scaled_tendency, 0.5 * tendency, rtol=0, atol=0)
    torch.testing.assert_close(scaled_memory, memory, rtol=0, atol=0)


def test_sum_prefixes_state_and_noise() -> None:
    closure = Persistence(phi=0.9) + Persistence(phi=0.5)
    spec = closure.spec
    assert [f.name for f in spec.inputs] == ["x"]
    assert [f.name for f in spec.state] == ["persistence_memory", "persistence_2_memory"]
    assert [f.name for f in spec.noise] == ["persistence_shock", "persistence_2_shock"]
    x, memory_a, memory_b, shock_a, shock_b = inputs = draw(closure)
    tendency, new_a, new_b = closure(*inputs)
    expected_a, expected_b = 0.9 * memory_a + shock_a, 0.5 * memory_b + shock_b
    torch.testing.assert_close(new_a, expected_a)
    torch.testing.assert_close(new_b, expected_b)
    torch.testing.assert_close(tendency, 2 * x + expected_a.sum(1) + expected_b.sum(1))


def test_sum_intersects_training_envelopes() -> None:
    a, b = ColumnNetwork(), ColumnNetwork()
    narrow = replace(b.spec.inputs[0], valid_min=tuple(float(v) for v in range(190, 240, 10)))
    b.spec = replace(b.spec, inputs=(narrow, b.spec.inputs[1]))
    merged = (a + b).spec.inputs[0]
    assert merged.valid_min == (200.0, 200.0, 210.0, 220.0, 230.0)
    assert merged.valid_max == 310.0


def test_nested_composite_survives_the_archive(tmp_path: Path) -> None:
    closure = 2.0 * (ColumnNetwork(seed=0) + 0.5 * ColumnNetwork(seed=1))
    report = hybrid.export(closure, tmp_path / "sum.pt")
    assert max(report.differences.values()) <= 4.0
    inputs = draw(closure, 384)
    compiled = load_scripted(tmp_path / "sum.pt")(*inputs)
    for found, expected in zip(compiled, closure(*inputs), strict=True):
        torch.testing.assert_close(found, expected)


def test_sum_refuses_fields_that_disagree() -> None:
    a, b = ColumnNetwork(), ColumnNetwork(n_level=6)
    with pytest.raises(SpecError, match=r"state_t: expected the same units, dims, shape"):
        _ = a + b
