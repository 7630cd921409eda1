"""``hybrid climsim run``: a closure inside the Fortran column host, over ClimSim's files."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from hybrid.commands.terminal import examples, messages, output


def run(
    archive: Annotated[
        Path,
        typer.Argument(metavar="ARCHIVE", exists=True, dir_okay=False, help="Compiled closure."),
    ],
    data: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, help="Folder with pairs of mli and mlo files."),
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the mlo files.")],
    first: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM", help="First month; default: all.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM", help="Last month.")] = "",
    ranks: Annotated[int, typer.Option(min=1, help="MPI processes; each has some columns.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of a stochastic closure.")] = 0,
) -> None:
    """Run a closure in the Fortran column host over mli files; write mlo files.

    The closure may read what a single file gives: variables V1, V1_albedo, V2, v2_rh or v2_rh_mc.
    The files do not depend on the number of processes.
    """
    from closures.climsim.files import list_pairs
    from closures.climsim.splits import select
    from fortran_bridge.hosts import run_columns
    from hybrid.progress import progress_display

    pairs = select(list_pairs(data), first, last)
    files = [(pair.mli, out / pair.mlo.name) for pair in pairs]
    out.mkdir(parents=True, exist_ok=True)
    with progress_display(messages()) as progress, TemporaryDirectory() as work:
        task = progress.add_task(f"running {len(files)} time steps", total=1.0)
        timing = run_columns(
            archive,
            files,
            Path(work),
            seed=seed,
            launcher=_launcher(ranks),
            on_progress=lambda done: progress.update(task, completed=done),
        )
    console = output()
    console.print(
        f"{timing.n_column} columns in {timing.seconds:.3g} s, reading and writing left out; "
        f"median {timing.columns_per_second:.0f} columns/s",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"wrote {len(files)} files to {out}", highlight=False, soft_wrap=True)


def _launcher(ranks: int) -> tuple[str, ...]:
    if ranks == 1:
        return ()
    # Open MPI starts nothing as root unless it is told that this is meant.
    root = ("--allow-run-as-root",) if os.geteuid() == 0 else ()
    return ("mpirun", *root, "-n", str(ranks))


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid climsim``."""
    app.command(
        epilog=examples(
            "hybrid climsim run mlp.pt --data climsim/low-res --out written",
            "hybrid climsim run mlp.pt --data climsim/low-res --out july --from 0008-07 "
            "--to 0008-07 --ranks 4",
        )
    )(run)
