"""Training on anyone's columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from closures.climsim.statistics import Statistics
from closures.columns.recipe import EXACT_LAYERS, Recipe
from closures.constraints import FieldRanges, PhysicsConfig, physics_layers
from closures.field import Field
from closures.spec import ClosureSpec
from closures.training import Ranks
from hybrid.errors import TrainError
from hybrid.training.case import Case
from hybrid.training.column_files import ColumnShards, ColumnSource, column_shards
from hybrid.training.run import Run, Trained, run_training


@dataclass(frozen=True)
class ColumnData:
    """Samples for training and validation, and their contract.

    Parameters
    ----------
    spec
        Contract of the closure, without the range of the training columns.
    train, validation
        Samples.
    """

    spec: ClosureSpec
    train: ColumnShards
    validation: ColumnShards | None


def read_spec(path: Path) -> ClosureSpec:
    """Read a contract from a JSON file.

    Raises
    ------
    TrainError
        If there is none.
    """
    try:
        return ClosureSpec.from_json(path.read_text(encoding="utf-8"))
    except (TypeError, UnicodeDecodeError, ValueError) as error:
        raise TrainError(
            f"{path}: expected a contract in JSON, as ClosureSpec.to_json writes, got: {error}"
        ) from error


def column_data(
    spec: ClosureSpec,
    data: Path,
    shards: Path,
    *,
    validation: Path | None = None,
    fraction: float = 0.2,
    among: Ranks | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> ColumnData:
    """Return samples of a dataset; the first rank makes the shards that are missing.

    Parameters
    ----------
    spec
        Contract; each field is a variable of the dataset, whose units are converted.
    data
        netCDF file or zarr folder.
    shards
        Folder of the shards.
    validation
        Dataset that validates; None for the last part of `data`, because samples that lie beside
        each other resemble each other.
    fraction
        That part; 0 for no validation.
    among
        Processes that train together.
    on_progress
        Called with the fraction of a dataset that is read.

    Raises
    ------
    TrainError
        If data and contract do not fit each other.
    """
    if not 0.0 <= fraction < 1.0:
        raise TrainError(f"validation fraction: expected 0 <= fraction < 1, got {fraction}")
    among = among or Ranks()
    held = 0.0 if validation is not None else fraction
    sources = {"train": ColumnSource(data, spec, 0.0, 1.0 - held)}
    if validation is not None:
        sources["validation"] = ColumnSource(validation, spec)
    elif held > 0.0:
        sources["validation"] = ColumnSource(data, spec, 1.0 - held, 1.0)

    def found() -> dict[str, ColumnShards]:
        return {
            part: column_shards(source, shards / part, on_progress)
            for part, source in sources.items()
        }

    made = found() if among.is_first else {}
    among.wait()
    # Complete by now, so nobody writes.
    made = made or found()
    return ColumnData(spec, made["train"], made.get("validation"))


def train_columns(
    recipe: Recipe, data: ColumnData, run: Run, nonnegative: Sequence[str] = ()
) -> Trained:
    """Train a recipe on anyone's columns; export, verify and record it.

    Parameters
    ----------
    recipe
        Network, loss, training.
    data
        From `column_data`.
    run
        Where to, and who watches.
    nonnegative
        Outputs that are cut off at zero, such as precipitation.

    Raises
    ------
    ValueError
        If recipe and data do not fit each other, or the loss is no longer finite.
    ExportError
        If the archive would differ from the trained closure.
    """
    named = replace(run, name=run.name or data.spec.name)
    return run_training(column_case(data, nonnegative), replace(recipe, variables=""), named)


def column_case(data: ColumnData, nonnegative: Sequence[str] = ()) -> Case:
    """Return samples as a case."""
    train, held = data.train, data.validation
    spec = replace(
        data.spec,
        inputs=_with_range(data.spec.inputs, train.inputs),
        outputs=_with_range(data.spec.outputs, train.outputs),
    )
    ranges = FieldRanges.of_spec(spec)
    unknown = sorted(set(nonnegative) - set(ranges.outputs))
    if unknown:
        raise TrainError(
            f"nonnegative: expected outputs out of {', '.join(ranges.outputs)}, got "
            f"{', '.join(unknown)}"
        )

    def make_physics(names: Sequence[str]) -> tuple[nn.Module, ...]:
        if EXACT_LAYERS in names:
            raise TrainError(
                f"physics: expected names of layers, got {EXACT_LAYERS}, which is for ClimSim's "
                "variables; see docs/physics.md"
            )
        return physics_layers(PhysicsConfig(tuple(names)), ranges)

    origin = {"train_digest": train.digest}
    if held is not None:
        origin["validation_digest"] = held.digest
    return Case(
        spec,
        train,
        held,
        train.inputs,
        train.outputs,
        origin,
        tuple(nonnegative),
        make_physics,
    )


def _with_range(fields: tuple[Field, ...], statistics: Statistics) -> tuple[Field, ...]:
    found, start = [], 0
    for field in fields:
        part = slice(start, start + field.size)
        start = part.stop
        low, high = (
            values[part].astype(np.float32).tolist()
            for values in (statistics.minimum, statistics.maximum)
        )
        bounds = (tuple(low), tuple(high)) if field.dims else (low[0], high[0])
        found.append(replace(field, valid_min=bounds[0], valid_max=bounds[1]))
    return tuple(found)
