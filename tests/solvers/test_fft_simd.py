"""The vectorised transforms against NumPy, closed forms and themselves in several threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from solvers.fft import Addresses, Transform, aligned_zeros, complex_dtype, simd, spectral_shape
from solvers.fft import forward as call_forward
from solvers.fft import inverse as call_inverse

LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
SHAPES = [
    *((n, n) for n in LENGTHS),
    *((16, n) for n in LENGTHS[1:]),
    *((n, 16) for n in LENGTHS[1:]),
    (64, 128),
    (128, 64),
]
# Registers of AVX2 and of AVX-512: LLVM makes do with those of the machine.
WIDTHS = [32, 64]
Array = NDArray[Any]


@njit(cache=True, nogil=True)
def run_forward(addresses: Addresses, field: Array, spectrum: Array, repeat: int) -> None:
    """Transform a field several times, as a time loop does."""
    for _ in range(repeat):
        call_forward(addresses, field, spectrum)


@njit(cache=True, nogil=True)
def run_inverse(addresses: Addresses, spectrum: Array, field: Array) -> None:
    """Transform a spectrum back."""
    call_inverse(addresses, spectrum, field)


def planned(shape: tuple[int, int], dtype: str = "float64", **options: int) -> Transform:
    return simd.plan(shape, np.dtype(dtype), **options)


def forward(transform: Transform, values: Array, repeat: int = 1) -> Array:
    field = aligned_zeros(transform.shape, transform.dtype)
    spectrum = aligned_zeros(spectral_shape(transform.shape), complex_dtype(transform.dtype))
    field[...], spectrum[...] = values, np.nan
    run_forward(transform.addresses, field, spectrum, repeat)
    np.testing.assert_array_equal(field, values.astype(transform.dtype))  # it is left as it was
    return spectrum


def inverse(transform: Transform, values: Array) -> Array:
    field = aligned_zeros(transform.shape, transform.dtype)
    spectrum = aligned_zeros(spectral_shape(transform.shape), complex_dtype(transform.dtype))
    field[...], spectrum[...] = np.nan, values
    run_inverse(transform.addresses, spectrum, field)
    return field


def random_field(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def random_spectrum(shape: tuple[int, ...], dtype: str = "float64") -> Array:
    """Not the spectrum of a real field: the waves that are their own conjugates are complex."""
    parts = random_field((2, *spectral_shape(shape)), dtype)
    return np.asarray(parts[0] + 1j * parts[1], dtype=complex_dtype(dtype))


def rounding(shape: tuple[int, ...], dtype: str = "float64") -> float:
    """Bound of the relative root mean square error, which grows with the logarithm of the size."""
    return float(0.5 * np.finfo(dtype).eps * np.log2(np.prod(shape)))


def relative_error(values: Array, exact: Array) -> float:
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def exact_inverse(spectrum: Array, shape: tuple[int, int]) -> Array:
    return np.fft.irfft2(spectrum.astype(np.complex128), s=shape, norm="forward")


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_is_that_of_numpy(shape: tuple[int, int]) -> None:
    field = random_field(shape)
    assert relative_error(forward(planned(shape), field), np.fft.rfft2(field)) < rounding(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_is_that_of_numpy_for_any_spectrum(shape: tuple[int, int]) -> None:
    spectrum = random_spectrum(shape)
    field = inverse(planned(shape), spectrum)
    assert relative_error(field, exact_inverse(spectrum, shape)) < rounding(shape)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shape", [(16, 16), (32, 64), (64, 32), (16, 256), (256, 16)])
def test_all_widths_and_precisions_agree_with_numpy(
    shape: tuple[int, int], width: int, dtype: str
) -> None:
    transform = planned(shape, dtype, register_bytes=width)
    field, spectrum = random_field(shape, dtype), random_spectrum(shape, dtype)
    exact = np.fft.rfft2(field.astype(np.float64))
    assert relative_error(forward(transform, field), exact) < rounding(shape, dtype)
    exact = exact_inverse(spectrum, shape)
    assert relative_error(inverse(transform, spectrum), exact) < rounding(shape, dtype)


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (32, 128)])
def test_back_and_forth_gives_the_field_times_its_size(shape: tuple[int, int]) -> None:
    field, transform = random_field(shape), planned(shape)
    again = inverse(transform, forward(transform, field)) / field.size
    assert relative_error(again, field) < 2.0 * rounding(shape)


@pytest.mark.parametrize(
    ("k", "l"), [(0, 0), (1, 0), (0, 1), (7, 9), (8, 31), (9, -7), (32, 0), (32, 16), (31, -15)]
)
def test_one_wave_has_one_place(k: int, l: int) -> None:  # noqa: E741
    shape = n_y, n_x = 32, 64
    y, x = np.mgrid[:n_y, :n_x]
    # Whole turns are left out while they are whole numbers.
    phase = 2.0 * np.pi * ((k * x * n_y + l * y * n_x) % (n_x * n_y)) / (n_x * n_y)
    amplitude = n_y * n_x
    expected = np.zeros(spectral_shape(shape), dtype=complex)
    # A wave and its conjugate are half the cosine each, and are both kept where k = -k.
    expected[l % n_y, k] += 0.5 * amplitude
    if k % (n_x // 2) == 0:
        expected[-l % n_y, k] += 0.5 * amplitude
    spectrum = forward(planned(shape), np.cos(phase))
    np.testing.assert_allclose(spectrum, expected, rtol=0, atol=amplitude * 2e-15)
    field = inverse(planned(shape), expected)
    np.testing.assert_allclose(field, amplitude * np.cos(phase), rtol=0, atol=amplitude * 2e-15)


def test_transforms_are_linear() -> None:
    shape, transform = (64, 32), planned((64, 32))
    first, second = random_field(shape), random_field(shape, seed=1)
    combined = forward(transform, 2.0 * first - 3.0 * second)
    parts = 2.0 * forward(transform, first) - 3.0 * forward(transform, second)
    assert relative_error(combined, parts) < 2.0 * rounding(shape)


def test_waves_that_are_their_own_conjugates_count_by_their_real_parts() -> None:
    shape = n_y, n_x = 32, 64
    spectrum = np.fft.rfft2(random_field(shape))
    disturbed = spectrum.copy()
    for l in (0, n_y // 2):  # noqa: E741
        disturbed[l, [0, n_x // 2]] += 1j
    transform = planned(shape)
    np.testing.assert_array_equal(inverse(transform, disturbed), inverse(transform, spectrum))


@pytest.mark.parametrize("n_column", [1, 8, 11, 22, 32, 33])
def test_columns_without_waves_may_be_left_out(n_column: int) -> None:
    shape = (32, 64)
    field, transform = random_field(shape), planned(shape, n_column=n_column)
    spectrum = np.fft.rfft2(field)
    kept = forward(transform, field)[:, :n_column]
    assert relative_error(kept, spectrum[:, :n_column]) < 2.0 * rounding(shape)
    spectrum[:, n_column:] = 0.0
    exact = exact_inverse(spectrum, shape)
    assert relative_error(inverse(transform, spectrum), exact) < 2.0 * rounding(shape)


def test_threads_share_a_plan() -> None:
    shape, transform = (64, 128), planned((64, 128))
    fields = [random_field(shape, seed=seed) for seed in range(8)]
    alone = [forward(transform, field) for field in fields]
    with ThreadPoolExecutor(len(fields)) as threads:
        together = list(threads.map(lambda field: forward(transform, field, 200), fields))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((64,), "float64"), ((8, 64), "float64"), ((64, 2048), "float64"), ((64, 64), "float16")],
)
def test_other_fields_are_refused(shape: tuple[int, ...], dtype: str) -> None:
    assert not simd.supports(shape, dtype)
    with pytest.raises(ValueError, match=r"simd: expected .* 16 to 1024, got shape .*; use anoth"):
        simd.plan(shape, np.dtype(dtype))


def test_supported_fields_are_told() -> None:
    assert all(simd.supports(shape, dtype) for shape in SHAPES for dtype in (float, np.float32))


@pytest.mark.slow
def test_a_later_process_compiles_nothing(tmp_path: Path) -> None:
    program = (
        "import numpy as np; from solvers.fft import simd; simd.plan((16, 32), np.dtype(float)); "
        "lanes, size = simd._register_bytes() // 8, 8; "
        "passes = [simd._pass(kind, n, lanes, size, simd._GENERATOR) "
        "for kind, n in enumerate((32, 16, 16, 32))]; "
        "print(sum(each.cache_hits for each in (*passes, *simd._functions(8))))"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    hits = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(simd.__file__).parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert hits == ["0", "6"]
