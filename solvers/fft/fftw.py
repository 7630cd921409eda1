"""FFTW, called through its C plans: from the pyFFTW wheel or from the system.

FFTW is GPL-2.0-or-later. Nothing here needs it; it is used where the user has installed it.
"""

import ctypes
import ctypes.util
import hashlib
import os
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from solvers.cache import cache_folder, machine
from solvers.fft.plan import (
    Addresses,
    Transform,
    aligned_zeros,
    complex_dtype,
    spectral_shape,
)

NAME = "fftw"

_PATIENT = 1 << 5
# FFTW tries ever more algorithms until this time is over [s]; large transforms need the limit.
_PLANNING_SECONDS = 3.0
# FFTW's names of its libraries and of the functions in them, by precision.
_LIBRARY: dict[np.dtype[Any], str] = {np.dtype(np.float64): "fftw3", np.dtype(np.float32): "fftw3f"}
_PREFIX: dict[np.dtype[Any], str] = {np.dtype(np.float64): "fftw_", np.dtype(np.float32): "fftwf_"}
# Making plans is the one thing in FFTW that threads may not do at the same time.
_PLANNING = Lock()


def available() -> bool:
    """Tell whether FFTW is installed in both precisions."""
    return all(_library_path(dtype) is not None for dtype in _LIBRARY)


def version() -> str:
    """Return FFTW's own name of its version, for example ``fftw-3.3.10-sse2-avx``."""
    library = _library(np.dtype(np.float64))
    text = ctypes.c_char.in_dll(library, "fftw_version")  # the first character of an array
    return ctypes.string_at(ctypes.addressof(text)).decode()


def plan(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Transform:
    """Plan a pair of transforms by FFTW's own measurement.

    What FFTW learned (its wisdom) is kept on disk, so that later processes plan at once and
    compute the same bits.
    """
    library, prefix = _library(dtype), _PREFIX[dtype]
    field = aligned_zeros(shape, dtype)
    spectrum = aligned_zeros(spectral_shape(shape), complex_dtype(dtype))
    sizes = (ctypes.c_int * len(shape))(*shape)
    with _PLANNING:
        plans = [
            getattr(library, f"{prefix}plan_dft_{kind}")(
                len(shape), sizes, source.ctypes.data, target.ctypes.data, _PATIENT
            )
            for kind, source, target in (("r2c", field, spectrum), ("c2r", spectrum, field))
        ]
        _export_wisdom(library, dtype)
    if not all(plans):
        raise RuntimeError(f"FFTW could not plan transforms of shape {shape} in {dtype}")
    forward, inverse = (_address(library, f"{prefix}execute_dft_{kind}") for kind in ("r2c", "c2r"))
    addresses = Addresses(forward, plans[0], inverse, plans[1])
    return Transform(shape, dtype, NAME, addresses, library)


def _library_path(dtype: np.dtype[Any]) -> str | None:
    name = _LIBRARY[dtype]
    package = find_spec("pyfftw")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parents[1] / "pyfftw.libs"
        for path in sorted(bundled.glob(f"lib{name}-*")):
            return str(path)
    return ctypes.util.find_library(name)


@cache
def _library(dtype: np.dtype[Any]) -> ctypes.CDLL:
    library, prefix = ctypes.CDLL(_library_path(dtype)), _PREFIX[dtype]
    for kind in ("r2c", "c2r"):
        function = getattr(library, f"{prefix}plan_dft_{kind}")
        function.restype = ctypes.c_void_p
        function.argtypes = [
            *(ctypes.c_int, ctypes.POINTER(ctypes.c_int)),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint),
        ]
    set_time_limit = getattr(library, f"{prefix}set_timelimit")
    set_time_limit.restype, set_time_limit.argtypes = None, [ctypes.c_double]
    set_time_limit(_PLANNING_SECONDS)
    wisdom = _wisdom_path(dtype)
    if wisdom is not None and wisdom.exists():
        getattr(library, f"{prefix}import_wisdom_from_filename")(str(wisdom).encode())
    return library


def _export_wisdom(library: ctypes.CDLL, dtype: np.dtype[Any]) -> None:
    path = _wisdom_path(dtype)
    if path is None:
        return
    # Another process may read it meanwhile: written whole, then moved into place.
    partial = path.with_suffix(f".{os.getpid()}")
    # Where there is no room for it, the next process plans again.
    with suppress(OSError):
        try:
            export = getattr(library, f"{_PREFIX[dtype]}export_wisdom_to_filename")
            if export(str(partial).encode()):
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _wisdom_path(dtype: np.dtype[Any]) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    origin = f"{machine()} {_library_path(dtype)}"
    return folder / f"{_LIBRARY[dtype]}-{hashlib.sha256(origin.encode()).hexdigest()[:12]}.wisdom"


def _address(library: ctypes.CDLL, name: str) -> int:
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    return address
