"""``hybrid train climsim``: an emulator from ClimSim's files or shards."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.commands.climsim_score import SplitChoice
from hybrid.commands.terminal import examples, messages
from hybrid.commands.train_options import (
    ClimsimFiles,
    Device,
    Epochs,
    Grid,
    Levels,
    Model,
    Name,
    Out,
    Physics,
    Preset,
    Resume,
    Seed,
    Setting,
    TensorBoard,
    Threads,
    ValidationShards,
    given_shards,
    held_variables,
    recipe_settings,
    say_written,
    watched,
)

if TYPE_CHECKING:
    from closures.climsim.conversion import OnShard
    from closures.climsim.training_data import ClimsimData, Steps
    from closures.columns.recipe import Recipe
    from closures.training import Ranks


def climsim(  # noqa: PLR0913, PLR0917 -- an option each
    context: typer.Context,
    data: ClimsimFiles,
    out: Out,
    model: Model = "mlp",
    split: Annotated[
        SplitChoice,
        typer.Option(
            help="interleaved: every fourth step of a month is left for tests; season: October "
            "and November are; all: every step trains, none validates."
        ),
    ] = SplitChoice.interleaved,
    final: Annotated[
        bool,
        typer.Option("--final", help="Train on the validation steps of the split too."),
    ] = False,
    validation: ValidationShards = None,
    grid: Grid = None,
    shards: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder of converted files, which models can share; default: OUT/shards.",
        ),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(
            metavar="SET", help="Variable set: V1, V1_albedo, V2, v2_rh, v2_rh_mc, v4, v5 or v6."
        ),
    ] = None,
    levels: Levels = 60,
    name: Name = "",
    preset: Preset = None,
    seed: Seed = None,
    epochs: Epochs = None,
    physics: Physics = None,
    settings: Setting = None,
    resume: Resume = True,
    threads: Threads = 1,
    device: Device = "auto",
    tensorboard: TensorBoard = False,
) -> None:
    """Train an emulator of ClimSim's columns, and compile it to one verified archive.

    Files are converted into shards first. Each model has a recipe of its own, of which every entry
    can be set. After an interruption the same command goes on where it stopped. Started by
    torchrun, all processes train together.
    """
    from closures.climsim.recipes import recipe as recipe_of
    from closures.climsim.training_data import Steps
    from closures.training import ranks
    from hybrid.training.climsim import train_climsim

    found = given_shards(context, data, validation, grid, variables)
    chosen = recipe_of(
        model,
        recipe_settings(
            settings,
            preset=preset,
            seed=seed,
            epochs=epochs,
            physics=physics,
            variables=held_variables(found) or variables,
        ),
    )
    with ranks(device) as among:
        if found is None:
            steps = Steps(split.value, final)
            found = _converted(chosen, data, shards or out / "shards", steps, levels, grid, among)
        with watched(
            out, name or model, among, resume=resume, threads=threads, tensorboard=tensorboard
        ) as run:
            trained = train_climsim(chosen, found, run)
        if among.is_first:
            say_written(trained)


def _converted(
    recipe: "Recipe",
    data: Path,
    shards: Path,
    steps: "Steps",
    levels: int,
    grid: Path | None,
    among: "Ranks",
) -> "ClimsimData":
    from hybrid.progress import progress_display
    from hybrid.training.climsim import climsim_data

    with ExitStack() as stack:
        display = stack.enter_context(progress_display(messages()))
        tasks = iter(("training", "validation"))

        def on_steps(n: int) -> "OnShard":
            task = display.add_task(f"time steps for {next(tasks)} converted", total=n)
            return lambda done, _skipped: display.advance(task, done)

        return climsim_data(
            recipe,
            data,
            shards,
            steps,
            n_level=levels,
            grid=grid,
            among=among,
            on_steps=on_steps,
        )


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid train``."""
    app.command(
        epilog=examples(
            "hybrid train climsim --model mlp --data climsim --out results/mlp",
            "hybrid train climsim --model unet --data climsim --split season --out results/unet "
            "--set training.n_epoch=20 --set loss.kind=mae",
            "hybrid train climsim --model mlp --data low-res --grid grid-info.nc --out results/mlp",
            "hybrid train climsim --model hsr --data train --validation validation --grid "
            "grid-info.nc --out results/hsr",
            "torchrun --nproc-per-node 4 --no-python hybrid train climsim --model mlp --data "
            "train --out results/mlp",
        )
    )(climsim)
