"""Closed budgets on random columns, by every method."""

from dataclasses import replace
from typing import get_args

import constraint_oracle as oracle
import numpy as np
import pytest
import torch
from constrained_columns import (
    HEATED,
    JOINT,
    SEPARATE,
    Names,
    even_levels,
    random_columns,
    ranges_of,
    unpacked,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from closures.constraints import PhysicsConfig, physics_layers
from closures.constraints.closing import Method, closing
from closures.errors import SpecError

Array = NDArray[np.float64]
METHODS: tuple[Method, ...] = get_args(Method)
# Rounding each tendency to float32, and the reader's own float64 sums.
ROUNDING = 2.0**-24 * 1.01
FIRST = 3

seeds = st.integers(0, 2**31)
sizes = st.tuples(st.integers(1, 9), st.integers(5, 30))


def closed(
    config: PhysicsConfig,
    names: Names,
    inputs: NDArray[np.float32],
    outputs: NDArray[np.float32],
    n_level: int,
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    ranges = ranges_of(names, n_level)
    (layer,) = physics_layers(config, ranges, even_levels(n_level))
    with torch.no_grad():
        found = layer(torch.from_numpy(inputs), torch.from_numpy(outputs)).numpy()
    return (
        unpacked(inputs, ranges.inputs),
        unpacked(outputs, ranges.outputs),
        unpacked(found, ranges.outputs),
    )


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=40)
@given(seeds, sizes, st.sampled_from([SEPARATE, JOINT]))
def test_moisture_closes_whatever_the_network_says(
    method: Method, seed: int, size: tuple[int, int], names: Names
) -> None:
    n, n_level = size
    config = PhysicsConfig(("moisture",), moisture=method, first_level=FIRST)
    inputs, outputs = random_columns(names, n, n_level, seed)
    x, y, z = closed(config, names, inputs, outputs, n_level)
    levels = even_levels(n_level)
    assert np.abs(oracle.moisture_gap(x, z, levels)).max() <= ROUNDING
    for name in y:
        kept = slice(None, FIRST) if name == "ptend_q0001" else slice(None)
        where = (slice(None), kept) if y[name].ndim == 2 else (slice(None),)
        np.testing.assert_array_equal(z[name][where], y[name][where], err_msg=name)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=40)
@given(seeds, sizes)
def test_energy_closes_whatever_the_network_says(
    method: Method, seed: int, size: tuple[int, int]
) -> None:
    n, n_level = size
    heating = {"column_heating": 1.0, "cam_out_netsw": -1.0}
    config = PhysicsConfig(("energy",), energy=method, heating=heating, first_level=FIRST)
    inputs, outputs = random_columns(HEATED, n, n_level, seed)
    x, y, z = closed(config, HEATED, inputs, outputs, n_level)
    implied, magnitude = oracle.energy_terms(x, z, even_levels(n_level))
    expected = x["column_heating"] - y["cam_out_netsw"]
    scale = magnitude + np.abs(x["column_heating"]) + np.abs(y["cam_out_netsw"])
    assert (np.abs(implied - expected) <= ROUNDING * scale).all()
    for name in set(y) - {"ptend_t"}:
        np.testing.assert_array_equal(z[name], y[name], err_msg=name)


def test_outputs_of_these_tests_close_nothing_by_themselves() -> None:
    inputs, outputs = random_columns(HEATED, 100, 20, seed=0)
    ranges, levels = ranges_of(HEATED, 20), even_levels(20)
    x, y = unpacked(inputs, ranges.inputs), unpacked(outputs, ranges.outputs)
    assert np.median(np.abs(oracle.moisture_gap(x, y, levels))) > 0.1
    heating, magnitude = oracle.energy_terms(x, y, levels)
    assert np.median(np.abs(heating - x["column_heating"]) / magnitude) > 0.1


def test_energy_of_a_column_that_only_radiates_is_known_in_closed_form() -> None:
    """Without water, the same cooling at every level is g H / (cp (ps - p_first))."""
    n_level, names = 10, HEATED
    ranges = ranges_of(names, n_level)
    inputs, outputs = random_columns(names, 3, n_level, seed=0)
    outputs[:] = 0.0
    inputs[:, ranges.inputs["column_heating"]] = -100.0
    config = PhysicsConfig(("energy",), energy="additive", first_level=FIRST)
    x, _, z = closed(config, names, inputs, outputs, n_level)
    levels = even_levels(n_level)
    top = levels.p0 * levels.hyai[FIRST] + levels.hybi[FIRST] * x["state_ps"]
    expected = -100.0 * 9.80616 / (1004.64 * (x["state_ps"] - top))
    assert not z["ptend_t"][:, :FIRST].any()
    np.testing.assert_allclose(
        z["ptend_t"][:, FIRST:], np.tile(expected[:, None], n_level - FIRST), rtol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=50)
@given(seeds, st.integers(1, 20), st.floats(0.3, 3.0))
def test_method_is_its_equation(method: Method, seed: int, n_level: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    bounds = 0.0, 0.04
    before = rng.uniform(1e-3, 0.012, (1, n_level))
    after = before * rng.uniform(0.5, 1.5, (1, n_level))
    weight = rng.uniform(10.0, 200.0, (1, n_level))
    total = factor * (weight * after).sum(axis=1, keepdims=True)
    arguments = [torch.from_numpy(v) for v in (before, after, weight, total)]
    found = closing(method, *bounds)(*arguments).numpy()
    expected = oracle.closed(method, before[0], after[0], weight[0], total[0, 0], bounds)
    np.testing.assert_allclose(found[0], expected, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose((weight * found).sum(), total, rtol=1e-12)
    if method in {"multiplicative", "softmax"}:
        assert (found > 0.0).all()
    if method == "scaled_additive":
        possible = total[0, 0] <= 0.04 * weight.sum()
        assert not possible or (found <= 0.04 + 1e-15).all()
        assert (found >= -1e-15).all()


@pytest.mark.parametrize("method", [name for name in METHODS if name != "softmax"])
def test_nothing_changes_where_the_budget_is_closed(method: Method) -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(1e-3, 0.012, (3, 8))
    after = before * rng.uniform(0.5, 1.5, (3, 8))
    weight = rng.uniform(10.0, 200.0, (3, 8))
    total = (weight * after).sum(axis=1, keepdims=True)
    arguments = [torch.from_numpy(v) for v in (before, after, weight, total)]
    found = closing(method, 0.0, 0.04)(*arguments).numpy()
    np.testing.assert_allclose(found, after, rtol=1e-13)


def test_softmax_keeps_small_changes_to_first_order() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(1e-3, 0.012, (1, 8))
    weight = rng.uniform(10.0, 200.0, (1, 8))
    differences = []
    for size in (1e-2, 1e-3):
        after = before * (1.0 + size * np.linspace(-1.0, 1.0, 8))
        total = (weight * after).sum(axis=1, keepdims=True)
        arguments = [torch.from_numpy(v) for v in (before, after, weight, total)]
        found = closing("softmax", 0.0, 1.0)(*arguments).numpy()
        differences.append(np.abs(found / after - 1.0).max())
    assert differences[0] / differences[1] == pytest.approx(100.0, rel=0.1)


@pytest.mark.parametrize("method", ["multiplicative", "softmax", "scaled_additive"])
def test_impossible_totals_close_by_addition(method: Method) -> None:
    before = torch.full((3, 4), 0.01, dtype=torch.float64)
    after = torch.full((3, 4), 0.01, dtype=torch.float64)
    after[1] = -0.01
    weight = torch.full((3, 4), 50.0, dtype=torch.float64)
    total = torch.tensor([[-0.3], [0.3], [0.5]], dtype=torch.float64)
    found = closing(method, 0.0, 0.04)(before, after, weight, total)
    assert torch.isfinite(found).all()
    assert torch.allclose((weight * found).sum(1, keepdim=True), total, rtol=1e-12)


@pytest.mark.parametrize("method", ["multiplicative", "softmax"])
def test_positive_water_stays_positive_when_moisture_closes(method: Method) -> None:
    n_level, names = 20, SEPARATE
    config = PhysicsConfig(
        ("positivity", "precipitation", "moisture"), moisture=method, first_level=FIRST
    )
    ranges = ranges_of(names, n_level)
    inputs, outputs = random_columns(names, 200, n_level, seed=7)
    values = torch.from_numpy(outputs)
    for layer in physics_layers(config, ranges, even_levels(n_level)):
        values = layer(torch.from_numpy(inputs), values)
    x = unpacked(inputs, ranges.inputs)
    z = unpacked(values.numpy(), ranges.outputs)
    for name in ("q0001", "q0002", "q0003"):
        assert (x[f"state_{name}"] + oracle.STEP * z[f"ptend_{name}"] >= 0.0).all()
    assert np.abs(oracle.moisture_gap(x, z, even_levels(n_level))).max() <= ROUNDING


def test_what_is_not_possible_is_refused() -> None:
    with pytest.raises(ValueError, match=r"closing: expected one of residual, .*, got 'sum'"):
        closing("sum", 0.0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"bounds in ascending order, got 1\.0 and 0\.0"):
        closing("scaled_additive", 1.0, 0.0)
    ranges = ranges_of(SEPARATE, 5)
    config = PhysicsConfig(("moisture",))
    with pytest.raises(SpecError, match="moisture: expected a first level of 0 to 4, got 12"):
        physics_layers(config, ranges, even_levels(5))
    with pytest.raises(SpecError, match="moisture: expected hybrid coefficients of 5 levels, got"):
        physics_layers(replace(config, first_level=1), ranges, even_levels(6))
