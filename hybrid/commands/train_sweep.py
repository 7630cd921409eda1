"""``hybrid train sweep``: which settings train best."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.commands.climsim_score import SplitChoice
from hybrid.commands.terminal import examples, messages, output
from hybrid.commands.train_options import (
    ClimsimFiles,
    Device,
    Epochs,
    Grid,
    Levels,
    Model,
    Out,
    Preset,
    Seed,
    Setting,
    Threads,
    ValidationShards,
    given_shards,
    held_variables,
    recipe_settings,
)

if TYPE_CHECKING:
    from hybrid.training.sweep import Trial


def sweep(  # noqa: PLR0913, PLR0917 -- an option each
    context: typer.Context,
    data: ClimsimFiles,
    out: Out,
    trials: Annotated[int, typer.Option(min=1, help="Trainings in all.")] = 20,
    model: Model = "mlp",
    split: Annotated[
        SplitChoice, typer.Option(help="interleaved or season.")
    ] = SplitChoice.interleaved,
    validation: ValidationShards = None,
    grid: Grid = None,
    shards: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder of converted files; default: OUT/shards."),
    ] = None,
    variables: Annotated[str | None, typer.Option(metavar="SET", help="Variable set.")] = None,
    levels: Levels = 60,
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RANGE",
            help="Entry of the recipe to vary, LOW:HIGH, LOW:HIGH:log or A,B,C; default: learning "
            "rate, weight decay, batch size and noise.",
        ),
    ] = None,
    preset: Preset = None,
    seed: Seed = None,
    epochs: Epochs = None,
    settings: Setting = None,
    threads: Threads = 1,
    device: Device = "auto",
) -> None:
    """Look for better settings of a training, by its validation loss alone.

    Trials that fall behind are given up early. After an interruption the same command goes on.
    """
    from closures.climsim.recipes import recipe_values, search_ranges
    from closures.climsim.training_data import Steps
    from closures.columns.recipe import make_recipe
    from closures.training import ranks
    from hybrid.threads import use_threads
    from hybrid.training.climsim import climsim_case, climsim_data
    from hybrid.training.run import Run
    from hybrid.training.sweep import Search, parsed_range
    from hybrid.training.sweep import sweep as run_sweep

    given = given_shards(context, data, validation, grid, variables)
    chosen = recipe_settings(
        settings,
        preset=preset,
        seed=seed,
        epochs=epochs,
        physics=None,
        variables=held_variables(given) or variables,
    )
    values = recipe_values(model, chosen)
    recipe = make_recipe(values)
    found = given or climsim_data(
        recipe, data, shards or out / "shards", Steps(split.value), n_level=levels, grid=grid
    )
    ranges = dict(parsed_range(each) for each in search) if search else search_ranges()
    plan = Search(values, ranges, trials, lambda each: climsim_case(each, found))
    console = messages()

    def say(trial: "Trial") -> None:
        loss = "given up" if trial.loss is None else f"{trial.loss:.5g}"
        line = f"trial {trial.number}: {loss}  {_settings(trial)}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    with use_threads(threads), ranks(device) as among:
        best, path = run_sweep(plan, Run(out, n_thread=threads, among=among), say)
    result = output()
    for line in (f"best: trial {best.number}, {best.loss:.5g}  {_settings(best)}", f"wrote {path}"):
        result.print(line, markup=False, highlight=False, soft_wrap=True)


def _settings(trial: "Trial") -> str:
    return " ".join(f"--set {name}={_short(value)}" for name, value in trial.settings.items())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid train``."""
    app.command(
        epilog=examples(
            "hybrid train sweep --model mlp --data climsim --trials 40 --out results/sweep",
            "hybrid train sweep --model unet --data climsim --out results/sweep "
            "--search training.learning_rate=1e-4:1e-2:log --search training.clip=none,1.0",
        )
    )(sweep)
