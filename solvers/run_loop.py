"""Advance an integration from save to save, show how far it is, and record it."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from solvers.file_recorder import FileRecorder
from solvers.integration import Integration
from solvers.progress import RunProgress
from solvers.recorder import MemoryRecorder, Recorder
from solvers.schedule import Schedule

# Long enough that leaving compiled code costs nothing, short enough to answer an interrupt.
_SECONDS_A_CHUNK = 0.2


def run_loop(
    integration: Integration,
    schedule: Schedule,
    attributes: dict[str, Any],
    *,
    path: Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Run a schedule; see `solvers.model.Model.run`."""
    first = integration.step
    saves = schedule.saves(first)
    recorder = _recorder(integration, attributes, saves, path, resume=resume)
    with closing(recorder):
        if recorder.restart is not None:
            integration.continue_from(recorder.restart)
        with RunProgress(integration, first, schedule.n_step, progress, on_progress) as display:
            chunk = 1
            for save in saves[recorder.n_saved :]:
                while integration.step < save:
                    n_step = min(chunk, save - integration.step)
                    began = time.perf_counter()
                    integration.advance(n_step)
                    if time.perf_counter() - began < _SECONDS_A_CHUNK and n_step == chunk:
                        chunk *= 2
                    display.update()
                recorder.save(snapshot(integration, attributes))
        return recorder.dataset()


def _recorder(
    integration: Integration,
    attributes: dict[str, Any],
    saves: Sequence[int],
    path: Path | None,
    *,
    resume: bool,
) -> Recorder:
    if path is not None:
        start = snapshot(integration, attributes)
        return FileRecorder(path, start, saves, resume=resume)
    if resume:
        raise ValueError("resume: expected the path of the file to continue, got no path")
    return MemoryRecorder()


def snapshot(integration: Integration, attributes: dict[str, Any]) -> xr.Dataset:
    """Return the fields of this moment, dims ``(time, member, ...)``, and what restarts need."""
    units = integration.model.time_units
    name = "time" if units == "s" else "dimensionless time"
    now = xr.Variable("time", np.array([integration.time]), {"units": units, "long_name": name})
    member = xr.Variable("member", np.arange(integration.n_member), {"long_name": "member"})
    fields = {key: variable.expand_dims("time") for key, variable in integration.fields().items()}
    return xr.Dataset(
        {**fields, **integration.restart()},
        coords={"time": now, "member": member, **integration.model.coordinates()},
        attrs=attributes,
    )
