"""The AOTInductor part of an archive: compile a closure to native code, and run it from Python."""

import logging
import os
import platform
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from closures.base import Closure
from closures.field import Field
from hybrid.errors import ExportError

SETTINGS: dict[str, Any] = {
    # Threads are for the matrix products, whose number the host chooses: loops that start threads
    # would have the number of the exporting machine.
    "cpp.threads": 1,
    "compile_threads": 1,
    # Shared by many compilations, these would pay; for one they cost more than they save.
    "cpp_cache_precompile_headers": False,
    "aot_inductor.precompile_headers": False,
    "aot_inductor.enable_line_tables": False,
    # Kernels for a GPU inside the shared object: nothing else has to stay on disk.
    "aot_inductor.embed_kernel_binary": True,
}
"""What AOTInductor is told, beside the instruction set."""

DEVICES = ("cpu", "cuda")
"""Kinds of devices that a closure can be compiled for."""


def instruction_set() -> str:
    """Return the processor architecture that closures are compiled for on this machine.

    On x86-64 it is not that of the machine itself but the level that processors since about 2015
    have in common (AVX2, FMA), so that an archive runs on other nodes than the one that exported
    it; matrix products come from MKL, which chooses at run time.
    """
    machine = platform.machine()
    if machine != "x86_64":
        return machine
    return "x86-64-v3" if torch.backends.cpu.get_cpu_capability() != "DEFAULT" else "x86-64"


def versions(device: str) -> dict[str, str]:
    """Return what native code depends on, for the manifest."""
    return {"device": device, "instruction_set": instruction_set()}


def compiled(closure: Closure, arguments: Sequence[Tensor], device: str = "cpu") -> bytes:
    """Return the AOTInductor package of a closure, for any number of columns.

    Parameters
    ----------
    closure
        The trained closure.
    arguments
        One tensor an argument of forward, of the same number of columns; the code is tuned for
        about that number.
    device
        ``"cpu"`` or ``"cuda"``; the package runs on devices of this kind only.

    Raises
    ------
    ExportError
        If there is no C++ compiler or no such device, or forward cannot be compiled.
    """
    _check_request(closure, device)
    module = closure.scriptable().to(device)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hybrid-aoti-") as name,
            _caches(Path(name)),
            _without_warnings(),
            torch.no_grad(),
        ):
            program = torch.export.export(
                module,
                tuple(tensor.to(device) for tensor in arguments),
                dynamic_shapes=_dynamic_shapes(closure),
            )
            path = torch._inductor.aoti_compile_and_package(
                program,
                # The name becomes that of the folder inside.
                package_path=str(Path(name) / "archive.pt2"),
                inductor_configs={**SETTINGS, **_instructions()},
            )
            return Path(path).read_bytes()
    except Exception as error:
        raise ExportError(
            f"{closure.spec.name}: expected a forward that torch.export and AOTInductor compile "
            f"for any number of columns, got {type(error).__name__}: {error}; remove what depends "
            "on the number of columns or on values (Python if, .item()), or export to .pt"
        ) from error
    finally:
        module.to("cpu")


def load_package(path: Path) -> Callable[..., tuple[Tensor, ...]]:
    """Load the AOTInductor part of an archive: a function of tensors on the CPU."""
    with _without_warnings(), _without_processor_names():
        package = torch._inductor.aoti_load_package(str(path))
    device = package.get_metadata()["AOTI_DEVICE_KEY"]

    def evaluate(*arguments: Tensor) -> tuple[Tensor, ...]:
        # It checks neither type nor strides of what it is given.
        results = package(*(tensor.to(device).contiguous() for tensor in arguments))
        return tuple(tensor.cpu() for tensor in results)

    return evaluate


def _check_request(closure: Closure, device: str) -> None:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise ExportError(
            f"{closure.spec.name}: expected a C++ compiler to compile it for engine 'aoti', got "
            f"no {compiler}; install g++ (only needed for the export, not to run the archive), or "
            "export to .pt"
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise ExportError(
            f"{closure.spec.name}: expected a CUDA device to compile it for, got none; export it "
            "on a machine that has one, or to .pt, which runs on any device"
        )


def _instructions() -> dict[str, Any]:
    wanted = instruction_set()
    if wanted == "x86-64-v3":
        return {"cpp.march": wanted, "cpp.simdlen": 256}
    return {"cpp.march": wanted, "cpp.simdlen": 1} if wanted == "x86-64" else {}


def _dynamic_shapes(closure: Closure) -> tuple[dict[int, Any], ...]:
    spec = closure.spec
    column = torch.export.Dim(spec.first_axis, min=1)

    def dynamic(field: Field) -> dict[int, Any]:
        sizes = enumerate(field.shape, start=1)
        return {0: column, **{axis: torch.export.Dim.AUTO for axis, n in sizes if n is None}}

    return tuple(dynamic(field) for field in spec.arguments)


@contextmanager
def _caches(folder: Path) -> Iterator[None]:
    """Keep the files that AOTInductor leaves behind in `folder`."""
    places = {"TORCHINDUCTOR_CACHE_DIR": folder / "inductor", "TRITON_CACHE_DIR": folder / "triton"}
    before = {name: os.environ.get(name) for name in places}
    os.environ.update({name: str(place) for name, place in places.items()})
    # Imported only now: it makes a folder where its cache would be.
    from torch._inductor.utils import clear_caches

    # In memory it remembers names of files that will be gone.
    clear_caches()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        clear_caches()


@contextmanager
def _without_processor_names() -> Iterator[None]:
    """Keep torch from a warning whenever this processor has more than the package asks for."""
    logger = logging.getLogger("torch.export.pt2_archive._package")

    def wanted(record: logging.LogRecord) -> bool:
        return "AOTI_CPU_ISA" not in record.getMessage()

    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep torch's warnings about its own parts from users, who can do nothing about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
