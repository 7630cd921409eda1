"""``hybrid inspect`` and ``hybrid verify``: what an archive promises, and whether it keeps it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hybrid.commands.terminal import examples, output

if TYPE_CHECKING:
    from closures import Field
    from closures.field import Bound
    from hybrid.archive import Manifest
    from hybrid.verify import VerifyReport

Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Compiled closure.")]

GROUPS = {"inputs": "input", "outputs": "output", "state": "state", "noise": "noise"}


def inspect(archive: Archive) -> None:
    """Print what a compiled closure is: fields with units, engine, equation, origin, hashes."""
    from hybrid.archive import read_manifest
    from hybrid.engine_choice import engine_by_auto
    from hybrid.equations import read_closed_form, read_equations

    manifest, equations = read_manifest(archive), read_equations(archive)
    written_out = read_closed_form(archive)
    console = output()
    console.print(_fields(manifest))
    for equation in (*equations, *([] if written_out is None else [written_out])):
        console.print(Text(f"{equation}"), soft_wrap=True)
    console.print(_identity(manifest, *engine_by_auto(archive, manifest)))


def verify(archive: Archive) -> None:
    """Compare every way to evaluate a closure with the eager Python one.

    Random columns inside the training envelope, in batches of several sizes, go through each
    engine and language. Ends with exit code 1 if a difference is beyond its bound.
    """
    from hybrid.verify import verify as compare

    report = compare(archive)
    console = output()
    console.print(_differences(report))
    if report.unbounded:
        console.print(
            f"without two bounds: {', '.join(report.unbounded)}; compared near 0, or near the one "
            "bound, alone",
            style="yellow",
        )
    if not report.ok:
        console.print(f"{archive}: differs beyond the bound", style="bold red")
        raise typer.Exit(1)
    console.print(f"{archive}: all within the bound", style="green")


def _fields(manifest: "Manifest") -> Table:
    spec = manifest.spec
    table = Table(title=Text(f"{spec.name} {spec.version}"), title_justify="left")
    for column in ("group", "name", "units", "dims", "shape", "dtype", "range"):
        table.add_column(column)
    for group, label in GROUPS.items():
        for field in getattr(spec, group):
            table.add_row(*(Text(cell) for cell in (label, *_cells(field, spec.first_axis))))
    if any("level" in field.dims for field in spec.fields()):
        table.caption = "level 1 is the top of the model in archives of this project"
    return table


def _cells(field: "Field", first_axis: str) -> tuple[str, ...]:
    shape = ", ".join("any" if size is None else str(size) for size in field.shape)
    dims = ", ".join((first_axis, *field.dims))
    return (field.name, field.units, dims, shape, field.dtype, _range(field))


def _range(field: "Field") -> str:
    low = _extreme(field.valid_min, min)
    high = _extreme(field.valid_max, max)
    return "unchecked" if low == high == "" else f"{low or '-inf'} .. {high or 'inf'}"


def _extreme(bound: "Bound", pick: Callable[[tuple[float, ...]], float]) -> str:
    if bound is None:
        return ""
    return f"{pick(bound) if isinstance(bound, tuple) else bound:.4g}"


def _identity(manifest: "Manifest", by_auto: str, why_not_native: str) -> Table:
    spec = manifest.spec
    table = Table(show_header=False)
    rows = {
        "description": spec.description,
        "locality": spec.locality,
        "format": manifest.format_version,
        "engine": manifest.engine,
        "native engine": _native(manifest),
        "engine by 'auto'": _by_auto(manifest, by_auto, why_not_native),
        **{f"precision {name}": _tested(test) for name, test in manifest.reduced_precision.items()},
        "written with": ", ".join(f"{name} {text}" for name, text in manifest.versions.items()),
        **{f"reference {i}": text for i, text in enumerate(spec.references, start=1)},
        **spec.provenance,
        "hashes": f"{len(manifest.hashes)} entries, all as recorded",
    }
    for name, value in rows.items():
        if value:
            table.add_row(Text(name), Text(str(value)))
    return table


def _native(manifest: "Manifest") -> str:
    verdict = manifest.native
    if verdict is None:
        return ""
    return f"{'yes' if verdict.expressed else 'no'}: {verdict.reason}"


def _tested(test: Mapping[str, Any]) -> str:
    return f"{test['verdict']}: {test['reason']}"


def _by_auto(manifest: "Manifest", engine: str, why_not_native: str) -> str:
    verdict = manifest.native
    if not why_not_native:
        return f"{engine}; on a GPU {manifest.engine}"
    if verdict is None or not verdict.expressed:
        return engine
    return f"{engine}, not native: {why_not_native}"


def _differences(report: "VerifyReport") -> Table:
    sizes = sorted({row.n_column for row in report.rows})
    engines = list(dict.fromkeys(row.engine for row in report.rows))
    by_cell = {(row.engine, row.n_column): row for row in report.rows}
    table = Table(
        title=Text(f"Largest difference from eager Python [{report.unit}]"),
        title_justify="left",
    )
    table.add_column("engine")
    for size in sizes:
        table.add_column(f"{size} column{'s' if size > 1 else ''}", justify="right")
    table.add_column("bound", justify="right")
    for engine in engines:
        rows = [by_cell.get((engine, size)) for size in sizes]
        cells = [
            Text("-") if row is None else Text(f"{row.eps:.3g}", style="" if row.ok else "bold red")
            for row in rows
        ]
        bound = max(row.bound for row in rows if row is not None)
        table.add_row(Text(engine), *cells, Text(f"{bound:g}"))
    return table


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog=examples("hybrid inspect closure.pt"))(inspect)
    app.command(epilog=examples("hybrid verify closure.pt"))(verify)
