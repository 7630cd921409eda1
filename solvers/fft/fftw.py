"""FFTW, called through its C plans: from the pyFFTW wheel or from the system.

FFTW is GPL-2.0-or-later. Nothing here needs it; it is used where the user has installed it.
"""

import ctypes
import ctypes.util
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from solvers.cache import cache_folder, exclusive, machine, replace
from solvers.fft.plan import (
    Addresses,
    Transform,
    aligned_zeros,
    complex_dtype,
    spectral_shape,
)

NAME = "fftw"

# How hard FFTW searches for a plan, in the order they are tried: a search that its time limit ends
# leaves no wisdom that would lead to the same plan again. An estimate always does.
_PATIENT, _MEASURE, _ESTIMATE = 1 << 5, 0, 1 << 6
# FFTW makes no plan but one that it knows, however it was found.
_KNOWN = 1 << 21 | _ESTIMATE
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
    """Plan a pair of transforms by FFTW's own measurement, or as an earlier process did.

    The first process to plan a shape keeps on disk what FFTW learned (its wisdom). It and later
    ones plan by what was kept, and so compute the same bits: on the same machine, with the same
    cache folder and the same FFTW. Elsewhere, and where the folder cannot be written, FFTW
    measures again and may decide otherwise.
    """
    field = aligned_zeros(shape, dtype)
    spectrum = aligned_zeros(spectral_shape(shape), complex_dtype(dtype))
    sizes = (ctypes.c_int * len(shape))(*shape)

    def make(flags: int) -> list[int | None]:
        return [
            function(dtype, f"plan_dft_{kind}")(
                len(shape), sizes, source.ctypes.data, target.ctypes.data, flags
            )
            for kind, source, target in (("r2c", field, spectrum), ("c2r", spectrum, field))
        ]

    plans = planned("x".join(map(str, shape)), dtype, make)
    forward, inverse = (address(dtype, f"execute_dft_{kind}") for kind in ("r2c", "c2r"))
    addresses = Addresses(forward, plans[0], inverse, plans[1])
    return Transform(shape, dtype, NAME, addresses, _library(dtype))


def planned(
    problem: str, dtype: np.dtype[Any], make: Callable[[int], Sequence[int | None]]
) -> list[int]:
    """Make plans by the wisdom that is kept for a problem; where there is none, gain it first.

    Each problem has a file of its own, written once: what FFTW learns from one problem could
    change how it solves another.

    Parameters
    ----------
    problem
        Name of what is planned, part of the name of the file.
    dtype
        ``float64`` or ``float32``.
    make
        Calls FFTW's planners with flags; returns addresses of plans, None where there is none.

    Raises
    ------
    RuntimeError
        If FFTW finds no plan.
    """
    path = _wisdom_path(problem, dtype)
    with _PLANNING, exclusive(path), _wisdom_of_others_kept(dtype):
        plans = _plans_by_wisdom(dtype, _read(path), make)
        for effort in (_PATIENT, _MEASURE, _ESTIMATE):
            if all(plans):
                break
            _call(dtype, "forget_wisdom")
            for unwanted in (*plans, *make(effort)):
                _call(dtype, "destroy_plan", ctypes.c_void_p(unwanted))
            wisdom = _wisdom(dtype)
            # As later processes do it: they find the wisdom, and not what it was gained from.
            plans = _plans_by_wisdom(dtype, wisdom, make)
            if all(plans):
                replace(path, wisdom)
    found = [plan for plan in plans if plan]
    if not found or len(found) < len(plans):
        raise RuntimeError(f"FFTW could not plan transforms of shape {problem} in {dtype}")
    return found


def function(dtype: np.dtype[Any], name: str) -> Any:
    """Return a function of FFTW in a precision by its name without prefix."""
    return getattr(_library(dtype), _PREFIX[dtype] + name)


def address(dtype: np.dtype[Any], name: str) -> int:
    """Return the address of a function of FFTW in a precision."""
    value = ctypes.cast(function(dtype, name), ctypes.c_void_p).value
    assert value is not None
    return value


# Where it is not in the package, finding it starts other programs.
@cache
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
    getattr(library, f"{prefix}export_wisdom_to_string").restype = ctypes.c_void_p
    return library


def _plans_by_wisdom(
    dtype: np.dtype[Any], wisdom: bytes, make: Callable[[int], Sequence[int | None]]
) -> Sequence[int | None]:
    _call(dtype, "forget_wisdom")
    _call(dtype, "import_wisdom_from_string", wisdom)
    return make(_KNOWN)


@contextmanager
def _wisdom_of_others_kept(dtype: np.dtype[Any]) -> Iterator[None]:
    """Give back what FFTW knew to others in this process, as users of pyFFTW."""
    wisdom = _wisdom(dtype)
    try:
        yield
    finally:
        _call(dtype, "forget_wisdom")
        _call(dtype, "import_wisdom_from_string", wisdom)


def _wisdom(dtype: np.dtype[Any]) -> bytes:
    text = _call(dtype, "export_wisdom_to_string")
    try:
        return ctypes.string_at(text)
    finally:
        ctypes.CDLL(None).free(ctypes.c_void_p(text))


def _call(dtype: np.dtype[Any], name: str, *arguments: Any) -> Any:
    return function(dtype, name)(*arguments)


def _read(path: Path | None) -> bytes:
    return path.read_bytes() if path is not None and path.exists() else b""


def _wisdom_path(problem: str, dtype: np.dtype[Any]) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    origin = f"{machine()} {_library_path(dtype)}"
    digest = hashlib.sha256(origin.encode()).hexdigest()[:12]
    return folder / f"{_LIBRARY[dtype]}-{problem}-{digest}.wisdom"
