"""Archives and climatologies over the test steps of a split, in one pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.drift import Drift, FeatureSums
from closures.climsim.errors import DataError
from closures.climsim.files import Pair, by_step, earlier_steps, list_pairs
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.hourly_climatology import HourlyClimatology
from closures.climsim.response import Responses, responses
from closures.climsim.score_dataset import score_dataset
from closures.climsim.scorer import Scorer
from closures.climsim.splits import Split, SplitName, held_out
from closures.climsim.step_reader import StepReader
from closures.climsim.variables import VariableSet
from hybrid.climsim_scores.models import ArchiveModel, common_variables, load_models

Array = NDArray[np.float64]
Part = Literal["test", "validation"]

MEAN = "climatology, global mean"
HOURLY = "climatology, column and hour"
RESPONSE_COLUMNS = 64
"""Test columns, about, over which the response to perturbed inputs is averaged."""
_STRIDE = 97


@dataclass(frozen=True)
class ScoreRun:
    """Everything that tables, files and figures are made of.

    Parameters
    ----------
    scores
        From `score_dataset`, and the drift of the inputs where there are training steps.
    grid
        Grid of the columns.
    models
        The archives.
    split
        Name of the split.
    train, test
        Time steps of the climatologies and of the scores.
    variables
        Variable set of the archives.
    sample
        Inputs of some columns of all scored steps, over which responses are averaged
        ``(n, n_input)``.
    """

    scores: xr.Dataset
    grid: ColumnGrid
    models: tuple[ArchiveModel, ...]
    split: SplitName
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]
    variables: VariableSet
    sample: Array

    def responses(self, name: str) -> Responses:
        """Return the mean responses of one archive to perturbed inputs: seconds for a network."""
        model = next(model for model in self.models if model.name == name)
        return responses(model.predict, self.sample, self.variables, self.grid)


def split_pairs(pairs: Sequence[Pair], name: SplitName, part: Part = "test") -> Split:
    """Return the steps of a split, with those to be scored as its test steps.

    Of ``all``, every step is for test and climatology alike. The part ``"validation"`` has the
    validation steps for scores, and neither these nor the test steps for climatologies.

    Raises
    ------
    closures.climsim.files.DataError
        If a split has no steps of this part.
    """
    if name == "all":
        return Split(tuple(pairs), (), tuple(pairs))
    chosen = held_out(pairs, name, part == "validation")
    return Split(chosen.train, (), chosen.validation) if part == "validation" else chosen


def score_archives(
    archives: Sequence[Path],
    data: Path,
    split: SplitName,
    n_sample: int,
    task: Callable[[str], Callable[[float], None]],
    *,
    part: Part = "test",
    grid_file: Path | None = None,
) -> ScoreRun:
    """Score archives.

    Parameters
    ----------
    archives
        Compiled emulators of one variable set.
    data
        Folder of ClimSim's files.
    split
        Which steps are scored.
    n_sample
        Draws from closures with random numbers.
    task
        Starts a stage under a name; returns what to call with the fraction done.
    part
        Steps of the split that are scored: its test steps, or, to choose between emulators that
        were trained without them, its validation steps.
    grid_file
        Grid of the columns; None for the one below `data`.

    Raises
    ------
    ScoreError
        If archives do not fit each other or the data.
    closures.climsim.errors.DataError
        If files are missing or damaged, or the grid has another number of columns.
    """
    pairs = list_pairs(data)
    chosen = split_pairs(pairs, split, part)
    grid = read_grid(grid_file or find_grid(data))
    models = load_models(archives, n_sample)
    variables = common_variables(models, grid.n_level)
    read = _reader(pairs, variables, grid)
    hourly, mean, seen = _climatologies(
        chosen.train, read, variables, grid, task("training steps: climatology")
    )
    members = {model.name: model.n_member for model in models} | {HOURLY: 1, MEAN: 1}
    scorer = Scorer(variables, grid, members)
    drift = Drift.of_training(seen)
    advance = task(f"{part} steps: scores")
    sample: list[Array] = []
    for i, pair in enumerate(chosen.test):
        inputs, outputs = read(pair)
        predictions = {m.name: m.predict(inputs, variables, step=i) for m in models}
        predictions[HOURLY] = hourly.predict(pair.second)
        predictions[MEAN] = mean
        scorer.add(inputs, outputs, predictions)
        drift.add(inputs)
        sample.append(_some(inputs, i, len(chosen.test)))
        advance((i + 1) / len(chosen.test))
    scores = score_dataset(scorer)
    if split != "all":
        scores = scores.merge(drift.dataset(variables, grid), compat="equals", join="exact")
    scores.attrs |= {"split": split, "part": part, "n_training_step": len(chosen.train)}
    return ScoreRun(
        scores,
        grid,
        models,
        split,
        chosen.train,
        chosen.test,
        variables,
        np.concatenate(sample),
    )


def _some(inputs: Array, step: int, n_step: int) -> Array:
    """Return a few columns of a step, others at each, so that all places and hours are there."""
    if step % max(1, n_step // RESPONSE_COLUMNS):
        return inputs[:0]
    count = max(1, RESPONSE_COLUMNS // n_step)
    apart = len(inputs) // count
    # A stride that has no common factor with the 384 columns visits all of them.
    return inputs[(_STRIDE * step + apart * np.arange(count)) % len(inputs)]


def _reader(
    pairs: Sequence[Pair], variables: VariableSet, grid: ColumnGrid
) -> Callable[[Pair], tuple[Array, Array]]:
    """Return what reads inputs and outputs of a step, with earlier ones if there is a memory."""
    steps = by_step(pairs)
    reader = StepReader(variables, grid)

    def read(pair: Pair) -> tuple[Array, Array]:
        earlier = earlier_steps(pair, steps, variables.n_history)
        inputs, outputs = reader.read(pair.files, *(step.files for step in earlier))
        if len(inputs) != grid.n_column:
            raise DataError(
                f"{pair.mli}: expected the {grid.n_column} columns of the grid file, got "
                f"{len(inputs)} columns; name the grid file that belongs to the data with --grid"
            )
        return np.ascontiguousarray(inputs), np.ascontiguousarray(outputs)

    return read


def _climatologies(
    pairs: Sequence[Pair],
    read: Callable[[Pair], tuple[Array, Array]],
    variables: VariableSet,
    grid: ColumnGrid,
    advance: Callable[[float], None],
) -> tuple[HourlyClimatology, Array, FeatureSums]:
    hourly = HourlyClimatology(grid.n_column, variables.n_output)
    seen = FeatureSums(variables.n_input)
    made = FeatureSums(variables.n_output)
    for i, pair in enumerate(pairs):
        inputs, outputs = read(pair)
        hourly.add(pair.second, outputs)
        seen.add(inputs)
        made.add(outputs)
        advance((i + 1) / len(pairs))
    return hourly, np.tile(made.mean, (grid.n_column, 1)), seen
