"""Polynomials of columns run natively in the precision of their fields, to its last digits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bridge.native_direct import DirectEngine
from bridge.native_programs import Program
from bridge.test_native_activations import ISAS
from numpy.typing import NDArray
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from closures.field import DType
from closures.lorenz96 import CubicClosure
from fortran_bridge.binding import Binding
from fortran_bridge.build import Prefix
from fortran_bridge.native_closure import NativeClosure
from hybrid.native.evaluate import evaluate
from hybrid.native.reading import read_program

N_COLUMN, N_LEVEL = 100, 7
CUBIC = (0.341, 1.3, -0.0136, -0.00235)
TERMS = (((1, 0), -0.3), ((3, 0), -0.1), ((2, 1), 0.07), ((0, 5), -1.3e-3))
"""Powers of u and v to a coefficient: what a sparse regression leaves of many."""
TYPES: tuple[DType, ...] = ("float32", "float64")


class Polynomial(Closure):
    """A sum of products of powers of u and v, level by level."""

    def __init__(self, terms: Sequence[tuple[tuple[int, int], float]], dtype: DType) -> None:
        low, high = -2.0, 2.0
        fields = [
            Field(name, "m s-1", ("level",), (N_LEVEL,), dtype, valid_min=low, valid_max=high)
            for name in ("u", "v")
        ]
        output = Field("u_tendency", "m s-2", ("level",), (N_LEVEL,), dtype)
        super().__init__(ClosureSpec("polynomial", "1", tuple(fields), (output,)))
        self.powers = [list(powers) for powers, _ in terms]
        self.coefficients = [coefficient for _, coefficient in terms]

    def forward(self, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency, shape ``(n, n_level)``."""
        total = torch.zeros_like(u)
        for i in range(len(self.coefficients)):
            term = torch.pow(u, self.powers[i][0]) if self.powers[i][0] > 0 else torch.ones_like(u)
            if self.powers[i][1] > 0:
                term = term * torch.pow(v, self.powers[i][1])
            total = total + self.coefficients[i] * term
        return (total,)


def winds() -> list[NDArray[np.float64]]:
    """Return u and v, of which float32 does not hold all digits."""
    return list(np.random.default_rng(0).uniform(-2.0, 2.0, (2, N_COLUMN, N_LEVEL)))


@pytest.fixture(scope="module", params=TYPES)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the polynomial, named after its precision."""
    path = tmp_path_factory.mktemp("polynomial") / f"{request.param}.pt"
    report = hybrid.export(Polynomial(TERMS, request.param), path)
    assert report.native is not None
    assert report.native.expressed, report.native.reason
    return path


def run(
    closure: NativeClosure, arrays: dict[str, NDArray[Any]], host: type = np.float64
) -> NDArray[Any]:
    """Evaluate columns of a host of some precision as one batch."""
    n = len(next(iter(arrays.values())))
    found: NDArray[Any] = np.zeros((n, N_LEVEL), host)
    binding = Binding(closure, n)
    for name, array in arrays.items():
        binding.bind(name, array.astype(host), dims="column,level", units="m s-1")
    binding.bind("u_tendency", found, dims="column,level", units="m s-2").run(1)
    binding.free()
    return found


def test_a_host_in_double_precision_gets_the_precision_of_the_fields(archive: Path) -> None:
    u, v = winds()
    expected = sum(c * u**p * v**q for (p, q), c in TERMS)
    scale = np.abs(expected).max()
    eps = float(np.finfo(archive.stem).eps)
    closure = NativeClosure(archive, engine="native")
    error = np.abs(run(closure, {"u": u, "v": v}) - expected).max() / scale
    assert error <= 64 * eps
    # What goes through float32 on its way is known to its digits alone.
    assert (error > 1e-9) == (archive.stem == "float32")


def test_the_engine_gives_what_the_judge_gives(archive: Path) -> None:
    program = read_program(archive)
    assert program is not None
    assert set(program.types) == {archive.stem}
    u, v = (array.astype(archive.stem) for array in winds())
    (expected,) = evaluate(program, [u, v])
    found = run(NativeClosure(archive, engine="native"), {"u": u, "v": v})
    scale = np.abs(expected).max()
    eps = float(np.finfo(archive.stem).eps)
    assert np.abs(found - expected).max() <= 64 * eps * scale


@pytest.mark.parametrize("n_thread", [1, 2])
def test_bits_do_not_depend_on_company_and_threads(archive: Path, n_thread: int) -> None:
    u, v = winds()
    whole = run(NativeClosure(archive, engine="native"), {"u": u, "v": v})
    closure = NativeClosure(archive, engine="native", n_thread=n_thread)
    for size in (1, 7, 16, 33, 48, 96):
        parts = [
            run(closure, {"u": u[i : i + size], "v": v[i : i + size]})
            for i in range(0, N_COLUMN, size)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole, err_msg=str(size))


@pytest.mark.parametrize("dtype", TYPES)
def test_the_cubic_closure(dtype: DType, tmp_path: Path) -> None:
    hybrid.export(CubicClosure(CUBIC, -8.0, 12.0, dtype=dtype), tmp_path / "cubic.pt")
    x = np.random.default_rng(1).uniform(-8.0, 12.0, 200)
    closure = hybrid.load(tmp_path / "cubic.pt", engine="native")
    found = closure.evaluate({"x": x})["x_tendency"]
    assert found.dtype == dtype
    expected = np.polynomial.Polynomial(CUBIC)(x)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error <= 64 * float(np.finfo(dtype).eps)
    assert (error > 1e-9) == (dtype == "float32")


def test_instruction_sets(prefix: Prefix, tmp_path: Path) -> None:
    """The same products and sums by hand: AVX2 and AVX-512 agree to the bit."""
    program = Program([1], dtype="float64")
    total = program.constant(CUBIC[3:])
    for coefficient in CUBIC[2::-1]:
        product = program.binary("multiply", total, 0)
        total = program.binary("add", product, program.constant([coefficient]))
    x = np.random.default_rng(1).uniform(-8.0, 12.0, (200, 1))
    library = prefix.engine("native")
    found = [
        DirectEngine(library, tmp_path, isa).evaluate(program, [total], [x])[0] for isa in ISAS
    ]
    # Products and sums are steps of their own, so that nothing is fused anywhere.
    for values in found[1:]:
        np.testing.assert_array_equal(values, found[0])
