"""Advance an integration from save to save, show how far it is, and record it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.file_recorder import FileRecorder
from solvers.integration import Integration
from solvers.progress import RunProgress
from solvers.recorder import MemoryRecorder, Recorder
from solvers.saving_integration import SavingIntegration
from solvers.schedule import Schedule

Fields = Mapping[str, xr.Variable]


class Labels(NamedTuple):
    """What the data of a run say of it: attributes, and the number of each member."""

    attributes: dict[str, Any]
    members: NDArray[np.int64]


# Long enough that leaving compiled code costs nothing, short enough to answer an interrupt.
_SECONDS_A_CHUNK = 0.2


def run_loop(
    integration: Integration,
    schedule: Schedule,
    labels: Labels,
    *,
    path: Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Run a schedule; see `solvers.model.Model.run`."""
    first = integration.step
    saves = schedule.saves(first)
    recorder = _recorder(integration, labels, saves, path, resume=resume)
    with closing(recorder):
        if recorder.restart is not None:
            integration.continue_from(recorder.restart)
        with RunProgress(integration, first, schedule.n_step, progress, on_progress) as display:
            if integration.step == saves[-1]:
                # An earlier process has made all the steps.
                display.update()
            chunk = 1
            while recorder.n_saved < len(saves):
                steps = _next_saves(integration, saves, recorder.n_saved, chunk)
                n_step = min(chunk, steps[-1] - integration.step)
                fields: Fields | None = None
                if n_step > 0:
                    began = time.perf_counter()
                    fields = _advance(integration, n_step, steps)
                    if time.perf_counter() - began < _SECONDS_A_CHUNK and 2 * n_step > chunk:
                        chunk *= 2
                    display.update()
                if integration.step == steps[-1]:
                    recorder.save(snapshot(integration, labels, steps, fields))
        return recorder.dataset()


def _next_saves(
    integration: Integration, saves: Sequence[int], n_saved: int, chunk: int
) -> Sequence[int]:
    """Return the next step to save; all those of a chunk, if the integration saves by itself."""
    one = saves[n_saved : n_saved + 1]
    every = one[0] - integration.step
    if not isinstance(integration, SavingIntegration) or not 0 < every <= chunk:
        return one
    steps = saves[n_saved : n_saved + chunk // every]
    if len(steps) > 1 and steps[1] - steps[0] != every:
        # This interval has begun already, or the next one, the last of the run, is shorter.
        return one
    return steps if steps[-1] == integration.step + every * len(steps) else steps[:-1]


def _advance(integration: Integration, n_step: int, steps: Sequence[int]) -> Fields | None:
    if isinstance(integration, SavingIntegration) and len(steps) > 1:
        return integration.advance_and_save(len(steps), steps[0] - integration.step)
    integration.advance(n_step)
    return None


def _recorder(
    integration: Integration,
    labels: Labels,
    saves: Sequence[int],
    path: Path | None,
    *,
    resume: bool,
) -> Recorder:
    if path is not None:
        start = snapshot(integration, labels, [integration.step])
        return FileRecorder(path, start, saves, resume=resume)
    if resume:
        raise ValueError("resume: expected the path of the file to continue, got no path")
    return MemoryRecorder()


def snapshot(
    integration: Integration,
    labels: Labels,
    steps: Sequence[int],
    fields: Fields | None = None,
) -> xr.Dataset:
    """Return the fields after steps, dims ``(time, member, ...)``, and what restarts need now.

    Without `fields`, there is one step, and they are those of this moment.
    """
    units = integration.model.time_units
    label = {"units": units, "long_name": "time" if units == "s" else "dimensionless time"}
    times = xr.Variable("time", np.array(steps) * integration.model.dt, label)
    member = xr.Variable("member", labels.members, {"long_name": "member"})
    if fields is None:
        # Shortly before a run blows up, fields may exceed what single precision can hold.
        with np.errstate(over="ignore"):
            now = integration.fields()
        fields = {
            name: xr.Variable(("time", *field.dims), field.values[None], field.attrs)
            for name, field in now.items()
        }
    return xr.Dataset(
        {**fields, **integration.restart()},
        coords={"time": times, "member": member, **integration.model.coordinates()},
        attrs=labels.attributes,
    )
