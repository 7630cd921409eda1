"""Ensembles, cascades and students in archives: the guard flags what they are unsure of."""

from typing import Any

import fidelity_ensembles as made
import numpy as np
import pytest
import torch

import hybrid
from closures.columns.networks.interface import GuardedNetwork
from closures.multifidelity import (
    Cascade,
    Distillation,
    GuardedEnsemble,
    calibrated_windows,
    confidence_of,
    distill,
    member_spreads,
    spread_of,
)
from closures.training import Training
from hybrid.runtime import Binding, CompiledClosure

Array = np.ndarray[Any, Any]

N = 300
NOT_CONFIDENT, UNTOUCHED = 16, 128
KINDS = ("all members", "cascade", "student")
NAMES = ("y0", "y1", "y0_std", "y1_std", "confidence")


@pytest.fixture(scope="module")
def networks() -> tuple[dict[str, GuardedNetwork], float]:
    whole, spread = made.ensemble(), made.spread()
    features = made.normalized(made.raw_columns(2000))
    spreads = member_spreads(whole, spread, features, (*made.COUNTS, made.N_MEMBER))
    threshold = float(np.quantile(spreads[-1], 0.7))
    windows = calibrated_windows(spreads, made.COUNTS, threshold)
    student, _ = distill(
        whole, features, Distillation(Training(2)), spread=spread, threshold=threshold
    )
    found = {
        "all members": GuardedEnsemble(whole, spread, threshold),
        "cascade": Cascade(whole, spread, threshold, windows),
        "student": student,
    }
    return found, threshold


@pytest.fixture(scope="module", params=KINDS)
def compiled(
    request: pytest.FixtureRequest,
    networks: tuple[dict[str, GuardedNetwork], float],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[CompiledClosure, GuardedNetwork]:
    network = networks[0][request.param]
    path = tmp_path_factory.mktemp("guarded") / "a.pt"
    hybrid.export(made.guarded_closure(network), path)
    # The engine whose blocks a guarded network must pass the self-test with.
    return hybrid.load(path, "torchscript"), network


def run(closure: CompiledClosure, columns: Array, **how: Any) -> tuple[dict[str, Array], Binding]:
    """Evaluate with arrays that hold 99 before."""
    binding = closure.create(len(columns), **how)
    arrays = {}
    for name, values in made.by_field(columns).items():
        dims = "column,level" if values.ndim == 2 else "column"
        binding.bind(name, np.ascontiguousarray(values), dims=dims, units="K")
    for field in closure.spec.outputs:
        arrays[field.name] = np.full((len(columns), *field.sizes), 99.0, np.float32)
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, arrays[field.name], dims=dims, units=field.units)
    binding.run(0)
    return arrays, binding


def test_the_archive_says_which_columns_it_flags(
    compiled: tuple[CompiledClosure, GuardedNetwork],
    networks: tuple[dict[str, GuardedNetwork], float],
) -> None:
    closure, network = compiled
    assert tuple(field.name for field in closure.spec.outputs) == NAMES
    field = closure.spec.outputs[-1]
    assert (field.role, field.units, field.shape) == ("confidence", "1", ())
    assert isinstance(field.valid_min, float)
    assert spread_of(field.valid_min) == pytest.approx(networks[1])
    columns = made.raw_columns(N, seed=5)
    found, binding = run(closure, columns, policy="flag")
    with torch.no_grad():
        confidence = network.guarded(made.normalized(columns))[2].numpy()
    np.testing.assert_allclose(found["confidence"], confidence, rtol=1e-4)
    assert ((found["confidence"] > 0.0) & (found["confidence"] <= 1.0)).all()
    unsure = found["confidence"] < np.float32(field.valid_min)
    assert 0.1 * N < unsure.sum() < 0.6 * N
    np.testing.assert_array_equal(binding.reasons() == NOT_CONFIDENT, unsure)
    assert binding.counts("confidence")["not_confident"] == unsure.sum()
    assert f"{unsure.sum()} not confident" in binding.summary


def test_flagged_columns_are_left_to_the_host(
    compiled: tuple[CompiledClosure, GuardedNetwork],
) -> None:
    closure, _ = compiled
    columns = made.raw_columns(N, seed=6)
    all_of_them, _ = run(closure, columns, policy="flag")
    found, binding = run(closure, columns, policy="host")
    left = binding.reasons() == NOT_CONFIDENT | UNTOUCHED
    assert 0 < left.sum() < N
    for name in NAMES:
        assert (found[name][left] == 99.0).all()
        np.testing.assert_array_equal(found[name][~left], all_of_them[name][~left])


def test_the_host_may_set_a_spread(compiled: tuple[CompiledClosure, GuardedNetwork]) -> None:
    closure, _ = compiled
    columns = made.raw_columns(N, seed=7)
    found, binding = run(closure, columns, policy="flag")
    spreads = 1.0 / found["confidence"].astype(np.float64) - 1.0
    for quantile in (0.2, 0.9):
        # Halfway between two columns, so that rounding decides nothing.
        ordered = np.sort(spreads)
        k = int(quantile * N)
        threshold = 0.5 * (ordered[k - 1] + ordered[k])
        binding.set_threshold(confidence_of(float(threshold)))
        binding.run(1)
        np.testing.assert_array_equal(binding.mask() != 0, spreads > threshold)


@pytest.mark.parametrize("chunk", [1, 7, 16, 33, 130])
def test_pieces_change_no_bit(compiled: tuple[CompiledClosure, GuardedNetwork], chunk: int) -> None:
    closure, _ = compiled
    assert 32 in closure.blocks
    columns = made.raw_columns(N, seed=8)
    whole, _ = run(closure, columns, policy="flag")
    parts = [run(closure, columns[i : i + chunk], policy="flag")[0] for i in range(0, N, chunk)]
    for name, values in whole.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)


def test_order_changes_no_bit(compiled: tuple[CompiledClosure, GuardedNetwork]) -> None:
    closure, _ = compiled
    columns = made.raw_columns(N, seed=9)
    order = np.random.default_rng(0).permutation(N)
    whole, turned = (run(closure, c, policy="flag")[0] for c in (columns, columns[order]))
    for name, values in whole.items():
        np.testing.assert_array_equal(turned[name], values[order])


def test_the_cascade_uses_all_its_stages(
    networks: tuple[dict[str, GuardedNetwork], float],
) -> None:
    """Otherwise the tests above would say nothing of it."""
    cascade = networks[0]["cascade"]
    assert isinstance(cascade, Cascade)
    features = made.normalized(made.raw_columns(N, seed=8))
    counts = (*made.COUNTS, made.N_MEMBER)
    spreads = member_spreads(made.ensemble(), made.spread(), features, counts)
    is_open = np.ones(N, dtype=bool)
    for low, high, values in zip(cascade.low, cascade.high, spreads[:-1], strict=True):
        before = is_open.sum()
        is_open &= (values >= low) & (values <= high)
        assert 0 < is_open.sum() < before
