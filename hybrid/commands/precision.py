"""``hybrid precision``: whether a closure may compute in bf16."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hybrid.commands.run import made_folder
from hybrid.commands.terminal import examples, messages, output

if TYPE_CHECKING:
    from hybrid.reduced_precision import Evidence


def precision(
    archive: Annotated[
        Path,
        typer.Argument(metavar="ARCHIVE", exists=True, dir_okay=False, help="Compiled closure."),
    ],
    online: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Host that runs it: lorenz96, columns, or your own as package.module:function.",
        ),
    ],
    runs: Annotated[int, typer.Option(min=3, help="Runs in each precision.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the others follow.")] = 0,
    length: Annotated[
        float | None,
        typer.Option(help="Length of a run (time units of lorenz96, days of columns)."),
    ] = None,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for finished runs, to go on from.")
    ] = Path("results/precision"),
) -> None:
    """Test online whether a closure may compute in bf16, and keep the answer in its archive.

    A host runs with the closure in float32 and in bf16. Where the climates in bf16 are no further
    from those in float32 than these are from each other, by Wasserstein distance, the load option
    precision='bf16' works from then on, in Fortran, C and Python; else it is refused, and the exit
    code is 1. Runs too short to tell decide nothing: the archive stays as it is, and the exit code
    is 2. Needs a processor with AVX512_BF16.

    A function of your own takes archive, precision and seed, and returns the values of each
    variable; see hybrid.reduced_precision.assess.
    """
    from hybrid.progress import StepProgress, progress_display
    from hybrid.reduced_precision import assess, keep
    from hybrid.reduced_precision.evidence import UNDECIDED
    from hybrid.reduced_precision.hosts import host_named

    # A model's own function lies where it is run, as a script would.
    sys.path.insert(0, str(Path.cwd()))
    run, text = host_named(online, length)
    folder = made_folder(out)
    with StepProgress(progress_display(messages())) as steps:
        steps.start(f"{runs} runs in each precision: {text}")
        evidence = assess(
            archive,
            run,
            host=text,
            seeds=range(seed, seed + runs),
            kept=folder,
            on_progress=steps.update,
        )
    is_decided = evidence.verdict != UNDECIDED
    if is_decided:
        keep(archive, evidence)
    console = output()
    console.print(_distances(evidence))
    console.print(
        Text(f"{archive}: bf16 {evidence.verdict}: {evidence.reason}"),
        style="green" if evidence.is_passed else "bold red",
        soft_wrap=True,
    )
    if not is_decided:
        console.print("make runs longer: --length, or the function's own", soft_wrap=True)
        raise typer.Exit(2)
    if not evidence.is_passed:
        raise typer.Exit(1)


def _distances(evidence: "Evidence") -> Table:
    table = Table(
        title=Text(f"Wasserstein distance from runs in float32 ({evidence.computed})"),
        title_justify="left",
    )
    table.add_column("variable")
    for column in ("bf16, mean", "float32, largest", "standard deviation"):
        table.add_column(column, justify="right")
    table.add_column("")
    for variable in evidence.variables:
        numbers = (variable.distance, variable.spread, variable.standard_deviation)
        cells = (variable.name, *(f"{number:.3g}" for number in numbers))
        table.add_row(*(Text(cell) for cell in cells), "no" if variable.problem else "yes")
    return table


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog=examples(
            "hybrid precision mlp.pt --online lorenz96",
            "hybrid precision emulator.pt --online columns --runs 8 --length 20",
            "hybrid precision closure.pt --online my_model.climate:run",
        )
    )(precision)
