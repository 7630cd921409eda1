"""The TorchScript part of an archive: compile a closure to it, and run it from Python."""

import io
import warnings
from pathlib import Path

import torch

from closures.base import Closure
from hybrid.errors import ExportError


def compiled(closure: Closure) -> bytes:
    """Return the saved TorchScript module of a closure.

    Raises
    ------
    ExportError
        If TorchScript cannot compile it.
    """
    with warnings.catch_warnings():
        # TorchScript is deprecated upstream; generated graphs annotate attributes in __init__.
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*instance-level annotations.*")
        try:
            module: torch.jit.ScriptModule = torch.jit.script(closure.scriptable())
        except Exception as error:
            raise ExportError(
                f"{closure.spec.name}: expected a forward that TorchScript compiles (plain "
                f"Tensor annotations, a tuple returned), got: {error}"
            ) from error
    saved = io.BytesIO()
    # Into memory: saved to a file, the archive would carry that file's name inside.
    torch.jit.save(module, saved)
    return saved.getvalue()


def load_scripted(path: Path) -> torch.jit.ScriptModule:
    """Load the TorchScript part of an archive."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
        return torch.jit.load(str(path))  # type: ignore[no-untyped-call, no-any-return]
