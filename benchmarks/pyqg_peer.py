"""pyqg 0.7.2 as a peer: in an environment of its own, in a process that takes turns with ours.

pyqg 0.7.2 needs numpy before 2 and Cython before 3, so it cannot live beside this project.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.child import Child, ChildEndedError
from solvers.cache import cache_folder

VERSION = "0.7.2"

_SCRIPT = Path(__file__).with_name("pyqg_server.py")
_BUILD_TOOLS = ("numpy<2", "cython<3", "setuptools<80", "setuptools-scm", "wheel")
_RUN_TOOLS = ("scipy<1.14", "xarray<2025", "pyfftw>=0.15,<1")


class PyqgMissingError(RuntimeError):
    """There is no pyqg to compare with; the message says why, and how to get it."""


def pyqg_python(*, download: bool = True) -> Path:
    """Return the interpreter of an environment with pyqg, made at the first call (minutes).

    Parameters
    ----------
    download
        Make the environment if there is none.

    Raises
    ------
    PyqgMissingError
        If there is none, or it cannot be downloaded or built.
    """
    parent = cache_folder()
    if parent is None:
        raise PyqgMissingError(
            "pyqg: expected a writable cache folder; set HYBRID_CACHE_DIR to one"
        )
    folder = parent / f"pyqg-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        if not download:
            raise PyqgMissingError(
                "pyqg is not there; download and build it with: python -m benchmarks two-layer"
            )
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        _run(*pip, *_BUILD_TOOLS, *_RUN_TOOLS)
        _run(*pip, "--no-build-isolation", f"pyqg=={VERSION}")
        (folder / "complete").touch()
    return python


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip()).rpartition("\n")[2]
        raise PyqgMissingError(
            f"pyqg is not there and could not be downloaded and built: {' '.join(command[1:4])} "
            f"ended with status {result.returncode}: {last}"
        )


class Pyqg(Child):
    """A process that runs pyqg on request; use it in a ``with`` statement.

    Parameters
    ----------
    python
        Interpreter of an environment with pyqg.
    """

    def __init__(self, python: Path) -> None:
        super().__init__([str(python), str(_SCRIPT)], {})
        self._python = python

    def ask(self, **request: Any) -> Any:
        """Send a request, see ``pyqg_server.py``, and return the answer.

        Raises
        ------
        RuntimeError
            If the process has ended; what it wrote to standard error says why.
        """
        try:
            return super().ask(**request)
        except ChildEndedError as error:
            raise RuntimeError(
                f"pyqg: its process ended with status {error.status}; remove "
                f"{self._python.parents[1]} to have it built anew"
            ) from error

    def seconds(self, nx: int, dt: float, n_step: int) -> float:
        """Return the time of `n_step` steps of pyqg's default model [s]."""
        return float(self.ask(nx=nx, dt=dt, n_step=n_step))
