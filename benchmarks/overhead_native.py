"""The native side of the overhead benchmark: compiled once, then called through ctypes."""

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.networks import Scaling
from fortran_bridge.binding import Binding
from fortran_bridge.c_library import library
from solvers.cache import cache_folder, exclusive

SOURCE = Path(__file__).parent / "native"
FORTRAN = ("gfortran", "-O3", "-march=native", "-fPIC")
CXX = ("g++", "-O2", "-std=c++20", "-fPIC")
KELVIN = 273.15
DAY = 86400.0

_TORCH = Path(torch.__file__).parent
_LIBRARIES = ("torch", "torch_cpu", "c10")


class NativeError(Exception):
    """The native side does not compile, or one of its calls failed."""


class _Step(ctypes.Structure):
    _fields_ = (("run", c_void_p), ("commit", c_void_p), ("binding", c_void_p), ("step", c_int64))


class _Array(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("rank", c_int64), ("shape", c_int64 * 3))


@cache
def native() -> ctypes.CDLL:
    """Return the native side, compiled first if need be.

    Raises
    ------
    NativeError
        If a compiler is missing or fails.
    """
    loaded = ctypes.CDLL(str(_built()))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    return loaded


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "overhead_error": (c_char_p, []),
    "overhead_open": (c_int, [c_char_p, c_int, c_int, *[c_int64, c_void_p] * 2, POINTER(c_void_p)]),
    "overhead_close": (None, [c_void_p]),
    "overhead_call": (c_int, [c_void_p]),
    "overhead_step": (c_int, [c_void_p]),
    "overhead_seconds": (c_double, [c_void_p, c_void_p, c_int64]),
    "honest_create": (c_void_p, [c_void_p, c_void_p, *[c_int64] * 3, *[c_void_p] * 8]),
    "honest_free": (None, [c_void_p]),
    "honest_step": (c_int, [c_void_p]),
}


def _built() -> Path:
    sources = [SOURCE / "honest_equivalent.f90", SOURCE / "overhead.cpp"]
    key = f"{torch.__version__} {_TORCH} {FORTRAN} {CXX}"
    return built_library("overhead", key, sources, _compile)


def built_library(
    stem: str, key: str, sources: Sequence[Path], make: Callable[[Sequence[Path], Path], None]
) -> Path:
    """Return a shared library, made first if it is not in the cache.

    Parameters
    ----------
    stem
        What its name begins with.
    key
        What it depends on beside the contents of its sources.
    sources
        Files that it is made from.
    make
        Called with these and with the file to write, in a folder of its own.

    Raises
    ------
    NativeError
        If a compiler is missing or fails, or there is no cache.
    """
    digest = hashlib.sha256(key.encode())
    for source in sources:
        digest.update(source.read_bytes())
    name = f"{stem}-{digest.hexdigest()[:16]}.so"
    folder = cache_folder()
    if folder is None:
        raise NativeError("overhead: expected a folder for what is compiled, got none that can be "
                          "written; set HYBRID_CACHE_DIR")  # fmt: skip
    target = folder / name
    with exclusive(target):
        if not target.is_file():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                make(sources, Path(scratch) / name)
                (Path(scratch) / name).replace(target)
    return target


def _compile(sources: Sequence[Path], target: Path) -> None:
    includes = [_TORCH / "include", _TORCH / "include" / "torch" / "csrc" / "api" / "include"]
    objects = []
    for source in sources:
        made = target.with_name(f"{source.stem}.o")
        compiler = FORTRAN if source.suffix == ".f90" else CXX
        flags = [] if source.suffix == ".f90" else [f"-I{include}" for include in includes]
        run_compiler([*compiler, "-c", str(source), "-o", str(made), *flags], target.parent)
        objects.append(str(made))
    folder = _TORCH / "lib"
    libraries = [f"-L{folder}", f"-Wl,-rpath,{folder}", *(f"-l{name}" for name in _LIBRARIES)]
    run_compiler(
        ["g++", "-shared", *objects, "-o", str(target), *libraries, "-lgfortran"], target.parent
    )


def run_compiler(command: list[str], folder: Path) -> None:
    """Run a compiler in a folder.

    Raises
    ------
    NativeError
        If it is missing or fails.
    """
    if shutil.which(command[0]) is None:
        raise NativeError(f"overhead: expected {command[0]} to be installed; `make setup` does")
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        tail = "\n".join(result.stderr.splitlines()[-20:])
        raise NativeError(f"overhead: `{command[0]}` failed:\n{tail}")


class NativeCall:
    """A call that native code repeats and times by the processor's clock of its thread.

    It is a `Work` of `benchmarks.interleaved`.

    Parameters
    ----------
    function
        The native function of `ctypes`, or its name in `native`.
    context
        What it is called with.
    kept
        Objects that must outlive it.
    free
        Called with the context when nobody uses the call any more.
    """

    def __init__(
        self,
        function: Any,
        context: c_void_p,
        kept: tuple[object, ...],
        free: Callable[[c_void_p], object] | None = None,
    ) -> None:
        called = getattr(native(), function) if isinstance(function, str) else function
        self.function = ctypes.cast(called, c_void_p)
        self.context = context
        self._kept = kept
        self._free = free

    def __call__(self, repeat: int) -> float:
        """Make the call `repeat` times; return how long all took [s]."""
        seconds = float(native().overhead_seconds(self.function, self.context, repeat))
        if seconds < 0.0:
            said = (native().overhead_error() or library().hybrid_last_error()).decode()
            raise NativeError(f"overhead: a call failed: {said}")
        return seconds

    def __del__(self) -> None:
        if self._free is not None:
            self._free(self.context)


def bare_call(
    path: Path,
    inputs: Sequence[NDArray[np.float32]],
    outputs: Sequence[NDArray[np.float32]],
    *,
    frozen: bool = False,
    reused: bool = False,
) -> NativeCall:
    """Return the call that FTorch makes of a TorchScript file, or the fastest one of its kind.

    Parameters
    ----------
    path
        The module; an archive is one too.
    inputs, outputs
        Arrays ``(n_column, ...)`` in C order that it reads and writes, one a field.
    frozen
        Freeze the module first, and call it in inference mode, as FTorch does not.
    reused
        Make the tensors around the arrays once, not at every call.
    """
    call = c_void_p()
    arrays = [_arrays(fields) for fields in (inputs, outputs)]
    counted = (part for array in arrays for part in (len(array), array))
    if native().overhead_open(str(path).encode(), frozen, reused, *counted, byref(call)):
        raise NativeError(f"{path}: {native().overhead_error().decode()}")
    return NativeCall("overhead_call", call, (*inputs, *outputs), native().overhead_close)


def _arrays(fields: Sequence[NDArray[np.float32]]) -> ctypes.Array[_Array]:
    shape = c_int64 * 3
    found = (_Array * len(fields))()
    for array, field in zip(found, fields, strict=True):
        array.data, array.rank, array.shape = field.ctypes.data, field.ndim, shape(*field.shape)
    return found


def bridge_step(binding: Binding) -> NativeCall:
    """Return a step of a host that uses the bridge: `run`, then `commit`."""
    run, commit = (
        ctypes.cast(getattr(library(), f"hybrid_binding_{name}"), c_void_p).value
        for name in ("run", "commit")
    )
    step = _Step(run, commit, binding.tendency[1], 0)
    return NativeCall("overhead_step", ctypes.cast(byref(step), c_void_p), (step, binding))


Net = Callable[[NDArray[np.float32], NDArray[np.float32]], NativeCall]
"""Makes the call that computes normalised results from features, ``(n_column, n_feature)``."""


class HonestEquivalent(NativeCall):
    """What a host writes by hand around a call of a network, in Fortran.

    Parameters
    ----------
    net
        The call of the network alone.
    temperature, tendency
        The host's arrays [degC, K/day], ``(n_column, n_level)`` in Fortran's order.
    scaling
        The closure's normalisation; what it does to the units is worked into it once.
    """

    def __init__(
        self,
        net: Net,
        temperature: NDArray[np.float64],
        tendency: NDArray[np.float64],
        scaling: Scaling,
    ) -> None:
        features = np.zeros(temperature.shape, np.float32)
        results = np.zeros(tendency.shape, np.float32)
        call = net(features, results)
        constants = (
            scaling.input_mean - KELVIN,
            scaling.input_scale,
            scaling.output_mean * DAY,
            scaling.output_spread * DAY,
        )
        arrays = (temperature, tendency, features, results, *constants)
        addresses = [array.ctypes.data for array in arrays]
        sizes = (*temperature.shape, tendency.shape[1])
        host = native().honest_create(call.function, call.context, *sizes, *addresses)
        super().__init__("honest_step", c_void_p(host), (call, *arrays), native().honest_free)


def torchscript_net(path: Path, *, reused: bool = False) -> Net:
    """Return what makes calls of a network in a TorchScript file.

    Parameters
    ----------
    path
        The network alone.
    reused
        As in `bare_call`.
    """
    return lambda features, results: bare_call(path, [features], [results], reused=reused)
