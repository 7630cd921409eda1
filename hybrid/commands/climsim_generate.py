"""``hybrid climsim generate``: columns in ClimSim's format where the real files are absent."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hybrid.commands.terminal import examples, messages, output


class SchemeName(StrEnum):
    """Physics of the columns."""

    low = "low"
    high = "high"


def generate(  # noqa: PLR0913, PLR0917 -- an option each
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the files.")],
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of mli and mlo files.")] = 32,
    consecutive: Annotated[
        int, typer.Option(min=1, help="Pairs of a run that follow one another, 1200 s apart.")
    ] = 1,
    scheme: Annotated[
        SchemeName, typer.Option(help="Cheap or rich physics.", case_sensitive=False)
    ] = SchemeName.high,
    warming: Annotated[float, typer.Option(help="Warming at the ground [K].")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weather.")] = 0,
    spin_up: Annotated[int, typer.Option(min=0, help="Steps before each run.")] = 6,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the physics.")] = 1,
    grid: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="ClimSim's grid file; else generated."),
    ] = None,
) -> None:
    """Generate columns of a moist physics in ClimSim's file format.

    The files hold what a numba column model makes of a climate fitted to ClimSim's; they are not
    output of a climate model. PAIRS / CONSECUTIVE runs are spread over a year; networks of the
    variable sets v4 to v6 need runs of three pairs or more. After an interruption the same
    command goes on.
    """
    from hybrid.climsim_generator import TITLE, Generation, generate, starts_over_year
    from hybrid.progress import progress_display

    if pairs % consecutive:
        raise typer.BadParameter(
            f"expected a multiple of {consecutive}, got {pairs}", param_hint="--pairs"
        )
    what = Generation(
        starts_over_year(pairs // consecutive, consecutive, seed),
        consecutive,
        scheme.value,
        warming,
        seed,
        spin_up,
    )
    with progress_display(messages()) as progress:
        task = progress.add_task(f"generating {what.n_pair} pairs", total=1.0)
        generate(out, what, lambda done: progress.update(task, completed=done), threads, grid)
    console = output()
    console.print(f"wrote {what.n_pair} pairs to {out}", highlight=False, soft_wrap=True)
    console.print(TITLE, highlight=False)


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`, the group ``hybrid climsim``."""
    app.command(
        epilog=examples(
            "hybrid climsim generate sample --pairs 32",
            "hybrid climsim generate rollout --pairs 144 --consecutive 72 --scheme low",
            "hybrid climsim generate warm --pairs 64 --warming 4 --seed 1 --threads 2",
        )
    )(generate)
