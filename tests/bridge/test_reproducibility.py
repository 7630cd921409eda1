"""A column's result depends on nothing but its own values, number and step."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closure_examples import Activated, ColumnNetwork

import hybrid
from hybrid.runtime import CompiledClosure

N = 200
N_STEP = 5


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> CompiledClosure:
    path = tmp_path_factory.mktemp("wide") / "wide.pt"
    hybrid.export(ColumnNetwork(n_level=60, seed=3), path)
    return hybrid.load(path)


def march(
    closure: CompiledClosure, first: int, last: int, x: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Several steps of the stochastic closure for columns first..last, two calls a step."""
    columns = np.arange(first, last)
    tendency = np.zeros(len(columns))
    binding = closure.create(len(columns), column_id=columns, seed=11)
    binding.bind("x", x[first:last].copy(), dims="column", units="1")
    binding.bind("x_tendency", tendency, dims="column", units="s-1")
    history = []
    for step in range(N_STEP):
        binding.run(step)
        early = tendency.copy()
        binding.run(step)
        np.testing.assert_array_equal(early, tendency)
        binding.commit()
        history.append(tendency.copy())
    return np.array(history)


@pytest.mark.parametrize("chunk", [1, 7, 16, 130])
def test_chunking_does_not_change_a_bit(wide: CompiledClosure, chunk: int) -> None:
    rng = np.random.default_rng(0)
    inputs = {"state_t": rng.uniform(200, 310, (N, 60)), "state_ps": rng.uniform(5e4, 1e5, N)}
    whole = wide.evaluate(inputs)
    for first in range(0, N, chunk):
        part = wide.evaluate({name: a[first : first + chunk] for name, a in inputs.items()})
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][first : first + chunk])


@pytest.mark.parametrize(
    ("activation", "n_hidden", "seed"),
    [("sigmoid", 32, 0), ("sigmoid", 33, 1), ("silu", 33, 1), ("silu", 33, 2), ("elu", 33, 2)],
)
def test_rare_roundings_do_not_escape_the_self_test(
    tmp_path: Path, activation: str, n_hidden: int, seed: int
) -> None:
    hybrid.export(Activated(activation, n_hidden, seed), tmp_path / "activated.pt")
    closure = hybrid.load(tmp_path / "activated.pt")
    x = np.random.default_rng(seed).uniform(-2, 2, (2000, 6))
    whole = closure.evaluate({"x": x})["y"]
    for chunk in (1, 7, 33, 40, 48, 100):
        parts = [closure.evaluate({"x": x[i : i + chunk]})["y"] for i in range(0, 2000, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts), whole, err_msg=f"chunks of {chunk}")


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunking_does_not_change_random_numbers(persistence_archive: Path, chunk: int) -> None:
    closure = hybrid.load(persistence_archive)
    x = np.linspace(-1, 1, N)
    whole = march(closure, 0, N, x)
    parts = [march(closure, i, min(i + chunk, N), x) for i in range(0, N, chunk)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_blocks_were_found_by_the_self_test(wide: CompiledClosure) -> None:
    # One column at a time, the fallback, would mean that no size was found to round alike.
    assert 16 in wide.blocks
    assert list(wide.blocks) == sorted(set(wide.blocks))


def test_state_continues_after_get_and_set(persistence_archive: Path) -> None:
    closure = hybrid.load(persistence_archive)
    x, tendency = np.zeros(4), np.zeros(4)

    def fresh() -> hybrid.runtime.Binding:
        binding = closure.create(4, seed=5)
        binding.bind("x", x, dims="column", units="1")
        return binding.bind("x_tendency", tendency, dims="column", units="s-1")

    binding = fresh()
    uninterrupted = []
    for step in range(10):
        binding.run(step)
        binding.commit()
        uninterrupted.append(tendency.copy())
        if step == 4:
            saved = binding.state_get("memory", 5)
    restarted = fresh()
    restarted.state_set("memory", saved)
    for step in range(5, 10):
        restarted.run(step)
        restarted.commit()
        np.testing.assert_array_equal(tendency, uninterrupted[step])


def test_state_changes_only_at_commit(persistence_archive: Path) -> None:
    binding = hybrid.load(persistence_archive).create(3, seed=1)
    binding.bind("x", np.zeros(3), dims="column", units="1")
    binding.bind("x_tendency", np.zeros(3), dims="column", units="s-1")
    binding.run(0)
    assert np.all(binding.state_get("memory", 5) == 0.0)
    binding.commit()
    assert np.all(binding.state_get("memory", 5) != 0.0)


def test_threads_share_a_closure(persistence_archive: Path) -> None:
    closure = hybrid.load(persistence_archive)
    x = np.linspace(-1, 1, N)
    whole = march(closure, 0, N, x)
    first = range(0, N, 25)
    # ctypes lets go of the interpreter, so that these calls really run at the same time.
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda i: march(closure, i, i + 25, x), first))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
