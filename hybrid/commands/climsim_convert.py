"""``hybrid climsim convert``: ClimSim's files become shards of samples."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from hybrid.commands.terminal import examples, messages, output

if TYPE_CHECKING:
    from closures.climsim.conversion import Conversion
    from closures.climsim.files import Pair
    from closures.climsim.manifest import Manifest, Skipped

SHOWN = 20
"""Skipped files that are named on the terminal; the manifest names all."""


def convert(  # noqa: PLR0913, PLR0917 -- an option each
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", exists=True, file_okay=False, help="Folder with mli and mlo files."
        ),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", file_okay=False, help="Folder of the shards.")
    ],
    variables: Annotated[
        str,
        typer.Option(help="Variable set: V1, V1_albedo, V2, v2_rh, v2_rh_mc, v4, v5 or v6."),
    ] = "V1",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the order of samples.")] = 0,
    shuffle: Annotated[
        bool, typer.Option(help="Shuffle; else samples stay in the order of time, as for scores.")
    ] = True,
    first: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM", help="First month; default: all.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM", help="Last month.")] = "",
    stride: Annotated[int, typer.Option(min=1, help="Take every so many time steps.")] = 1,
    levels: Annotated[int, typer.Option(min=1, help="Levels of a profile in the files.")] = 60,
    grid: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File with the columns' latitudes, for v4 to v6; default: *grid-info.nc in DATA.",
        ),
    ] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Size of a shard [MiB].")] = 64,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Running dask scheduler to use instead.")
    ] = None,
) -> None:
    """Turn pairs of mli and mlo files into shuffled float32 shards with statistics.

    Memory does not grow with the number of files: each worker holds one shard. Files that are
    damaged or lack their partner are left out and named. After an interruption the same command
    goes on with the finished shards.
    """
    from closures.climsim.conversion import Conversion
    from closures.climsim.errors import DataError
    from closures.climsim.files import find_pairs, missing_partner
    from closures.climsim.grid import find_grid, read_grid
    from closures.climsim.manifest import Skipped
    from closures.climsim.splits import select
    from closures.climsim.variables import variable_set

    chosen = variable_set(variables, levels)
    columns = read_grid(grid or find_grid(data)) if chosen.needs_grid else None
    conversion = Conversion(chosen, seed if shuffle else None, shard_size << 20, columns)
    pairs, alone = find_pairs(data)
    if not pairs:
        raise DataError(missing_partner(alone[0]))
    incomplete = [Skipped(path.name, missing_partner(path)) for path in alone]
    manifest = _converted(
        select(pairs, first, last, stride), pairs, incomplete, out, conversion, workers, scheduler
    )
    console = output()
    console.print(_summary(manifest), highlight=False, soft_wrap=True)
    console.print(f"wrote {out / 'manifest.json'}", markup=False, highlight=False, soft_wrap=True)


def _converted(
    chosen: Sequence["Pair"],
    pairs: Sequence["Pair"],
    incomplete: Sequence["Skipped"],
    out: Path,
    conversion: "Conversion",
    workers: int,
    scheduler: str | None,
) -> "Manifest":
    from closures.climsim.cluster import cluster
    from closures.climsim.conversion import convert as convert_pairs
    from hybrid.progress import progress_display

    console = messages()
    with progress_display(console) as display, cluster(workers, scheduler) as client:
        task = display.add_task("time steps converted", total=len(chosen))
        manifest = convert_pairs(
            chosen,
            out,
            conversion,
            among=pairs,
            alone=incomplete,
            client=client,
            on_shard=lambda n, _: display.advance(task, n),
        )
        display.update(task, completed=len(chosen))
    _name_skipped(console, manifest.skipped)
    return manifest


def _name_skipped(console: Console, skipped: Sequence["Skipped"]) -> None:
    for each in skipped[:SHOWN]:
        line = Text.assemble((f"skipped {each.name}: ", "yellow"), each.reason)
        console.print(line, soft_wrap=True, highlight=False)
    if len(skipped) > SHOWN:
        rest = f"skipped {len(skipped) - SHOWN} more, which manifest.json names"
        console.print(rest, style="yellow", highlight=False)


def _summary(manifest: "Manifest") -> str:
    variables, n_shard = manifest.variables, len(manifest.shards)
    return (
        f"{variables.name}: {manifest.n_sample} samples of {variables.n_input} inputs and "
        f"{variables.n_output} outputs, from {len(manifest.sources)} time steps, in "
        f"{n_shard} {'shard' if n_shard == 1 else 'shards'}; {len(manifest.skipped)} files skipped"
    )


def add_to(app: typer.Typer) -> None:
    """Add the command to the group ``hybrid climsim``."""
    app.command(
        epilog=examples(
            "hybrid climsim convert climsim/low-res shards --variables V2",
            "hybrid climsim convert climsim/low-res train --from 0001-02 --to 0008-01 --stride 7",
            "hybrid climsim convert climsim/low-res shards --variables v5 --grid grid-info.nc",
            "hybrid climsim convert climsim/low-res shards --workers 16",
            "hybrid climsim convert climsim/low-res shards --scheduler tcp://10.0.0.1:8786",
        )
    )(convert)
