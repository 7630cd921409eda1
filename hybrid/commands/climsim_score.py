"""``hybrid climsim score``: how well compiled emulators do on ClimSim's files."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.commands.run import made_folder
from hybrid.commands.terminal import examples, messages, output

if TYPE_CHECKING:
    from hybrid.climsim_scores.scoring import ScoreRun

Advance = Callable[[float], None]


class SplitChoice(StrEnum):
    """How time steps are divided into those that train and those held out."""

    interleaved = "interleaved"
    season = "season"
    all = "all"


class PartChoice(StrEnum):
    """Which steps of a split are scored."""

    test = "test"
    validation = "validation"


def score(
    archives: Annotated[
        list[Path],
        typer.Argument(
            metavar="ARCHIVE...", exists=True, dir_okay=False, help="Compiled emulators."
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            envvar="HYBRID_CLIMSIM_DATA",
            exists=True,
            file_okay=False,
            help="Folder with mli and mlo files.",
        ),
    ],
    grid: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Grid file; default: *grid-info.nc in DATA."
        ),
    ] = None,
    split: Annotated[
        SplitChoice,
        typer.Option(
            help="interleaved: every fourth step of a month; season: October and November; all: "
            "every step in the folder, also those an archive was trained on."
        ),
    ] = SplitChoice.interleaved,
    part: Annotated[
        PartChoice,
        typer.Option(
            help="test: held out for reports; validation: held out to choose between emulators "
            "that were trained without it."
        ),
    ] = PartChoice.test,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for scores and figures.")
    ] = Path("results/climsim-scores"),
    samples: Annotated[
        int, typer.Option(min=2, help="Draws from an emulator with random numbers.")
    ] = 32,
    figures: Annotated[bool, typer.Option(help="Draw the figures.")] = True,
) -> None:
    """Score emulators by ClimSim's definitions, beside climatology and published scores.

    Errors are energy fluxes in W m-2, weighted by area: by variable, level, latitude and
    pressure, region, day and night. An archive whose outputs have members, or which uses random
    numbers, is scored as an ensemble too. Memory does not grow with the number of files.
    """
    from hybrid.climsim_scores.files import write_scores
    from hybrid.climsim_scores.scoring import score_archives
    from hybrid.climsim_scores.tables import score_tables
    from hybrid.progress import StepProgress, progress_display
    from hybrid.score_table import print_table

    folder = made_folder(out)
    with StepProgress(progress_display(messages())) as steps:

        def task(name: str) -> Advance:
            steps.start(name)
            return steps.update

        run = score_archives(
            archives, data, split.value, samples, task, part=part.value, grid_file=grid
        )
        written = list(write_scores(run, folder))
        if figures:
            steps.start("figures")
            written += _draw(run, folder, steps.update)
    console = output()
    for table in score_tables(run.scores):
        print_table(console, table)
    console.print()
    for path in written:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def _draw(run: "ScoreRun", folder: Path, advance: Advance) -> list[Path]:
    from hybrid.climsim_scores.gallery import make_figures, save

    makers = make_figures(run)
    written = []
    for i, make in enumerate(makers):
        written.append(save(make(), folder))
        advance((i + 1) / len(makers))
    return written


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid climsim``."""
    app.command(
        epilog=examples(
            "hybrid climsim score mlp.pt ridge.pt --data climsim",
            "hybrid climsim score mlp.pt --data climsim --split season --out results/season",
            "hybrid climsim score mlp.pt --data climsim/low-res --grid grid-info.nc",
            "hybrid climsim score rpn.pt --data climsim --samples 64 --no-figures",
        )
    )(score)
