"""``hybrid run`` and ``hybrid demo``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.commands.terminal import examples, messages, output
from hybrid.experiments import EXPERIMENTS

if TYPE_CHECKING:
    from hybrid.experiments.result import ExperimentResult


class OutputFolderError(ValueError):
    """The folder for results cannot be made."""


class PresetName(StrEnum):
    """Size of a run."""

    test = "test"
    quick = "quick"
    full = "full"


Out = Annotated[Path | None, typer.Option(help="Folder for everything that is written.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]
Data = Annotated[
    Path | None,
    typer.Option(
        envvar="HYBRID_CLIMSIM_DATA",
        exists=True,
        file_okay=False,
        help="Folder with ClimSim files, where they are read; default: a generated sample.",
    ),
]

_NAMES = "\n\n".join(f"[bold]{name}[/bold]: {entry.summary}" for name, entry in EXPERIMENTS.items())


def _known(name: str) -> str:
    if name not in EXPERIMENTS:
        raise typer.BadParameter(f"expected one of {', '.join(EXPERIMENTS)}; got {name!r}")
    return name


def made_folder(folder: Path) -> Path:
    """Return `folder`, made if need be, so that a wrong path is not found out after minutes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        got = "a file of that name" if folder.is_file() else f"'{error.strerror}'"
        raise OutputFolderError(
            f"{folder}: expected a folder, or a path where one can be made, got {got}; "
            "choose another one with --out"
        ) from error
    return folder


def run(
    name: Annotated[str, typer.Argument(callback=_known, metavar="NAME", help="The experiment.")],
    preset: Annotated[
        PresetName, typer.Option(help="Size: whether it runs, minutes, or the scale of the tables.")
    ] = PresetName.quick,
    out: Out = None,
    seed: Seed = 0,
    data: Data = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            help="Stop after this stage: dump, train, export or couple of plasim; now, published, "
            "classical, calibration or networks of quasigeostrophic, which reports what is "
            "finished. The same command without it, or with a later one, goes on.",
        ),
    ] = None,
) -> None:
    """Run one experiment: truth, closures found and compiled, runs with them, scores, a report.

    How long a preset takes is said first. Writes to results/NAME-PRESET unless --out names a
    folder; truths and downloads are kept in HYBRID_CACHE_DIR. plasim needs the network once.

    After an interruption the same command goes on with the finished stages; with other options,
    or after a run that ended, it begins anew, but for truths, runs of PlaSim and trainings of
    multi-fidelity closures, which are kept.
    """
    from hybrid.experiments import run_experiment, run_until
    from hybrid.progress import progress_display

    folder = made_folder(out or Path("results") / f"{name}-{preset.value}")
    duration = EXPERIMENTS[name].durations[preset.value]
    console = messages()
    console.print(f"{name}, preset {preset.value}: about {duration} on 2 cores", highlight=False)
    with progress_display(console) as progress:
        if until is not None:
            result = run_until(name, preset.value, folder, until, seed, data, progress)
            console.print(f"stage {until} of {name} is done", highlight=False)
        else:
            result = run_experiment(name, preset.value, folder, seed, data, progress)
    if result is not None:
        show([result], folder)


def demo(out: Out = None, seed: Seed = 0, data: Data = None) -> None:
    """Run both experiments of the demo in preset quick and write one report about them."""
    from hybrid.demo import run_demo
    from hybrid.progress import progress_display

    folder = made_folder(out or Path("results") / "demo")
    console = messages()
    parts = (
        f"{name} (about {entry.durations['quick']})"
        for name, entry in EXPERIMENTS.items()
        if entry.in_demo
    )
    console.print(f"demo, on 2 cores: {', '.join(parts)}", highlight=False)
    with progress_display(console) as progress:
        results = run_demo(folder, seed, data, progress)
    show(results, folder)


def show(results: list["ExperimentResult"], folder: Path) -> None:
    """Print headlines and scores of `results`, and where their files are."""
    from hybrid.score_table import print_table

    console = output()
    for result in results:
        console.print(f"\n{result.headline}", style="bold", markup=False, highlight=False)
        for key, choice in result.choices.items():
            console.print(f"{key}: {choice}", markup=False, highlight=False)
        for table in result.tables:
            print_table(console, table)
    console.print()
    paths = [folder / "report.html", folder / "results.json"]
    paths += [path for result in results for path in result.archives]
    for path in paths:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog=examples("hybrid demo", "hybrid demo --data ../climsim --out results/demo"))(
        demo
    )
    app.command(
        epilog=f"[bold]Experiments[/bold]\n\n{_NAMES}\n\n"
        + examples(
            "hybrid run lorenz96",
            "hybrid run lorenz96 --preset test --out /tmp/lorenz96",
            "hybrid run climsim --data ../climsim --seed 1",
            "hybrid run plasim --until train",
            "hybrid run quasigeostrophic --preset full --until published",
        )
    )(run)
