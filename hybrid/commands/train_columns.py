"""``hybrid train columns``: the same networks on anyone's columns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.commands.terminal import examples, messages
from hybrid.commands.train_options import (
    Device,
    Epochs,
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
    recipe_settings,
    say_written,
    watched,
)

if TYPE_CHECKING:
    from closures.spec import ClosureSpec
    from closures.training import Ranks
    from hybrid.training.columns import ColumnData


def columns(  # noqa: PLR0913, PLR0917 -- an option each
    spec: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="Contract in JSON: fields, units, shapes."),
    ],
    data: Annotated[
        Path,
        typer.Option(
            exists=True, help="netCDF file or zarr folder with a variable for each field."
        ),
    ],
    out: Out,
    model: Model = "mlp",
    validation: Annotated[
        Path | None, typer.Option(exists=True, help="Dataset that validates.")
    ] = None,
    validation_fraction: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.9, help="Part of DATA, its last samples, that validates without one."
        ),
    ] = 0.2,
    nonnegative: Annotated[
        str, typer.Option(metavar="FIELDS", help="Outputs cut off at zero, separated by commas.")
    ] = "",
    name: Name = "",
    preset: Preset = None,
    seed: Seed = None,
    epochs: Epochs = None,
    physics: Physics = "none",
    settings: Setting = None,
    resume: Resume = True,
    threads: Threads = 1,
    device: Device = "auto",
    tensorboard: TensorBoard = False,
) -> None:
    """Train a network on columns of your own, and compile it to one verified archive.

    Samples run over every dimension but the one of levels, which has the name it has in the
    contract. Units are converted to those of the contract. Data are read in pieces.
    """
    from closures.climsim.recipes import recipe as recipe_of
    from closures.training import ranks
    from hybrid.training.columns import read_spec, train_columns

    chosen = recipe_of(
        model,
        # What recipes say of ClimSim's variables does not apply to others.
        (
            *recipe_settings(settings, preset=preset, seed=seed, epochs=epochs, physics=physics),
            "variables=",
        ),
    )
    contract = read_spec(spec)
    with ranks(device) as among:
        found = _read(contract, data, out / "shards", validation, validation_fraction, among)
        label = name or contract.name
        with watched(
            out, label, among, resume=resume, threads=threads, tensorboard=tensorboard
        ) as run:
            trained = train_columns(
                chosen, found, run, [each for each in nonnegative.split(",") if each]
            )
        if among.is_first:
            say_written(trained)


def _read(
    spec: "ClosureSpec",
    data: Path,
    shards: Path,
    validation: Path | None,
    fraction: float,
    among: "Ranks",
) -> "ColumnData":
    from hybrid.progress import StepProgress, progress_display
    from hybrid.training.columns import column_data

    with StepProgress(progress_display(messages())) as steps:
        steps.start(f"columns of {data.name} read")
        return column_data(
            spec,
            data,
            shards,
            validation=validation,
            fraction=fraction,
            among=among,
            on_progress=steps.update,
        )


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid train``."""
    app.command(
        epilog=examples(
            "hybrid train columns --spec spec.json --data columns.nc --out results/mine",
            "hybrid train columns --spec spec.json --data columns.zarr --model bilstm "
            "--nonnegative rain --out results/mine",
        )
    )(columns)
