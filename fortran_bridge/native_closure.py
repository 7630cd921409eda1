"""A loaded archive, as the native library holds it."""

import json
from ctypes import byref, c_int64, c_void_p
from pathlib import Path
from typing import Self

from fortran_bridge.c_library import check, int32, library


class NativeClosure:
    """A loaded archive; immutable, may be shared by threads.

    Parameters
    ----------
    path
        Archive file.
    engine
        ``"native"``, ``"torchscript"`` or ``"aoti"``; ``"auto"``: the native engine where the
        archive holds a program for it, the library has it and the device is the CPU, else the one
        that the archive names.
    device
        ``"cpu"``, or a device of the engine such as ``"cuda:0"``.
    n_thread
        Threads inside the engine's operations.
    precision
        ``"float32"``, or ``"bf16"`` for the native engine and an archive that has passed the
        online test of ``hybrid precision``.

    Raises
    ------
    BridgeError
        If the file is missing, damaged, of a newer format, its engine cannot be opened, or it may
        not compute in `precision`.
    """

    def __init__(
        self,
        path: Path | str,
        engine: str = "auto",
        device: str = "cpu",
        n_thread: int = 1,
        precision: str = "float32",
    ) -> None:
        self._handle = c_void_p()
        check(
            library().hybrid_closure_load_precision(
                *(
                    str(path).encode(),
                    engine.encode(),
                    device.encode(),
                    int32("n_thread", n_thread),
                    precision.encode(),
                ),
                byref(self._handle),
            )
        )

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        label: str = "archive",
        *,
        engine: str = "auto",
        device: str = "cpu",
        n_thread: int = 1,
        precision: str = "float32",
    ) -> Self:
        """Load an archive from its bytes; `label` stands for the path in messages."""
        closure = cls.__new__(cls)
        closure._handle = c_void_p()
        check(
            library().hybrid_closure_load_memory_precision(
                *(content, len(content), label.encode(), engine.encode(), device.encode()),
                *(int32("n_thread", n_thread), precision.encode(), byref(closure._handle)),
            )
        )
        return closure

    @property
    def handle(self) -> c_void_p:
        """The C handle."""
        return self._handle

    @property
    def manifest(self) -> str:
        """The archive's manifest, JSON text."""
        return str(library().hybrid_closure_manifest(self._handle).decode())

    @property
    def description(self) -> str:
        """What a person wants to know: engine, why not the native one, device, blocks, fields."""
        return str(library().hybrid_closure_describe(self._handle).decode())

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the fields that `run` writes."""
        return frozenset(field["name"] for field in json.loads(self.manifest)["spec"]["outputs"])

    @property
    def blocks(self) -> tuple[int, ...]:
        """Block sizes [columns] that round alike, as the self-test at load found them."""
        # A binding made meanwhile by another thread may add some.
        sizes = (c_int64 * library().hybrid_closure_blocks(self._handle, None, 0))()
        count = library().hybrid_closure_blocks(self._handle, sizes, len(sizes))
        return tuple(sizes[:count])

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            library().hybrid_closure_free(self._handle)
