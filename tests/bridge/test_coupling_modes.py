"""A share of the closure beside the host's own scheme: shadow, ramp, levels and regions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guarded_closure import GAIN, N_LEVEL, Guarded

import hybrid
from fortran_bridge import BridgeError
from hybrid.runtime import Binding, CompiledClosure

Array = np.ndarray[Any, Any]

N = 21
RNG = np.random.default_rng(2)
X = RNG.integers(65, 128, (N, N_LEVEL)) / 64.0
HOST = RNG.normal(size=(N, N_LEVEL))


@pytest.fixture(scope="module")
def closure(tmp_path_factory: pytest.TempPathFactory) -> CompiledClosure:
    path = tmp_path_factory.mktemp("modes") / "guarded.pt"
    hybrid.export(Guarded("float64"), path)
    return hybrid.load(path)


@pytest.fixture(scope="module")
def network(column_archive: Path) -> CompiledClosure:
    """Without state, so that it can be used in chunks."""
    return hybrid.load(column_archive)


def evaluate(
    binding: Binding, step: int = 0, *, x: Array = X, host: Array = HOST, units: str = "K s-1"
) -> Array:
    """Let the host's scheme write its tendency, and the closure have its share."""
    binding.put("x", x, dims="column,level", units="K")
    binding.put("trust", np.ones(len(x)), dims="column", units="1")
    binding.apply(step)
    y = host.copy()
    binding.get("y", y, dims="column,level", units=units)
    return y


def refused(status: int, message: str, call: Callable[[], object]) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        call()
    assert caught.value.status == status


def test_shadow_leaves_the_hosts_values(closure: CompiledClosure) -> None:
    binding = closure.create(N).shadow("y")
    differences = []
    for step in range(3):
        host = RNG.normal(size=HOST.shape)
        host[2, 1] = -0.0
        np.testing.assert_array_equal(evaluate(binding, step, host=host), host)
        differences.append(GAIN * X - host)
    all_of_them = np.concatenate(differences)
    found = binding.differences("y", N_LEVEL)
    assert np.all(found.count == 3 * N)
    np.testing.assert_allclose(found.mean, all_of_them.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.rms, np.sqrt((all_of_them**2).mean(axis=0)), rtol=1e-12)
    np.testing.assert_array_equal(found.largest, np.abs(all_of_them).max(axis=0))


def test_differences_are_in_the_hosts_units(closure: CompiledClosure) -> None:
    binding = closure.create(N).shadow("y")
    evaluate(binding, units="K/day", host=np.zeros_like(HOST))
    found = binding.differences("y", N_LEVEL)
    np.testing.assert_allclose(found.mean, 86400.0 * GAIN * X.mean(axis=0), rtol=1e-12)


def test_ramp_is_linear_between_its_steps(closure: CompiledClosure) -> None:
    binding = closure.create(N).ramp("y", 0.25, 0.75, 10, 14)
    for step, share in ((-5, 0.25), (10, 0.25), (11, 0.375), (12, 0.5), (14, 0.75), (99, 0.75)):
        expected = (1.0 - share) * HOST + share * GAIN * X
        np.testing.assert_allclose(evaluate(binding, step), expected, rtol=1e-14, atol=1e-15)
    # Also a ramp downwards, and one that jumps.
    binding.ramp("y", 1.0, 0.0, 0, 4)
    np.testing.assert_array_equal(evaluate(binding, 0), GAIN * X)
    np.testing.assert_array_equal(evaluate(binding, 2), HOST + 0.5 * (GAIN * X - HOST))
    np.testing.assert_array_equal(evaluate(binding, 4), HOST)
    binding.ramp("y", 0.0, 1.0, 7, 7)
    np.testing.assert_array_equal(evaluate(binding, 6), HOST)
    np.testing.assert_array_equal(evaluate(binding, 7), GAIN * X)


def test_a_full_share_replaces_what_is_not_finite(closure: CompiledClosure) -> None:
    binding = closure.create(N).ramp("y", 1.0, 1.0, 0, 0)
    np.testing.assert_array_equal(evaluate(binding, host=np.full_like(HOST, np.nan)), GAIN * X)
    assert np.all(binding.differences("y", N_LEVEL).count == 0)


def test_partial_by_level_and_region(closure: CompiledClosure) -> None:
    level, region = np.array([0.0, 0.5, 1.0]), RNG.choice([0.0, 0.25, 1.0], N)
    share = region[:, None] * level
    binding = closure.create(N).partial("y", element=level, column=region)
    expected = (1.0 - share) * HOST + share * GAIN * X
    np.testing.assert_allclose(evaluate(binding), expected, rtol=1e-14, atol=1e-15)
    binding.ramp("y", 0.5, 0.5, 0, 0)
    expected = (1.0 - 0.5 * share) * HOST + 0.5 * share * GAIN * X
    np.testing.assert_allclose(evaluate(binding), expected, rtol=1e-14, atol=1e-15)
    binding.partial("y", element=level)
    expected = (1.0 - 0.5 * level) * HOST + 0.5 * level * GAIN * X
    np.testing.assert_allclose(evaluate(binding), expected, rtol=1e-14, atol=1e-15)
    binding.partial("y")
    np.testing.assert_allclose(evaluate(binding), 0.5 * (HOST + GAIN * X), rtol=1e-14, atol=1e-15)


def test_bound_arrays_have_a_share_too(closure: CompiledClosure) -> None:
    binding = closure.create(N).ramp("y", 0.5, 0.5, 0, 0)
    y, confidence = HOST.copy(), np.zeros(N)
    binding.bind("x", X, dims="column,level", units="K")
    binding.bind("trust", np.ones(N), dims="column", units="1")
    binding.bind("y", y, dims="column,level", units="K s-1")
    binding.bind("confidence", confidence, dims="column", units="1")
    binding.run(0)
    np.testing.assert_array_equal(y, HOST + 0.5 * (GAIN * X - HOST))
    # Only what has a share is blended.
    np.testing.assert_array_equal(confidence, 1.0)


@pytest.mark.parametrize("policy", ["host", "zero", "flag"])
def test_flagged_columns(closure: CompiledClosure, policy: str) -> None:
    binding = closure.create(N, policy=policy).ramp("y", 0.5, 0.5, 0, 0)
    x = X.copy()
    x[4, 0] = np.nan
    y = evaluate(binding, x=x)
    good = np.arange(N) != 4
    np.testing.assert_array_equal(y[good], (HOST + 0.5 * (GAIN * X - HOST))[good])
    np.testing.assert_array_equal(y[4], 0.5 * HOST[4] if policy == "zero" else HOST[4])


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_overflow_of_a_blended_array(closure: CompiledClosure, share: float) -> None:
    binding = closure.create(2, policy="host").ramp("y", share, share, 0, 0)
    x = np.array([[1e-4] * 3, [2.0] * 3])
    y = evaluate(binding, x=x, host=np.ones((2, 3), np.float32), units="1e-39 K s-1")
    np.testing.assert_allclose(y[0], share * 2e35, rtol=1e-6)
    assert np.all(y[1] == 1.0)
    assert list(binding.reasons()) == [0, 8 | 128]
    assert binding.counts("y")["overflow"] == binding.counts()["overflow"] == 1
    # Where nothing is written, nothing overflows.
    binding.shadow("y")
    evaluate(binding, x=x, host=np.ones((2, 3), np.float32), units="1e-39 K s-1")
    assert not binding.mask().any()


def test_shares_that_are_refused(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    refused(
        10,
        r"y: expected shares from 0 \(the host's scheme\) to 1 \(the closure\), got 0.0*",
        lambda: binding.ramp("y", 0.0, 1.5, 0, 1),
    )
    refused(10, "y: expected shares", lambda: binding.ramp("y", np.nan, 1.0, 0, 1))
    refused(
        10,
        "y: expected a ramp that ends after it begins, got steps 5 to 4",
        lambda: binding.ramp("y", 0.0, 1.0, 5, 4),
    )
    refused(
        10,
        "y: expected shares from 0 to 1, got -0.5.* for element of a column 2",
        lambda: binding.partial("y", element=[0.0, -0.5, 1.0]),
    )
    refused(
        6,
        "y: expected one share for each column, that is 21, got 3",
        lambda: binding.partial("y", column=[0.0, 0.5, 1.0]),
    )
    refused(4, "x: no such output", lambda: binding.shadow("x"))
    # None of these has left a share behind.
    refused(8, "y: expected an output with a ramp, got none", lambda: binding.differences("y", 3))
    np.testing.assert_array_equal(evaluate(binding), GAIN * X)
    binding.ramp("y", 0.5, 0.5, 0, 0)
    refused(
        6,
        "y: expected one share for each column",
        lambda: binding.partial("y", element=[0.0, 0.0, 0.0], column=[1.0]),
    )
    refused(6, "y: expected room for 3 elements, got 2", lambda: binding.differences("y", 2))
    np.testing.assert_array_equal(evaluate(binding), HOST + 0.5 * (GAIN * X - HOST))


def test_no_share_of_what_accumulates(closure: CompiledClosure) -> None:
    message = "y: expected an array that holds the host's own values, .* got one that accumulates"
    y = HOST.copy()

    def bind(binding: Binding) -> None:
        binding.bind("y", y, dims="column,level", units="K s-1", accumulate=True)

    first_bound = closure.create(N)
    bind(first_bound)
    refused(10, message, lambda: first_bound.ramp("y", 0.0, 1.0, 0, 1))
    refused(10, message, lambda: first_bound.partial("y", element=[0.0, 1.0, 1.0]))
    first_ramp = closure.create(N).shadow("y")
    refused(10, message, lambda: bind(first_ramp))
    evaluate(first_ramp)
    refused(
        10,
        message,
        lambda: first_ramp.get("y", y, dims="column,level", units="K s-1", accumulate=True),
    )
    first_get = closure.create(N)
    evaluate(first_get)
    first_get.get("y", y, dims="column,level", units="K s-1", accumulate=True)
    refused(10, message, lambda: first_get.shadow("y"))


def test_shares_of_columns_belong_to_a_chunk(network: CompiledClosure) -> None:
    t, ps = np.full((4, 5), 250.0), np.full(4, 9e4)

    def rain(binding: Binding) -> Array:
        n = binding.n_column
        binding.put("state_t", t[:n], dims="column,level", units="K")
        binding.put("state_ps", ps[:n], dims="column", units="Pa")
        binding.apply(0)
        values = np.full(n, -1.0)
        binding.get("precipitation", values, dims="column", units="m s-1")
        return values

    binding = network.create(4).partial("precipitation", column=[0.0, 0.0, 1.0, 1.0])
    found = rain(binding)
    assert np.all(found[:2] == -1.0)
    assert np.all(found[2:] > 0.0)
    binding.chunk(3)
    refused(
        8,
        "precipitation: expected shares for the columns of this chunk, got those of an ear",
        lambda: rain(binding),
    )
    binding.partial("precipitation", column=[1.0, 0.0, 1.0])
    assert list(rain(binding) > 0.0) == [True, False, True]
    # A share that is the same for all columns stays.
    everywhere = network.create(4).shadow("precipitation")
    everywhere.chunk(2)
    assert np.all(rain(everywhere) == -1.0)
