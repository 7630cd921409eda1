"""FTorch as a peer, where CMake finds it; it must have been built with the PyTorch of this process.

What CMake searches beside the system's folders, ``CMAKE_PREFIX_PATH`` says.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from ctypes import c_char_p, c_int64, c_void_p
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.overhead_native import SOURCE, NativeCall, NativeError, Net

FTORCH = "FTorch"


class FTorchMissingError(Exception):
    """CMake finds no FTorch."""


def ftorch_net(path: Path) -> Net:
    """Return what makes calls of a network in a TorchScript file by FTorch.

    Parameters
    ----------
    path
        The network alone.

    Raises
    ------
    FTorchMissingError
        If CMake finds no FTorch.
    NativeError
        If what it finds does not compile.
    """
    library = _library()

    def make(features: NDArray[np.float32], results: NDArray[np.float32]) -> NativeCall:
        name = str(path).encode()
        sizes = (len(name), len(features), features.shape[1], results.shape[1])
        addresses = (features.ctypes.data, results.ctypes.data)
        context = c_void_p(library.ftorch_open(name, *sizes, *addresses))
        return NativeCall(library.ftorch_call, context, (features, results), library.ftorch_close)

    return make


@cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        torch_cmake = Path(torch.__file__).parent / "share" / "cmake"
        prefixes = [os.environ.get("CMAKE_PREFIX_PATH", ""), str(torch_cmake)]
        environment = {**os.environ, "CMAKE_PREFIX_PATH": ":".join(filter(None, prefixes))}
        source = ["-S", str(SOURCE / "ftorch"), "-B", folder]
        if shutil.which("cmake") is None or _run(["cmake", *source], environment):
            raise FTorchMissingError(f"{FTORCH} is not there: CMake does not find it")
        if said := _run(["cmake", "--build", folder], environment):
            raise NativeError(f"{FTORCH}: {said}")
        # Open files outlive their names.
        loaded = ctypes.CDLL(str(Path(folder) / "libftorch_net.so"))
    loaded.ftorch_open.restype = c_void_p
    loaded.ftorch_open.argtypes = [c_char_p, *[c_int64] * 4, *[c_void_p] * 2]
    loaded.ftorch_close.restype = None
    loaded.ftorch_close.argtypes = [c_void_p]
    return loaded


def _run(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command said if it failed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return (done.stderr or done.stdout or "failed") if done.returncode else ""
