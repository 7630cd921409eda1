"""Steps of the ClimSim column host, driven from outside by the same clock as the bare call."""

import ctypes
from collections.abc import Sequence
from ctypes import c_bool, c_char_p, c_double, c_int, c_void_p
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.overhead_native import (
    FORTRAN,
    SOURCE,
    NativeCall,
    NativeError,
    built_library,
    run_compiler,
)
from fortran_bridge.build import SOURCE as BRIDGE
from fortran_bridge.build import ensure_built


def host_step(
    archive: Path, inputs: NDArray[np.float64], n_level: int, *, reproducible: bool
) -> NativeCall:
    """Return a step of the Fortran host.

    Parameters
    ----------
    archive
        Closure with fields of ``hosts/climsim_fields.f90``.
    inputs
        Values ``(n_column, n_feature)`` in the units of the files, fields in the closure's order.
    n_level
        Levels of a profile.
    reproducible
        Whether results do not depend on how many columns come along.

    Raises
    ------
    NativeError
        If the host cannot be compiled or does not take the closure.
    """
    path, library = str(archive).encode(), _library()
    host = library.column_host_open(path, len(path), len(inputs), n_level, reproducible)
    if not host:
        raise NativeError(f"{archive}: refused by the column host; the reason stands above")
    context = c_void_p(host)
    address = ctypes.cast(library.column_host_input(context), ctypes.POINTER(c_double))
    np.ctypeslib.as_array(address, shape=inputs.T.shape)[...] = inputs.T
    return NativeCall(library.column_host_step, context, (), library.column_host_free)


@cache
def _library() -> ctypes.CDLL:
    prefix = ensure_built()
    hosts = BRIDGE / "hosts"
    sources = [
        prefix.fortran_source,
        hosts / "climsim_fields.f90",
        hosts / "climsim_columns.f90",
        SOURCE / "column_host.f90",
    ]
    folder = prefix.library.parent

    def make(files: Sequence[Path], target: Path) -> None:
        library = [f"-L{folder}", "-lhybrid", f"-Wl,-rpath,{folder}"]
        command = [*FORTRAN, "-shared", f"-J{target.parent}", "-o", str(target)]
        run_compiler([*command, *map(str, files), *library], target.parent)

    loaded = ctypes.CDLL(str(built_library("column-host", f"{folder} {FORTRAN}", sources, make)))
    loaded.column_host_open.restype = c_void_p
    loaded.column_host_open.argtypes = [c_char_p, c_int, c_int, c_int, c_bool]
    loaded.column_host_input.restype = c_void_p
    loaded.column_host_input.argtypes = [c_void_p]
    loaded.column_host_free.restype = None
    loaded.column_host_free.argtypes = [c_void_p]
    return loaded
