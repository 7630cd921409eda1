"""What a select takes of some columns only is computed for those alone, and no bit tells."""

import time
from pathlib import Path

import numpy as np
import pytest
from bridge.native_direct import DirectEngine
from bridge.native_programs import Program
from fidelity_ensembles import by_field, ensemble, guarded_closure, raw_columns, spread
from numpy.typing import NDArray

import hybrid
from closures.multifidelity import Cascade, Window
from fortran_bridge.build import Prefix
from hybrid.runtime import CompiledClosure

SIZE, WIDTH = 16, 96
COLUMNS = (1, 2, 8, 9, 17, 48, 49, 100)
SHARES = (0.0, 0.1, 0.5, 1.0)
"""Columns of which the expensive choice is taken."""

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def library(prefix: Prefix) -> Path:
    """The engine's shared object."""
    return prefix.engine("native")


@pytest.fixture(scope="module")
def engine(library: Path, tmp_path_factory: pytest.TempPathFactory) -> DirectEngine:
    """The engine with the best instruction set."""
    return DirectEngine(library, tmp_path_factory.mktemp("engine"))


def weights(*shape: int, seed: int) -> Array:
    """Normal numbers that keep the size of what they multiply."""
    values: Array = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return values / np.float32(shape[-1] ** 0.5)


def columns(n: int, share: float) -> Array:
    """Columns ``(n, SIZE)``, of a share of which feature 0 is positive."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, SIZE)).astype(np.float32)
    x[:, 0] = np.where(rng.random(n) < share, 1.0, -1.0) * (np.abs(x[:, 0]) + 0.1)
    return x


def regimes(width: int = WIDTH) -> tuple[Program, list[int]]:
    """Return a program with two results of one condition, and what each chooses between."""
    program = Program([SIZE])
    zero = program.constant([0.0])
    condition = program.binary("less", zero, program.gather(0, [0]))
    part = program.gather(0, range(2, SIZE))
    cheap = program.unary("negative", 0)
    x = program.linear(part, weights(width, SIZE - 2, seed=1), weights(width, seed=2))
    x = program.unary(
        "tanh", program.linear(program.unary("silu", x), weights(width, width, seed=3))
    )
    one = program.binary("add", program.linear(x, weights(SIZE, width, seed=4)), cheap)
    other = program.add("sum", 1, x=x, n=width)
    chosen = program.add("select", SIZE, condition=condition, a=one, b=cheap)
    number = program.add("select", 1, condition=condition, a=other, b=condition)
    return program, [program.unary("square", chosen), number, one, other, cheap, condition]


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("share", SHARES)
def test_bits_are_those_of_computing_everything(n: int, share: float, engine: DirectEngine) -> None:
    program, results = regimes()
    x = columns(n, share)
    chosen, number = engine.evaluate(program, results[:2], [x])
    # With its choices among the results, nothing may be left out.
    whole = engine.evaluate(program, results, [x])
    np.testing.assert_array_equal(chosen, whole[0])
    np.testing.assert_array_equal(number, whole[1])
    _, _, one, other, cheap, condition = whole
    np.testing.assert_array_equal(chosen, np.square(np.where(condition != 0, one, cheap)))
    np.testing.assert_array_equal(number, np.where(condition != 0, other, condition))


@pytest.mark.parametrize("isa", ["v3", "v4", "base"])
def test_bits_do_not_depend_on_who_comes_along(isa: str, library: Path, tmp_path: Path) -> None:
    engine = DirectEngine(library, tmp_path, isa)
    if engine.version.endswith("no instruction set"):
        pytest.skip(f"this processor has no {isa}")
    program, results = regimes()
    x = columns(100, 0.3)
    whole = engine.evaluate(program, results[:2], [x])
    for n_thread in (1, 2):
        for size in (1, 7, 64):
            parts = [
                engine.evaluate(program, results[:2], [x[i : i + size]], n_thread)
                for i in range(0, len(x), size)
            ]
            for k in range(2):
                np.testing.assert_array_equal(np.concatenate([p[k] for p in parts]), whole[k])


def test_columns_that_are_left_out_cost_less(engine: DirectEngine) -> None:
    program, results = regimes(width=256)

    def seconds(share: float) -> float:
        x, found = columns(1920, share), []
        for _ in range(3):
            begin = time.process_time()
            engine.evaluate(program, results[:2], [x])
            found.append(time.process_time() - begin)
        return min(found)

    # Packing weights and moving columns is the same in both; the products are 20 times that.
    assert seconds(1.0) > 3.0 * seconds(0.0)


def test_what_a_column_that_is_left_out_holds_does_not_matter(engine: DirectEngine) -> None:
    program, results = regimes()
    x = columns(48, 0.5)
    disturbed = x.copy()
    disturbed[x[:, 0] < 0.0, 1:] = np.nan
    goes_on = x[:, 0] > 0.0
    expected, found = (engine.evaluate(program, results[:2], [y]) for y in (x, disturbed))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a[goes_on], b[goes_on])
    np.testing.assert_array_equal(found[1][~goes_on], 0.0)


def test_choices_inside_choices(engine: DirectEngine) -> None:
    """A condition that is known only where another one holds."""
    program, results = regimes()
    inner, condition = results[0], results[5]
    y = program.linear(inner, weights(WIDTH, SIZE, seed=5))
    y = program.linear(program.unary("tanh", y), weights(SIZE, WIDTH, seed=6))
    outer = program.add("select", SIZE, condition=program.gather(0, [1]), a=y, b=condition)
    x = columns(49, 0.5)
    x[::3, 1] = 0.0
    (alone,) = engine.evaluate(program, [outer], [x])
    whole = engine.evaluate(program, [outer, y, condition], [x])
    np.testing.assert_array_equal(alone, whole[0])
    np.testing.assert_array_equal(alone, np.where(x[:, 1:2] != 0, whole[1], whole[2]))


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a cascade of which some columns go on once and some twice."""
    windows = (Window(3, 0.3, 1.2), Window(6, 0.4, 0.9))
    path = tmp_path_factory.mktemp("cascade") / "cascade.pt"
    report = hybrid.export(guarded_closure(Cascade(ensemble(), spread(), 0.6, windows)), path)
    assert report.native is not None
    assert report.native.expressed, report.native
    return path


def run(closure: CompiledClosure, x: Array) -> dict[str, Array]:
    """Evaluate raw columns as one batch."""
    binding, results = closure.create(len(x), policy="flag"), {}
    for name, values in by_field(x).items():
        dims = "column,level" if values.ndim == 2 else "column"
        binding.bind(name, np.ascontiguousarray(values), dims=dims, units="K")
    for field in closure.spec.outputs:
        results[field.name] = np.zeros((len(x), *field.sizes), np.float32)
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, results[field.name], dims=dims, units=field.units)
    binding.run(1)
    return results


def test_a_cascade_is_that_of_torchscript_in_any_company(cascade: Path) -> None:
    x = raw_columns(150)
    native, other = (hybrid.load(cascade, engine=name) for name in ("native", "torchscript"))
    whole, expected = run(native, x), run(other, x)
    parts = [run(native, x[i : i + 13]) for i in range(0, len(x), 13)]
    for name, values in whole.items():
        scale = np.abs(expected[name]).max()
        assert np.abs(values - expected[name]).max() <= 64 * 2.0**-23 * scale, name
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)
