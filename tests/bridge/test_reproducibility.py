"""A column's result depends on nothing but its own values, number and step."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from closure_examples import Activated, ColumnNetwork
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from hybrid.runtime import CompiledClosure

N = 200
# The engine that needs the self-test of block sizes.
TORCHSCRIPT = "torchscript"
N_LEVEL = 5
N_STEP = 5


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> CompiledClosure:
    path = tmp_path_factory.mktemp("wide") / "wide.pt"
    hybrid.export(ColumnNetwork(n_level=60, seed=3), path)
    return hybrid.load(path, TORCHSCRIPT)


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
    closure = hybrid.load(tmp_path / "activated.pt", TORCHSCRIPT)
    x = np.random.default_rng(seed).uniform(-2, 2, (2000, 6))
    whole = closure.evaluate({"x": x})["y"]
    for chunk in (1, 7, 33, 40, 48, 100):
        parts = [closure.evaluate({"x": x[i : i + chunk]})["y"] for i in range(0, 2000, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts), whole, err_msg=f"chunks of {chunk}")


class Around270(Closure):
    """An activation that bends around 270 K, where the envelope need not say that values are."""

    def __init__(self, activation: str, low: float | None, high: float | None) -> None:
        t = Field("t", "K", ("level",), (N_LEVEL,), valid_min=low, valid_max=high)
        y = Field("y", "1", ("level",), (N_LEVEL,))
        super().__init__(ClosureSpec("around_270", "1.0", (t,), (y,)))
        self.activation = activation

    def forward(self, t: Tensor) -> tuple[Tensor]:
        x = (t - 270.0) / 2.0
        return (torch.sigmoid(x) if self.activation == "sigmoid" else torch.nn.functional.silu(x),)


class Growing(Closure):
    """State, which has no envelope, that grows into the range where the closure bends."""

    def __init__(self) -> None:
        level = (("level",), (N_LEVEL,))
        super().__init__(
            ClosureSpec(
                name="growing",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-2.0, valid_max=2.0),),
                outputs=(Field("y", "1", *level),),
                state=(Field("memory", "1", *level),),
            )
        )

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return (torch.sigmoid((memory - 270.0) / 10.0), memory + 7.0 + x[:, None])


UNKNOWN = {
    "no bounds": (None, None),
    "one bound": (0.0, None),
    "the other bound": (None, 1000.0),
    # Beyond the bend SiLU is a straight line, and straight lines round alike everywhere.
    "bounds that say nothing": (0.0, 1e9),
}


@pytest.mark.parametrize("activation", ["silu", "sigmoid"])
@pytest.mark.parametrize("bounds", UNKNOWN.values(), ids=UNKNOWN)
def test_where_random_columns_prove_nothing(
    tmp_path: Path, activation: str, bounds: tuple[float | None, float | None]
) -> None:
    hybrid.export(Around270(activation, *bounds), tmp_path / "around.pt")
    closure = hybrid.load(tmp_path / "around.pt", TORCHSCRIPT)
    t = 270.0 + 2.0 * np.random.default_rng(0).normal(size=(384, N_LEVEL))
    whole = closure.evaluate({"t": t})["y"]
    for chunk in (1, 7, 16, 33):
        parts = [closure.evaluate({"t": t[i : i + chunk]})["y"] for i in range(0, 384, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts), whole, err_msg=f"chunks of {chunk}")
    assert all(block % 32 == 0 for block in closure.blocks)
    assert ("without two bounds: t;" in closure.description) == (None in bounds)


def test_state_may_grow_into_any_range(tmp_path: Path) -> None:
    hybrid.export(Growing(), tmp_path / "growing.pt")
    closure = hybrid.load(tmp_path / "growing.pt", TORCHSCRIPT)
    x = np.linspace(-2.0, 2.0, 96)

    def last(first: int, n: int) -> np.ndarray[Any, Any]:
        y = np.zeros((n, N_LEVEL))
        binding = closure.create(n)
        binding.bind("x", x[first : first + n].copy(), dims="column", units="1")
        binding.bind("y", y, dims="column,level", units="1")
        history = []
        for step in range(45):
            binding.run(step)
            binding.commit()
            history.append(y.copy())
        return np.array(history)

    whole = last(0, 96)
    for chunk in (1, 8, 16, 24):
        parts = [last(i, chunk) for i in range(0, 96, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


class Table(Closure):
    """Looked up in a table: a number too large is an error of the engine."""

    def __init__(self) -> None:
        x, y = Field("x", "1"), Field("y", "1")
        super().__init__(ClosureSpec("table", "1.0", (x,), (y,)))
        self.register_buffer("values", torch.arange(8.0))
        self.values: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.values[(x + 4.0).to(torch.int64)],)


def test_a_closure_need_not_bear_every_magnitude(tmp_path: Path) -> None:
    hybrid.export(Table(), tmp_path / "table.pt")
    closure = hybrid.load(tmp_path / "table.pt", TORCHSCRIPT)
    assert closure.blocks == (32,)
    x = np.linspace(-3.0, 3.0, 100)
    np.testing.assert_array_equal(closure.evaluate({"x": x})["y"], np.trunc(x + 4.0))


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
