"""The native engine by its own interface, without the library's guard between: any bits go in."""

import ctypes
import json
import os
import shutil
from collections.abc import Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_void_p,
)
from pathlib import Path
from typing import Any

import numpy as np
from bridge.native_programs import PROGRAM, WEIGHTS, Program
from numpy.typing import NDArray

MESSAGE_SIZE = 4096
ENTRY = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t))


class _Archive(Structure):
    _fields_ = (
        ("bytes", c_void_p),
        ("n_bytes", c_size_t),
        ("context", c_void_p),
        ("entry", ENTRY),
    )


class _Field(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("kind", c_int),
        ("rank", c_int),
        ("shape", POINTER(c_int64)),
    )


class _Options(Structure):
    _fields_ = (("device", c_char_p), ("n_thread", c_int), ("precision", c_char_p))


_OPEN = CFUNCTYPE(
    c_int,
    *(POINTER(_Archive), POINTER(_Field), c_int, POINTER(_Field), c_int, POINTER(_Options)),
    *(POINTER(c_void_p), c_void_p, c_size_t),
)
_PREPARE = CFUNCTYPE(
    c_int,
    *(c_void_p, c_int64, c_void_p, POINTER(c_void_p), POINTER(c_void_p), c_void_p, c_size_t),
)
_RUN = CFUNCTYPE(c_int, c_void_p, POINTER(c_void_p), c_void_p, c_size_t)
_RELEASE = CFUNCTYPE(None, c_void_p)
_COUNT = CFUNCTYPE(c_int, c_char_p)
_PRECISION = CFUNCTYPE(c_char_p, c_void_p)


class _Engine(Structure):
    _fields_ = (
        ("abi_version", c_int),
        ("name", c_char_p),
        ("version", c_char_p),
        ("is_column_exact", c_int),
        ("open", _OPEN),
        ("prepare", _PREPARE),
        ("run", _RUN),
        ("release", _RELEASE),
        ("close", _RELEASE),
        ("device_count", _COUNT),
        ("precision", _PRECISION),
    )


class EngineError(RuntimeError):
    """What the engine says."""


class DirectEngine:
    """One instruction set of the engine.

    Parameters
    ----------
    library
        ``libhybrid_native.so``.
    folder
        Empty folder for a copy: a process chooses the instruction set once for each file.
    isa
        ``"v4"``, ``"v3"``, ``"base"``, or empty for the best.
    """

    def __init__(self, library: Path, folder: Path, isa: str = "") -> None:
        before = os.environ.get("HYBRID_ISA", "")
        os.environ["HYBRID_ISA"] = isa
        try:
            loaded = ctypes.CDLL(str(shutil.copy(library, folder / f"native_{isa or 'best'}.so")))
            loaded.hybrid_engine_v4.restype = POINTER(_Engine)
            self._engine = loaded.hybrid_engine_v4().contents
        finally:
            os.environ["HYBRID_ISA"] = before

    @property
    def version(self) -> str:
        """Version and instruction set."""
        return bytes(self._engine.version).decode()

    def evaluate(
        self,
        program: Program,
        results: Sequence[int],
        arguments: Sequence[NDArray[Any]],
        n_thread: int = 1,
        precision: str = "float32",
    ) -> list[NDArray[Any]]:
        """Return the values of `results` for arguments of shape ``(n, size)``."""
        n = len(arguments[0])
        kept: list[Any] = []
        model = self._open(program, results, n_thread, kept, precision)
        given = [np.ascontiguousarray(array, program.dtype) for array in arguments]
        found = [np.full((n, program.sizes[i]), 7e7, program.types[i]) for i in results]
        session, message = c_void_p(), ctypes.create_string_buffer(MESSAGE_SIZE)
        last = (message, MESSAGE_SIZE)
        self._check(
            self._engine.prepare(model, n, None, _addresses(given), byref(session), *last), message
        )
        self._check(self._engine.run(session, _addresses(found), *last), message)
        self._engine.release(session)
        self._engine.close(model)
        return found

    def precision(self, program: Program, results: Sequence[int]) -> str:
        """Return what the engine says of a program that is to compute in bf16."""
        model = self._open(program, results, 1, [], "bf16")
        text = bytes(self._engine.precision(model)).decode()
        self._engine.close(model)
        return text

    def _open(
        self,
        program: Program,
        results: Sequence[int],
        n_thread: int,
        kept: list[Any],
        precision: str = "float32",
    ) -> c_void_p:
        entries = {
            PROGRAM: json.dumps(program.document(results)).encode(),
            WEIGHTS: program.weights,
        }
        buffers = {
            name: ctypes.create_string_buffer(content, len(content))
            for name, content in entries.items()
        }

        def entry(_: object, name: bytes, content: Any, n: Any) -> int:
            buffer = buffers.get(name.decode())
            if buffer is None:
                return 1
            content[0] = ctypes.addressof(buffer)
            n[0] = len(buffer)
            return 0

        archive = _Archive(None, 0, None, ENTRY(entry))
        inputs = _fields("x", program.inputs, [program.dtype] * len(program.inputs))
        sizes, types = [program.sizes[i] for i in results], [program.types[i] for i in results]
        outputs = _fields("y", sizes, types)
        kept += [buffers, archive, inputs, outputs]
        model, message = c_void_p(), ctypes.create_string_buffer(MESSAGE_SIZE)
        self._check(
            self._engine.open(
                *(byref(archive), inputs, len(inputs), outputs, len(outputs)),
                *(
                    byref(_Options(b"cpu", n_thread, precision.encode())),
                    byref(model),
                    message,
                    MESSAGE_SIZE,
                ),
            ),
            message,
        )
        return model

    @staticmethod
    def _check(status: int, message: ctypes.Array[ctypes.c_char]) -> None:
        if status:
            raise EngineError(message.value.decode())


def _fields(letter: str, sizes: Sequence[int], types: Sequence[str]) -> ctypes.Array[_Field]:
    fields = (_Field * len(sizes))()
    for i, (size, dtype) in enumerate(zip(sizes, types, strict=True)):
        kind = np.dtype(dtype).itemsize
        fields[i] = _Field(f"{letter}{i}".encode(), kind, 1, (c_int64 * 1)(size))
    return fields


def _addresses(arrays: Sequence[NDArray[Any]]) -> ctypes.Array[c_void_p]:
    return (c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
