"""Options that the commands of ``hybrid train`` share."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.commands.terminal import messages, output

if TYPE_CHECKING:
    from closures.climsim.training_data import ClimsimData
    from closures.training import Ranks
    from hybrid.training import Run, Trained

Model = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="ridge, mlp, cnn, ed, hsr, rpn, cvae, unet, bilstm, vertical_rnn, reslstm, convnext "
        "or squeezeformer.",
    ),
]
ClimsimFiles = Annotated[
    Path,
    typer.Option(
        envvar="HYBRID_CLIMSIM_DATA",
        exists=True,
        file_okay=False,
        help="Folder with mli and mlo files, or with shards.",
    ),
]
ValidationShards = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Shards that validate, if DATA is shards."),
]
Grid = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Grid file, which tells levels and latitudes; default: *grid-info.nc in a folder of "
        "files, none for shards.",
    ),
]
Levels = Annotated[int, typer.Option(min=1, help="Levels of a profile in the files.")]
Out = Annotated[
    Path,
    typer.Option(file_okay=False, help="Folder of the archive, its record and its checkpoint."),
]
Name = Annotated[
    str, typer.Option(metavar="NAME", help="Name of the archive; default: that of the model.")
]
Preset = Annotated[
    str | None, typer.Option(metavar="SIZE", help="tiny, small or published; others by model.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of weights and of the training.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Passes over the samples.")]
Physics = Annotated[
    str | None,
    typer.Option(
        metavar="LAYERS",
        help="Physics layers, separated by commas; exact: all that hold exactly; none.",
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any entry of the recipe, such as training.batch_size=1024; see docs/training.md.",
    ),
]
Resume = Annotated[
    bool, typer.Option(help="Go on with the training that OUT holds; else begin anew.")
]
Threads = Annotated[
    int, typer.Option(min=1, help="Threads of each process; results depend on them.")
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", help="auto, cpu or cuda.", show_default=True)
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write losses for TensorBoard into OUT.")
]


OF_FILES = ("split", "final", "shards", "levels")
"""Options that say how files are read and converted: shards say nothing else to them."""


def given_shards(
    context: typer.Context,
    data: Path,
    validation: Path | None,
    grid: Path | None,
    variables: str | None,
) -> "ClimsimData | None":
    """Open `data` if it is shards; None if it is files.

    Parameters
    ----------
    context
        Of the command, which knows what options were given.
    data, validation, grid, variables
        Values of the options.

    Raises
    ------
    hybrid.errors.TrainError
        If an option fits the other kind of data alone.
    """
    from closures.climsim.training_data import is_shards, open_shards
    from hybrid.errors import TrainError

    if not is_shards(data):
        if validation is not None:
            raise TrainError(
                f"{data}: expected shards, to go with --validation, got none; for files choose "
                "--split, which names the validation steps"
            )
        return None
    unfit = [
        f"--{name}" for name in OF_FILES if name in context.params and _is_given(context, name)
    ]
    if unfit:
        raise TrainError(
            f"{data}: expected a folder of files, to go with {', '.join(unfit)}, got shards; leave "
            "that out (shards hold the steps and levels they were converted from), and name shards "
            "that validate with --validation"
        )
    found = open_shards(data, validation, grid)
    held = held_variables(found)
    if variables not in {None, held}:
        raise TrainError(
            f"{data}: expected shards of variables {variables}, got those of {held}; leave out "
            "--variables, or convert the files with it"
        )
    return found


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name not in {"DEFAULT", "DEFAULT_MAP"}


def held_variables(found: "ClimsimData | None") -> str | None:
    """Return the variable set of given shards, by which recipes differ; None without shards."""
    return None if found is None else found.train.manifest.variables.name


def recipe_settings(
    settings: Iterable[str] | None,
    *,
    preset: str | None,
    seed: int | None,
    epochs: int | None,
    physics: str | None,
    **more: Any,
) -> list[str]:
    """Return all settings as ``name=value``, named options after those of ``--set``."""
    named = {
        "preset": preset,
        "training.seed": seed,
        "training.n_epoch": epochs,
        **more,
    }
    found = list(settings or ())
    found += [f"{name}={value}" for name, value in named.items() if value is not None]
    if physics is not None:
        layers = [] if physics == "none" else [each.strip() for each in physics.split(",")]
        found.append(f"physics={layers}")
    return found


@contextmanager
def watched(
    out: Path, name: str, among: "Ranks", *, resume: bool, threads: int, tensorboard: bool
) -> Iterator["Run"]:
    """Show a training on the terminal, that of the first rank."""
    from hybrid.training import Run
    from hybrid.training.display import LossDisplay
    from hybrid.training.tensorboard import logged

    if not among.is_first:
        yield Run(out, name, resume, threads, among)
        return
    console = messages()
    with LossDisplay(console, name) as display, logged(out if tensorboard else None) as log:

        def on_epoch(report: Any) -> None:
            log(report)
            display.on_epoch(report)

        yield Run(out, name, resume, threads, among, on_epoch, display.on_progress)


def say_written(trained: "Trained") -> None:
    """Print what a training wrote."""
    history = trained.history
    console = output()
    if history.training:
        best = history.best_epoch
        kept = f"kept epoch {best} of {len(history.training)}"
        loss = f"training loss {history.training[best - 1]:.5g}"
        held = f", validation loss {history.validation[best - 1]:.5g}" if history.validation else ""
        console.print(f"{kept}: {loss}{held}", markup=False, highlight=False, soft_wrap=True)
    for path in trained.files:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
