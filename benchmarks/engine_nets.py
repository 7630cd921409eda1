"""Networks of dense layers called without PyTorch: the peers of our engines.

Each is a `Net` of `benchmarks.overhead_native`: it makes the call that computes normalised results
from features, on arrays that lie ready.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import POINTER, byref, c_char_p, c_float, c_int64, c_void_p
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_blas
from torch import nn

from benchmarks.overhead_native import (
    FORTRAN,
    SOURCE,
    NativeCall,
    NativeError,
    Net,
    built_library,
    run_compiler,
)
from closures.climsim.mlp import SLOPE

CXX = ("g++", "-O3", "-march=native", "-std=c++20", "-fPIC")
SGEMM, LOOPS, ONNX = "OpenBLAS sgemm", " ".join(FORTRAN[:-1]), "ONNX Runtime"

Array = NDArray[np.float32]


class PeerMissingError(Exception):
    """A peer is not installed; the message says how to get it."""


class _Layers(ctypes.Structure):
    _fields_ = (
        ("n_layer", c_int64),
        ("widths", POINTER(c_int64)),
        ("weights", POINTER(c_void_p)),
        ("biases", POINTER(c_void_p)),
        ("slope", c_float),
        ("n_column", c_int64),
        ("features", c_void_p),
        ("results", c_void_p),
    )


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "sgemm_open": (c_void_p, [POINTER(_Layers), c_void_p, c_void_p]),
    "sgemm_close": (None, [c_void_p]),
    "loops_open": (c_void_p, [POINTER(_Layers)]),
    "loops_close": (None, [c_void_p]),
    "onnx_open": (c_void_p, [c_void_p, c_char_p, *[c_int64] * 3, *[c_void_p] * 2]),
    "onnx_close": (None, [c_void_p]),
    "onnx_error": (c_char_p, []),
}


def dense_layers(network: nn.Sequential) -> list[tuple[Array, Array]]:
    """Return weights ``(n_output, n_input)`` and biases of a network's linear layers.

    Raises
    ------
    ValueError
        If anything but LeakyReLU of one slope stands between them.
    """
    layers = []
    for i, module in enumerate(network):
        if i % 2 == 0 and isinstance(module, nn.Linear):
            weight, bias = (p.detach().numpy() for p in (module.weight, module.bias))
            layers.append((np.ascontiguousarray(weight), np.ascontiguousarray(bias)))
        elif not isinstance(module, nn.LeakyReLU) or module.negative_slope != SLOPE:
            raise ValueError(f"network: expected Linear and LeakyReLU({SLOPE}), got {module}")
    return layers


def peers(network: nn.Sequential, folder: Path) -> Mapping[str, Callable[[], Net]]:
    """Return what makes each peer, by name.

    A peer that is not installed raises `PeerMissingError` when it is made.

    Parameters
    ----------
    network
        Linear layers with LeakyReLU between.
    folder
        Where files may be written.
    """
    layers = dense_layers(network)
    return {
        SGEMM: lambda: partial(_dense, "sgemm", layers, (_blas("sgemm"), _blas("sgemv"))),
        LOOPS: lambda: partial(_dense, "loops", layers, ()),
        ONNX: lambda: partial(_onnx, *_onnx_files(layers, folder)),
    }


@cache
def _library() -> ctypes.CDLL:
    sources = [SOURCE / name for name in ("sgemm_net.cpp", "onnx_net.cpp", "loops_net.f90")]
    header = SOURCE / "dense_layers.hpp"

    def make(files: Sequence[Path], target: Path) -> None:
        objects = []
        for source in files:
            if source.suffix == ".hpp":
                continue
            made = target.with_name(f"{source.stem}.o")
            compiler = FORTRAN if source.suffix == ".f90" else CXX
            run_compiler([*compiler, "-c", str(source), "-o", str(made)], target.parent)
            objects.append(str(made))
        run_compiler(["g++", "-shared", *objects, "-o", str(target), "-lgfortran"], target.parent)

    path = built_library("engines", f"{CXX} {FORTRAN}", [*sources, header], make)
    loaded = ctypes.CDLL(str(path))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _dense(
    kind: str,
    layers: Sequence[tuple[Array, Array]],
    more: tuple[Any, ...],
    features: Array,
    results: Array,
) -> NativeCall:
    widths = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]
    pointers = c_void_p * len(layers)
    given = _Layers(
        len(layers),
        (c_int64 * len(widths))(*widths),
        pointers(*(weight.ctypes.data for weight, _ in layers)),
        pointers(*(bias.ctypes.data for _, bias in layers)),
        SLOPE,
        len(features),
        features.ctypes.data,
        results.ctypes.data,
    )
    library = _library()
    context = c_void_p(getattr(library, f"{kind}_open")(byref(given), *more))
    kept = (given, layers, features, results)
    return NativeCall(
        getattr(library, f"{kind}_call"), context, kept, getattr(library, f"{kind}_close")
    )


def _blas(name: str) -> c_void_p:
    """Return the address of a function of the BLAS that SciPy brings: OpenBLAS in its wheels."""
    capsule = cython_blas.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, c_char_p]
    return c_void_p(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


def _onnx_files(layers: Sequence[tuple[Array, Array]], folder: Path) -> tuple[Path, Path]:
    """Return ONNX Runtime's library, and the network as a file of its."""
    found = find_spec("onnxruntime"), find_spec("onnx")
    if None in found:
        raise PeerMissingError(
            f"{ONNX} is not there; to compare with it: pip install 'hybrid-closures[peers]'"
        )
    from onnx import TensorProto, helper, numpy_helper, save  # noqa: PLC0415 -- optional

    assert found[0] is not None
    assert found[0].origin is not None
    nodes, weights = [], []
    last = len(layers) - 1
    for i, (weight, bias) in enumerate(layers):
        weights += [
            numpy_helper.from_array(weight, f"weight{i}"),
            numpy_helper.from_array(bias, f"bias{i}"),
        ]
        names = ["features" if i == 0 else f"active{i - 1}", f"weight{i}", f"bias{i}"]
        nodes.append(
            helper.make_node("Gemm", names, ["results" if i == last else f"sum{i}"], transB=1)
        )
        if i < last:
            nodes.append(helper.make_node("LeakyRelu", [f"sum{i}"], [f"active{i}"], alpha=SLOPE))
    shapes = (("features", layers[0][0].shape[1]), ("results", len(layers[-1][1])))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["column", n]) for name, n in shapes
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    path = folder / f"net_{layers[0][0].shape[1]}.onnx"
    save(model, path)
    library = next((Path(found[0].origin).parent / "capi").glob("libonnxruntime.so*"))
    return library, path


def _onnx(runtime: Path, model: Path, features: Array, results: Array) -> NativeCall:
    loaded = ctypes.CDLL(str(runtime))
    base = ctypes.cast(loaded.OrtGetApiBase, c_void_p)
    sizes = (len(features), features.shape[1], results.shape[1])
    addresses = (features.ctypes.data, results.ctypes.data)
    library = _library()
    context = library.onnx_open(base, str(model).encode(), *sizes, *addresses)
    if not context:
        raise NativeError(f"{model}: {library.onnx_error().decode()}")
    return NativeCall(library.onnx_call, c_void_p(context), (features, results), library.onnx_close)
