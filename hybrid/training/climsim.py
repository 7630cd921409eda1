"""Training on ClimSim's files."""

from dataclasses import replace
from pathlib import Path

from closures.climsim.emulator import HUMIDITY_FLOOR, spec_of_manifest
from closures.climsim.energy import typical_energy
from closures.climsim.errors import DataError
from closures.climsim.files import step_of
from closures.climsim.loader import Shards
from closures.climsim.physics import physics_of
from closures.climsim.recipes import RAW, WATER
from closures.climsim.training_data import (
    ClimsimData,
    OnSteps,
    Request,
    Steps,
    convert_split,
    digest,
    open_shards,
    open_split,
)
from closures.climsim.variables import variable_set
from closures.columns.recipe import Recipe
from closures.training import Ranks
from hybrid.training.case import Case
from hybrid.training.run import Run, Trained, run_training


def train_climsim(recipe: Recipe, data: ClimsimData, run: Run) -> Trained:
    """Train a recipe on ClimSim's samples; export, verify and record it.

    Parameters
    ----------
    recipe
        Network, loss, training; ``recipe.variables`` gives way to the variables of `data`.
    data
        From `climsim_data`.
    run
        Where to, and who watches.

    Raises
    ------
    ValueError
        If recipe and data do not fit each other, or the loss is no longer finite.
    ExportError
        If the archive would differ from the trained closure.

    Examples
    --------
    >>> from closures.climsim.recipes import recipe
    >>> from hybrid.training.climsim import climsim_data
    >>> chosen = recipe("mlp", ["training.n_epoch=5"])
    >>> data = climsim_data(chosen, Path("climsim"), Path("shards"), Steps())  # doctest: +SKIP
    >>> train_climsim(chosen, data, Run(Path("results/mlp"))).archive  # doctest: +SKIP
    PosixPath('results/mlp/mlp.pt')
    """
    case, chosen = climsim_case(recipe, data)
    return run_training(case, chosen, run)


def climsim_data(
    recipe: Recipe,
    data: Path,
    shards: Path,
    steps: Steps,
    *,
    n_level: int = 60,
    grid: Path | None = None,
    among: Ranks | None = None,
    on_steps: OnSteps | None = None,
) -> ClimsimData:
    """Return the samples of a split; the first rank converts what is not converted yet.

    Parameters
    ----------
    recipe
        Names the variable set.
    data
        Folder of mli and mlo files.
    shards
        Folder below which shards go, one a variable set and split, to be shared by models.
    steps
        Which time steps train and validate.
    n_level
        Levels of a profile in the files.
    grid
        Grid file; None for the one below `data`, if there is one.
    among
        Processes that train together.
    on_steps
        For progress.
    """
    among = among or Ranks()
    in_order = recipe.loss.rollout > 1
    variables = variable_set(recipe.variables, n_level)
    request = Request(data, variables, steps, in_order, grid)
    if among.is_first:
        convert_split(request, shards, on_steps)
    among.wait()
    return open_split(request, shards)


def climsim_case(recipe: Recipe, data: ClimsimData) -> tuple[Case, Recipe]:
    """Return samples as a case, and the recipe with what is usual for ClimSim's variables."""
    manifest = data.train.manifest
    variables, grid = manifest.variables, data.grid
    names = variables.slices("inputs")
    chosen = replace(
        recipe,
        variables=variables.name,
        scaling=recipe.scaling.with_defaults(
            {name: HUMIDITY_FLOOR for name in WATER if name in names},
            [name for name in RAW if name in names],
        ),
    )
    parts = {"train": data.train, "validation": data.validation}
    found = {part: shards for part, shards in parts.items() if shards is not None}
    origin = {"split": data.split, "variables": variables.name}
    origin |= {f"{part}_digest": digest(shards) for part, shards in found.items()}
    needs_energy = recipe.loss.weighting != "std"
    if needs_energy and grid is None:
        raise DataError(
            f"loss.weighting={recipe.loss.weighting}: expected a grid file, which tells the mass "
            "of each layer, got none; put ClimSim's *grid-info.nc, and no other, beside the files, "
            "or name it with --grid, or --set loss.weighting=std"
        )
    case = Case(
        spec_of_manifest(
            "emulator",
            f"{recipe.model} ({recipe.preset}) on ClimSim's {variables.name} variables",
            manifest,
            {},
        ),
        data.train,
        data.validation,
        manifest.inputs,
        manifest.outputs,
        origin,
        tuple(v.field.name for v in variables.outputs if not v.field.dims),
        lambda layers: physics_of(layers, data.train, grid),
        typical_energy(manifest.inputs, variables, grid) if needs_energy and grid else None,
        {part: _steps(shards) for part, shards in found.items() if shards.manifest.seed is None},
    )
    return case, chosen


def _steps(shards: Shards) -> list[int]:
    return [step_of(source.mli) for source in shards.manifest.sources]


__all__ = ["ClimsimData", "climsim_case", "climsim_data", "open_shards", "train_climsim"]
