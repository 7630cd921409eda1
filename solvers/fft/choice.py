"""Which FFT library is the fastest here, found by measurement and remembered."""

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from solvers.cache import cache_folder, exclusive, machine, replace
from solvers.fft import fftw, rocket, scipy_callback, simd
from solvers.fft.plan import (
    Addresses,
    Transform,
    aligned_zeros,
    complex_dtype,
    forward,
    inverse,
    spectral_shape,
)

_BACKENDS = {module.NAME: module for module in (simd, fftw, rocket, scipy_callback)}
_ROUNDS = 9
_REPEAT = 10


def available_backends() -> tuple[str, ...]:
    """Return the names of the FFT libraries that are installed."""
    return tuple(name for name, module in _BACKENDS.items() if module.available())


def backends_for(shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> tuple[str, ...]:
    """Return the names of the libraries that transform fields of a shape and precision."""
    names = available_backends()
    return names if simd.supports(shape, dtype) else tuple(n for n in names if n != simd.NAME)


def backend_version(name: str) -> str:
    """Return the version of an installed FFT library."""
    return str(_BACKENDS[name].version())


def plan_transform(
    shape: tuple[int, ...], dtype: DTypeLike = np.float64, backend: str = "auto"
) -> Transform:
    """Plan real transforms of fields of one shape.

    Parameters
    ----------
    shape
        ``(n_x,)`` or ``(n_y, n_x)``.
    dtype
        ``float64`` or ``float32``.
    backend
        ``"simd"`` (of our own, for powers of two), ``"fftw"``, ``"rocket-fft"``, ``"scipy"``, or
        ``"auto"``: the fastest of them on this machine at this size. The measurement is made once
        and kept on disk, in the folder that ``HYBRID_CACHE_DIR`` names or the user's cache
        folder. Later processes on the same machine with the same folder and the same versions of
        the libraries use the same library in the same way and compute the same bits; those on
        another machine, or where no such folder can be written, may not.

    Raises
    ------
    ValueError
        If the library is unknown, not installed, or not made for the shape.

    Examples
    --------
    >>> plan_transform((8, 8), backend="scipy").backend
    'scipy'
    """
    kind = np.dtype(dtype)
    return _planned(shape, kind, chosen_backend(shape, kind, backend))


def chosen_backend(shape: tuple[int, ...], dtype: np.dtype[Any], backend: str) -> str:
    """Return the library that a name stands for; nothing is planned unless it is ``"auto"``.

    Raises
    ------
    ValueError
        If the library is unknown or not installed.
    """
    if backend == "auto":
        backend = _fastest(shape, dtype)
    if backend not in available_backends():
        raise ValueError(
            f"fft: expected one of {', '.join(('auto', *available_backends()))}, got {backend!r}"
            + ("; install it with: pip install pyfftw" if backend == fftw.NAME else "")
        )
    return backend


@lru_cache(maxsize=64)
def _planned(shape: tuple[int, ...], dtype: np.dtype[Any], backend: str) -> Transform:
    transform: Transform = _BACKENDS[backend].plan(shape, dtype)
    return transform


@lru_cache(maxsize=64)
def _fastest(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    candidates = backends_for(shape, dtype)
    versions = " ".join(f"{name} {backend_version(name)}" for name in candidates)
    key = f"{machine()} | {versions} | {'x'.join(map(str, shape))} | {dtype}"
    known = _remembered()
    if known.get(key) not in candidates:
        # Processes that start together must agree: one of them measures, the others read.
        with exclusive(_choices_path()):
            known = _remembered()
            if known.get(key) not in candidates:
                seconds = measure([_planned(shape, dtype, name) for name in candidates])
                known = {**known, key: min(seconds, key=lambda name: seconds[name])}
                replace(_choices_path(), json.dumps(known, indent=1, sort_keys=True).encode())
    return known[key]


def measure(transforms: Sequence[Transform]) -> dict[str, float]:
    """Time transforms of one shape side by side.

    They take turns, so that a busy machine slows them alike; the shortest of several times is
    what the library needs when it is left alone.

    Parameters
    ----------
    transforms
        Transforms of one shape and precision by different libraries.

    Returns
    -------
    dict
        Name of the library to the time of one forward and one inverse transform [s].
    """
    shape, dtype = transforms[0].shape, transforms[0].dtype
    field = aligned_zeros(shape, dtype)
    field[...] = np.random.default_rng(0).standard_normal(shape)
    spectrum = aligned_zeros(spectral_shape(shape), complex_dtype(dtype))
    best = {transform.backend: np.inf for transform in transforms}
    for _ in range(_ROUNDS):
        for transform in transforms:
            began = time.perf_counter()
            _transform_often(transform.addresses, field, spectrum, _REPEAT)
            seconds = (time.perf_counter() - began) / _REPEAT
            best[transform.backend] = min(best[transform.backend], seconds)
    return best


@njit(cache=True, nogil=True)
def _transform_often(
    addresses: Addresses, field: NDArray[Any], spectrum: NDArray[Any], repeat: int
) -> None:
    scale = field.dtype.type(1.0 / field.size)
    for _ in range(repeat):
        forward(addresses, field, spectrum)
        inverse(addresses, spectrum, field)
        field *= scale


def _remembered() -> dict[str, str]:
    path = _choices_path()
    if path is None or not path.exists():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _choices_path() -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / "fft-choice.json"
