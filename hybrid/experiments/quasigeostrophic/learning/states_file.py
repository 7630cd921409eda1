"""The datasets of the benchmark as a zarr store, run by run, going on where it was interrupted."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import xarray as xr
import zarr

from hybrid.experiments.quasigeostrophic.learning.plan import Learning
from hybrid.experiments.quasigeostrophic.runs.climate import OnProgress
from hybrid.experiments.quasigeostrophic.runs.configurations import HOUR, Configuration
from hybrid.versions import versions

# Format 2 is what every reader of zarr knows.
_FORMAT: Literal[2] = 2
# Of an array of runs: run, time, operator, layer, y and x.
_N_DIM = 6
_FINISHED, _MADE_OF = "finished_runs", "made_of"


class StatesError(ValueError):
    """A folder that is no store of the states that are asked for."""


def write_states(
    path: Path,
    flow: Configuration,
    learning: Learning,
    *,
    seed: int = 0,
    on_progress: OnProgress = lambda _fraction: None,
) -> xr.Dataset:
    """Write coarse states, and what the coarse model misses there, of some runs of the truth.

    The states that networks learn from, by all three operators. Runs that are in the store already
    are kept; a store that holds more is left as it is. One that an interrupted call has left is
    whole for readers that go by consolidated metadata.

    Parameters
    ----------
    path
        The store, a folder.
    flow
        The flow.
    learning
        Number and length of the runs, and time between states.
    seed
        As of the experiment.
    on_progress
        Called with the fraction done.

    Returns
    -------
    Dataset
        What `PairsRun.pairs` returns, with a dim ``run``; values are read when they are asked for.

    Raises
    ------
    StatesError
        If the folder is no store of these runs, or of other versions of the software.
    ValueError
        If the lengths do not fit each other, see `PairsRun`.
    """
    made_of: dict[str, str | float] = {
        "flow": repr(flow),
        "years": learning.years,
        "hours": learning.every / HOUR,
        "seed": seed,
        **versions(),
    }
    first = _n_finished(path, made_of) if path.exists() else 0
    for i in range(first, learning.n_run):
        done = i / learning.n_run
        pairs = learning.states_run(flow, seed, i).pairs(
            lambda part, done=done: on_progress(done + part / learning.n_run)  # type: ignore[misc]
        )
        source = f"{flow.name} of {learning.years:g} years, seed {seed}"
        _add(path, pairs.expand_dims("run").assign_attrs(source=source), i, made_of)
    on_progress(1.0)
    return xr.open_dataset(path, engine="zarr", consolidated=True, decode_times=False)


def _n_finished(path: Path, made_of: Mapping[str, str | float]) -> int:
    try:
        known = zarr.open_group(str(path), mode="r").attrs.asdict()
        number, theirs = int(str(known[_FINISHED])), json.loads(str(known[_MADE_OF]))
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise StatesError(
            f"{path}: expected nothing of this name, or a zarr store of states, got something "
            "else; give another name"
        ) from error
    differing = [
        f"{name}: {theirs.get(name)} there, {value} asked for"
        for name, value in made_of.items()
        if theirs.get(name) != value
    ]
    if differing:
        raise StatesError(
            f"{path}: expected a store of the same states, got others ({'; '.join(differing)}); "
            "give another name, or ask for these"
        )
    _trim(path, number)
    return number


def _trim(path: Path, number: int) -> None:
    """Leave out what an interrupted call has written of another run."""
    group = zarr.open_group(str(path), mode="r+")
    for array in _arrays_of_runs(group):
        array.resize((number, *array.shape[1:]))
    zarr.consolidate_metadata(str(path), zarr_format=_FORMAT)


def _arrays_of_runs(group: zarr.Group) -> list[zarr.Array[Any]]:
    return [array for _, array in group.arrays() if array.ndim == _N_DIM]


def _add(path: Path, run: xr.Dataset, number: int, made_of: Mapping[str, str | float]) -> None:
    """Write a run behind those that are there; it counts once all of it is there."""
    if number == 0:
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # A chunk a run: turbulence does not get smaller by compression.
        encoding = {
            name: {"chunks": variable.shape, "compressors": None}
            for name, variable in run.data_vars.items()
        }
        run.assign_attrs({_MADE_OF: json.dumps(made_of)}).to_zarr(
            unfinished, zarr_format=_FORMAT, consolidated=True, encoding=encoding
        )
        _set_finished(unfinished, 1)
        unfinished.rename(path)
        return
    group = zarr.open_group(str(path), mode="r+")
    for array in _arrays_of_runs(group):
        array.resize((number + 1, *array.shape[1:]))
        array[number] = run[array.basename].values[0]
    _set_finished(path, number + 1)


def _set_finished(path: Path, number: int) -> None:
    zarr.open_group(str(path), mode="r+").attrs[_FINISHED] = number
    zarr.consolidate_metadata(str(path), zarr_format=_FORMAT)
