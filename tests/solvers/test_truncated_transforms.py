"""Transforms that leave out columns against the full transforms of numpy."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers.cache import CACHE_VARIABLE
from solvers.fft import (
    Addresses,
    aligned_zeros,
    available_backends,
    backends_for,
    complex_dtype,
    forward,
    inverse,
    spectral_shape,
)
from solvers.fft.truncated import plan_truncated

# Rounding of a transform of a few hundred numbers, in units of the last place.
TOLERANCE = 16


@njit
def both(addresses: Addresses, field: Any, spectrum: Any, back: Any) -> None:
    forward(addresses, field, spectrum)
    kept = spectrum.copy()
    inverse(addresses, spectrum, back)
    spectrum[:] = kept


CASES = [((16, 16), 6), ((16, 32), 11), ((12, 20), 7), ((8, 8), 1), ((8, 6), 4)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("shape", "n_column", "backend"),
    [(shape, n_column, backend) for shape, n_column in CASES for backend in backends_for(shape)],
)
def test_columns_that_are_kept(
    backend: str, dtype: str, shape: tuple[int, int], n_column: int
) -> None:
    waves = np.fft.rfft2(np.random.default_rng(0).standard_normal(shape))
    waves[:, n_column:] = 0.0
    smooth = np.fft.irfft2(waves, s=shape)
    field, back = aligned_zeros(shape, dtype), aligned_zeros(shape, dtype)
    spectrum = aligned_zeros(spectral_shape(shape), complex_dtype(dtype))
    field[...] = smooth
    addresses = plan_truncated(shape, n_column, dtype, backend).addresses
    both(addresses, field, spectrum, back)
    tolerance = TOLERANCE * float(np.finfo(dtype).eps)
    expected = np.fft.rfft2(smooth)[:, :n_column]
    np.testing.assert_allclose(
        spectrum[:, :n_column], expected, atol=tolerance * np.abs(waves).max()
    )
    np.testing.assert_allclose(back / field.size, smooth, atol=tolerance * np.abs(smooth).max())


def test_plans_are_made_once() -> None:
    one, two = (plan_truncated((16, 16), 6, backend="rocket-fft") for _ in range(2))
    assert one is two


def test_an_unknown_library() -> None:
    with pytest.raises(ValueError, match=r"fft: expected one of auto, .* got 'mkl'"):
        plan_truncated((16, 16), 6, backend="mkl")


# Plans determine bits. The first process may search for as long as it is told, later ones for ever.
PLANS = """
import ctypes, sys
import numpy as np
from solvers.fft import fftw
from solvers.fft.truncated import plan_truncated
fftw._PLANNING_SECONDS = float(sys.argv[1])
describe = fftw.function(np.dtype(float), "sprint_plan")
describe.restype, describe.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
for n in map(int, sys.argv[2:]):
    for _, plan in plan_truncated((n, n), n // 3, backend="fftw").keep_alive:
        print(n, describe(int(plan)).decode().split())
"""


@pytest.mark.skipif("fftw" not in available_backends(), reason="needs FFTW")
@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_a_search_cut_short_is_what_later_processes_use(tmp_path: Path, seconds: float) -> None:
    plans = [
        subprocess.run(
            [sys.executable, "-c", PLANS, *arguments],
            env={**os.environ, CACHE_VARIABLE: str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for arguments in ((str(seconds), "96", "60"), ("60.0", "60", "96"))
    ]
    assert sorted(plans[0]) == sorted(plans[1])
    assert len(plans[0]) == 8
