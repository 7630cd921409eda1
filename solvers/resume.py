"""Whether a run can continue what is in a file, and where."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from solvers.continuation import CIRCUMSTANCES, STEP, first_difference, warn_of_circumstances


def check_resumable(path: Path, old: xr.Dataset, start: xr.Dataset) -> None:
    """Check that a file is of the same run: attributes, sizes, variables and coordinates.

    Parameters
    ----------
    path
        Name of the file in messages.
    old
        What is in it.
    start
        Snapshot of the run that is to continue it.

    Raises
    ------
    ValueError
        At the first difference.

    Warns
    -----
    UserWarning
        If the file was written with other versions of the software or another FFT library.
    """
    if STEP not in old:
        raise ValueError(f"resume: {path}: expected a file that run() wrote: it has no {STEP}")
    parameters = {**old.attrs, **start.attrs}.keys() - CIRCUMSTANCES
    _compare(path, old.attrs, start.attrs, sorted(parameters), "parameters")
    _compare(path, _sizes(old), _sizes(start), sorted({**_sizes(old), **_sizes(start)}), "sizes")
    kinds = {str(name): str(v.dtype) for name, v in start.variables.items()}
    old_kinds = {str(name): str(v.dtype) for name, v in old.variables.items()}
    _compare(path, old_kinds, kinds, sorted({**old_kinds, **kinds}), "variables")
    positions = {str(name): v.values for name, v in start.coords.items() if name != "time"}
    old_positions = {name: old[name].values for name in positions}
    _compare(path, old_positions, positions, sorted(positions), "parameters")
    warn_of_circumstances(f"resume: {path}", old.attrs, start.attrs)


def saved_before(
    path: Path, old: xr.Dataset, restart: xr.Dataset, start: xr.Dataset, steps: Sequence[int]
) -> int:
    """Return how many of the steps that a run saves are complete in a file.

    Parameters
    ----------
    path
        Name of the file in messages.
    old
        What is in it.
    restart
        Its restart variables.
    start
        Snapshot of the run that is to continue it, at its beginning.
    steps
        Steps after which that run saves.

    Raises
    ------
    ValueError
        If the file has saved other steps than these.
    """
    done = int(restart[STEP])
    if done == int(start[STEP]):
        return 0
    n_saved = bisect_right(steps, done)
    times = np.array(steps[:n_saved]) * start.attrs["dt"]
    if n_saved and steps[n_saved - 1] == done and np.array_equal(old["time"][:n_saved], times):
        return n_saved
    raise ValueError(
        f"resume: {path} ends with step {done} and has saved {old.sizes['time']} times; this run "
        f"would save after steps {', '.join(map(str, steps[:3]))}, ... {steps[-1]}; give the "
        "initial state, the duration and save_every that it was begun with"
    )


def _sizes(dataset: xr.Dataset) -> dict[str, int]:
    return {str(dim): size for dim, size in dataset.sizes.items() if dim != "time"}


def _compare(
    path: Path, old: dict[str, Any], new: dict[str, Any], names: Sequence[str], what: str
) -> None:
    found = first_difference(old, new, names)
    if found is not None:
        raise ValueError(
            f"resume: {found.name}: {path} was written with {found.before}, this run has "
            f"{found.now}; give the same {what}, or write to another file"
        )
