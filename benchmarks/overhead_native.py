"""The native side of the overhead benchmark: compiled once, then called through ctypes."""

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
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
    "overhead_open": (c_int, [c_char_p, *[c_int64] * 3, *[c_void_p] * 2, POINTER(c_void_p)]),
    "overhead_close": (None, [c_void_p]),
    "overhead_call": (c_int, [c_void_p]),
    "overhead_step": (c_int, [c_void_p]),
    "overhead_seconds": (c_double, [c_void_p, c_void_p, c_int64]),
    "honest_create": (c_void_p, [c_void_p, *[c_int64] * 2, *[c_void_p] * 8]),
    "honest_free": (None, [c_void_p]),
    "honest_step": (c_int, [c_void_p]),
}


def _built() -> Path:
    sources = [SOURCE / "honest_equivalent.f90", SOURCE / "overhead.cpp"]
    digest = hashlib.sha256(f"{torch.__version__} {_TORCH} {FORTRAN} {CXX}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    name = f"overhead-{digest.hexdigest()[:16]}.so"
    folder = cache_folder()
    if folder is None:
        raise NativeError("overhead: expected a folder for what is compiled, got none that can be "
                          "written; set HYBRID_CACHE_DIR")  # fmt: skip
    target = folder / name
    with exclusive(target):
        if not target.is_file():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                _compile(sources, Path(scratch) / name)
                (Path(scratch) / name).replace(target)
    return target


def _compile(sources: list[Path], target: Path) -> None:
    includes = [_TORCH / "include", _TORCH / "include" / "torch" / "csrc" / "api" / "include"]
    objects = []
    for source in sources:
        made = target.with_name(f"{source.stem}.o")
        compiler = FORTRAN if source.suffix == ".f90" else CXX
        flags = [] if source.suffix == ".f90" else [f"-I{include}" for include in includes]
        _run([*compiler, "-c", str(source), "-o", str(made), *flags], target.parent)
        objects.append(str(made))
    folder = _TORCH / "lib"
    libraries = [f"-L{folder}", f"-Wl,-rpath,{folder}", *(f"-l{name}" for name in _LIBRARIES)]
    _run(["g++", "-shared", *objects, "-o", str(target), *libraries, "-lgfortran"], target.parent)


def _run(command: list[str], folder: Path) -> None:
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
        Name of the native function.
    context
        What it is called with.
    kept
        Objects that must outlive it.
    free
        Called with the context when nobody uses the call any more.
    """

    def __init__(
        self,
        function: str,
        context: c_void_p,
        kept: tuple[object, ...],
        free: Callable[[c_void_p], object] | None = None,
    ) -> None:
        self._function = ctypes.cast(getattr(native(), function), c_void_p)
        self.context = context
        self._kept = kept
        self._free = free

    def __call__(self, repeat: int) -> float:
        """Make the call `repeat` times; return how long all took [s]."""
        seconds = float(native().overhead_seconds(self._function, self.context, repeat))
        if seconds < 0.0:
            said = (native().overhead_error() or library().hybrid_last_error()).decode()
            raise NativeError(f"overhead: a call failed: {said}")
        return seconds

    def __del__(self) -> None:
        if self._free is not None:
            self._free(self.context)


def bare_call(path: Path, inputs: NDArray[np.float32], outputs: NDArray[np.float32]) -> NativeCall:
    """Return the call that FTorch makes, of a TorchScript file with one field in and one out.

    Parameters
    ----------
    path
        The module; an archive is one too.
    inputs, outputs
        Arrays ``(n_column, size)`` that it reads and writes.
    """
    call = c_void_p()
    shape = (*inputs.shape, outputs.shape[1])
    addresses = (inputs.ctypes.data, outputs.ctypes.data)
    if native().overhead_open(str(path).encode(), *shape, *addresses, byref(call)):
        raise NativeError(f"{path}: {native().overhead_error().decode()}")
    return NativeCall("overhead_call", call, (inputs, outputs), native().overhead_close)


def bridge_step(binding: Binding) -> NativeCall:
    """Return a step of a host that uses the bridge: `run`, then `commit`."""
    run, commit = (
        ctypes.cast(getattr(library(), f"hybrid_binding_{name}"), c_void_p).value
        for name in ("run", "commit")
    )
    step = _Step(run, commit, binding.tendency[1], 0)
    return NativeCall("overhead_step", ctypes.cast(byref(step), c_void_p), (step, binding))


class HonestEquivalent(NativeCall):
    """What a host writes by hand around the bare call, in Fortran.

    Parameters
    ----------
    path
        TorchScript file of the network alone.
    temperature, tendency
        The host's arrays [degC, K/day], ``(n_column, n_level)`` in Fortran's order.
    scaling
        The closure's normalisation; what it does to the units is worked into it once.
    """

    def __init__(
        self,
        path: Path,
        temperature: NDArray[np.float64],
        tendency: NDArray[np.float64],
        scaling: Scaling,
    ) -> None:
        features = np.zeros(temperature.shape, np.float32)
        results = np.zeros(tendency.shape, np.float32)
        net = bare_call(path, features, results)
        constants = (
            scaling.input_mean - KELVIN,
            scaling.input_scale,
            scaling.output_mean * DAY,
            scaling.output_spread * DAY,
        )
        arrays = (temperature, tendency, features, results, *constants)
        addresses = [array.ctypes.data for array in arrays]
        host = native().honest_create(net.context, *temperature.shape, *addresses)
        super().__init__("honest_step", c_void_p(host), (net, *arrays), native().honest_free)
