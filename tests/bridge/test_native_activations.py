"""Error of the native engine's functions in units in the last place, on each instruction set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bridge.native_direct import DirectEngine
from bridge.native_programs import Program
from numpy.typing import NDArray
from scipy import special

from fortran_bridge.build import Prefix

Numbers = NDArray[np.float64]
GELU_SLOPE = 2.0 * np.sqrt(2.0 / np.pi)

REFERENCES: dict[str, tuple[Callable[[Numbers], Numbers], float, float]] = {
    # Function in double precision, its bound in ulp, and the least x that the bound is for.
    "exp": (np.exp, 1.0, -np.inf),
    "log": (lambda x: np.log(np.where(x < 0.0, np.nan, x)), 1.0, -np.inf),
    "sigmoid": (special.expit, 2.5, -np.inf),
    "tanh": (np.tanh, 1.5, -np.inf),
    "elu": (lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))), 1.0, -np.inf),
    # Further out, a factor is subnormal, or the error of the exponent shows.
    "silu": (lambda x: x * special.expit(x), 3.5, -80.0),
    "gelu": (lambda x: x * special.ndtr(x), 8.0, -12.0),
    "gelu_tanh": (lambda x: x * special.expit(GELU_SLOPE * (x + 0.044715 * x**3)), 12.0, -3.0),
    "sqrt": (lambda x: np.sqrt(np.where(x < 0.0, np.nan, x)), 0.5, -np.inf),
    "reciprocal": (lambda x: 1.0 / x, 0.5, -np.inf),
}
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 2e-45, -2e-45, 1e-38, 1.0, -1.0, 88.7, 88.73, -104.0)


def is_possible(isa: str) -> bool:
    """Whether this processor has an instruction set."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    wanted = {"v4": "avx512vl", "v3": "avx2"}.get(isa, "")
    return wanted in flags


ISAS = [isa for isa in ("v4", "v3", "base") if is_possible(isa)]


@pytest.fixture(scope="module")
def engines(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DirectEngine]:
    """The engine by instruction set."""
    folder = tmp_path_factory.mktemp("engines")
    library = prefix.library.with_name("libhybrid_native.so")
    return {isa: DirectEngine(library, folder, isa) for isa in ISAS}


def samples() -> NDArray[np.float32]:
    """Numbers of every size, more of them where functions bend, and special ones."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 40_000, dtype=np.uint32).view(np.float32)
    parts = (
        *(np.array(SPECIAL), rng.uniform(-110.0, 110.0, 30_000), rng.uniform(-20.0, 20.0, 30_000)),
        *(rng.normal(size=30_000), rng.uniform(0.4, 2.5, 20_000)),
    )
    numbers = np.concatenate([any_bits, *(part.astype(np.float32) for part in parts)])
    return numbers[: numbers.size // 16 * 16]


def in_place(engine: DirectEngine, op: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return op(x) of numbers in one column each."""
    program = Program([1])
    value = program.unary(op, 0, alpha=1.0, slope=0.1)
    return engine.evaluate(program, [value], [x[:, None]])[0][:, 0]


@pytest.mark.parametrize("op", REFERENCES)
def test_errors_are_below_their_bounds(op: str, engines: dict[str, DirectEngine]) -> None:
    function, bound, least = REFERENCES[op]
    x = samples()
    with np.errstate(all="ignore"):
        exact = function(x.astype(np.float64))
        rounded = exact.astype(np.float32)
        unit = np.spacing(np.abs(rounded)).astype(np.float64)
    is_finite = np.isfinite(rounded)
    for isa, engine in engines.items():
        found = in_place(engine, op, x)
        np.testing.assert_array_equal(found[~is_finite], rounded[~is_finite], err_msg=isa)
        checked = is_finite & (x >= least)
        error = np.abs(found[checked] - exact[checked]) / unit[checked]
        worst = int(np.argmax(error))
        assert error[worst] <= bound, f"{isa}: {op}({x[checked][worst]!r})"


@pytest.mark.parametrize("op", ["silu", "gelu", "gelu_tanh"])
def test_tails_are_exact_beside_the_argument(op: str, engines: dict[str, DirectEngine]) -> None:
    x = samples()
    x = x[np.isfinite(x)]
    exact = REFERENCES[op][0](x.astype(np.float64))
    for isa, engine in engines.items():
        error = np.abs(in_place(engine, op, x) - exact)
        assert (error <= 4.0 * 2.0**-24 * np.abs(x) + 2.0**-149).all(), isa


@pytest.mark.skipif(not {"v3", "v4"} <= set(ISAS), reason="needs a processor with AVX-512")
@pytest.mark.parametrize("op", [*REFERENCES, "relu", "leaky_relu", "negative", "square"])
def test_bits_are_those_of_the_other_instruction_set(
    op: str, engines: dict[str, DirectEngine]
) -> None:
    x = samples()
    v3, v4 = (in_place(engines[isa], op, x) for isa in ("v3", "v4"))
    # Which NaN it is, is left open.
    np.testing.assert_array_equal(v3, v4)
    kept = ~np.isnan(v3)
    np.testing.assert_array_equal(v3[kept].view(np.int32), v4[kept].view(np.int32))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("op", REFERENCES)
def test_bits_do_not_depend_on_the_place(
    op: str, isa: str, engines: dict[str, DirectEngine]
) -> None:
    x = samples()[:4096]
    expected = in_place(engines[isa], op, x)
    program = Program([16])
    value = program.unary(op, 0, alpha=1.0)
    rows = x.reshape(-1, 16)
    together = engines[isa].evaluate(program, [value], [rows])[0]
    np.testing.assert_array_equal(together.ravel(), expected)
    alone = [engines[isa].evaluate(program, [value], [rows[i : i + 1]])[0] for i in range(64)]
    np.testing.assert_array_equal(np.concatenate(alone), together[:64])
