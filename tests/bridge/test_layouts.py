"""Any memory layout, precision and unit of the host gives the same answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closure_examples import N_LEVEL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import hybrid
from fortran_bridge import BridgeError

Array = NDArray[Any]
N = 9
RNG = np.random.default_rng(2)
# Values that float32 holds exactly, so that precision cannot blur the comparison.
T = np.round(RNG.uniform(220, 300, (N, N_LEVEL)) * 16) / 16
PS = np.round(RNG.uniform(6e4, 1e5, N))


def reference(path: Path) -> dict[str, Array]:
    return hybrid.load(path).evaluate({"state_t": T, "state_ps": PS})


def embedded(values: Array, dtype: type, steps: tuple[int, ...], order: str) -> Array:
    """Return a view with the given steps (any sign) into a larger array that holds `values`."""
    pairs = list(zip(steps, values.shape, strict=True))
    big: Array = np.full([abs(s) * n + 2 for s, n in pairs], -9, dtype)
    if order == "F":
        big = np.asfortranarray(big)
    view = big[tuple(slice(1, 1 + abs(s) * n, abs(s)) for s, n in pairs)]
    view = view[tuple(slice(None, None, 1 if s > 0 else -1) for s in steps)]
    view[...] = values
    return view


step = st.sampled_from([-3, -1, 1, 2])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.tuples(step, step),
    transposed=st.booleans(),
    order=st.sampled_from("CF"),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_every_layout_gives_the_same(
    column_archive: Path, steps: tuple[int, int], transposed: bool, order: str, dtype: type
) -> None:
    expected = reference(column_archive)
    dims = "level, column" if transposed else "column,level"
    t = embedded(T.T if transposed else T, dtype, steps, order)
    tendency = embedded((T.T if transposed else T) * 0, dtype, steps, order)
    ps = embedded(PS, dtype, steps[:1], order)
    rain = embedded(PS * 0, dtype, steps[:1], order)
    binding = hybrid.load(column_archive).create(N)
    binding.bind("state_t", t, dims=dims, units="K")
    binding.bind("state_ps", ps, dims="column", units="Pa")
    binding.bind("ptend_t", tendency, dims=dims, units="K s-1")
    binding.bind("precipitation", rain, dims="column", units="m s-1")
    binding.run(0)
    found = tendency.T if transposed else tendency
    np.testing.assert_array_equal(found.astype(np.float32), expected["ptend_t"])
    np.testing.assert_array_equal(rain.astype(np.float32), expected["precipitation"])


def test_memory_beside_a_section_is_untouched(column_archive: Path) -> None:
    big = np.full((2 * N, 2 * N_LEVEL), 7.0)
    binding = hybrid.load(column_archive).create(N)
    binding.bind("state_t", T, dims="column,level", units="K")
    binding.bind("state_ps", PS, dims="column", units="Pa")
    binding.bind("ptend_t", big[::2, 1::2], dims="column,level", units="K s-1")
    binding.bind("precipitation", np.zeros(N), dims="column", units="m s-1")
    binding.run(0)
    assert np.all(big[1::2] == 7.0)
    assert np.all(big[:, ::2] == 7.0)
    assert not np.any(big[::2, 1::2] == 7.0)


def test_square_arrays_are_told_apart_by_dims(column_archive: Path) -> None:
    square = T[:N_LEVEL]
    closure = hybrid.load(column_archive)

    def run(dims: str) -> Array:
        tendency = np.zeros((N_LEVEL, N_LEVEL))
        binding = closure.create(N_LEVEL)
        binding.bind("state_t", square, dims=dims, units="K")
        binding.bind("state_ps", PS[:N_LEVEL], dims="column", units="Pa")
        binding.bind("ptend_t", tendency, dims="column,level", units="K s-1")
        binding.bind("precipitation", np.zeros(N_LEVEL), dims="column", units="m s-1")
        binding.run(0)
        return tendency

    as_columns, as_levels = run("column,level"), run("level,column")
    inputs = {"state_t": np.ascontiguousarray(square.T), "state_ps": PS[:N_LEVEL]}
    np.testing.assert_array_equal(as_levels.astype(np.float32), closure.evaluate(inputs)["ptend_t"])
    assert not np.array_equal(as_columns, as_levels)


@pytest.mark.parametrize(
    ("name", "units", "values", "slope"),
    [
        ("state_ps", "hPa", PS / 100, None),
        ("state_t", "degC", T - 273.15, None),
        ("ptend_t", "K/day", None, 86400.0),
        ("precipitation", "mm/day", None, 86_400_000.0),
    ],
)
def test_units_are_converted(
    column_archive: Path, name: str, units: str, values: Any, slope: float | None
) -> None:
    expected = reference(column_archive)
    arrays: dict[str, tuple[Array, str, str]] = {
        "state_t": (T, "column,level", "K"),
        "state_ps": (PS, "column", "Pa"),
        "ptend_t": (np.zeros_like(T), "column,level", "K s-1"),
        "precipitation": (np.zeros(N), "column", "m s-1"),
    }
    array, dims, _ = arrays[name]
    arrays[name] = (array if values is None else values, dims, units)
    binding = hybrid.load(column_archive).create(N)
    for field, (bound, axes, unit) in arrays.items():
        binding.bind(field, bound, dims=axes, units=unit)
    binding.run(0)
    for field in ("ptend_t", "precipitation"):
        factor = slope if slope and field == name else 1.0
        # Converted inputs differ in the last place of double, hence of float after rounding.
        np.testing.assert_allclose(
            arrays[field][0], expected[field].astype(float) * factor, rtol=2e-5
        )


def test_accumulate_adds(column_archive: Path) -> None:
    expected = reference(column_archive)
    tendency = np.full(T.shape, 2.0)
    binding = hybrid.load(column_archive).create(N)
    binding.bind("state_t", T, dims="column,level", units="K")
    binding.bind("state_ps", PS, dims="column", units="Pa")
    binding.bind("ptend_t", tendency, dims="column,level", units="K s-1", accumulate=True)
    binding.bind("precipitation", np.zeros(N), dims="column", units="m s-1")
    binding.run(0)
    binding.run(0)
    value = expected["ptend_t"].astype(float)
    np.testing.assert_array_equal(tendency, 2.0 + value + value)


def test_logarithmic_units_are_refused(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    with pytest.raises(BridgeError, match=r"linearly to or from the closure's 'Pa', got 'lg"):
        binding.bind("state_ps", PS, dims="column", units="lg(re 1 Pa)")
