"""Run a model again and again, each time in a process that kills itself somewhere else.

``python killed_runs.py FOLDER SUFFIX FIRST STRIDE``: process n is killed before the line of the
recording code that it reaches as number ``FIRST + n STRIDE``, and leaves ``FOLDER/<number>SUFFIX``;
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from solvers import TwoLayerQG, file_recorder, netcdf_file, zarr_file

MODEL = TwoLayerQG(nx=8, fft="scipy")
RUN: dict[str, Any] = {"steps": 6, "save_every": 2, "seed": 5}

_RECORDING = {module.__file__ for module in (file_recorder, netcdf_file, zarr_file)}


def run_until_line(path: Path, last: int) -> None:
    """Run, and kill this process before line number `last` of the recording code."""
    reached = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal reached
        if frame.f_code.co_filename not in _RECORDING:
            return None
        if event == "line":
            reached += 1
            if reached == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    MODEL.run(**RUN, path=path).close()
    sys.settrace(None)


def main(folder: Path, suffix: str, first: int, stride: int) -> None:
    """Make the runs."""
    # Compiles, or reads what was compiled, once for all processes.
    MODEL.run(steps=1)
    last, killed = first, True
    while killed:
        child = os.fork()
        if child == 0:
            run_until_line(folder / f"{last}{suffix}", last)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        last += stride


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
