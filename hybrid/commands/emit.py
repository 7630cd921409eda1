"""``hybrid emit``: source code that calls a closure, or is its equation."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from hybrid.commands.terminal import ProjectGroup, examples, messages

if TYPE_CHECKING:
    from hybrid.emit import Emission

app = typer.Typer(
    cls=ProjectGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=examples(
        "hybrid emit ccpp closure.pt",
        "hybrid emit fortran closure.pt --out src",
        "hybrid emit latex closure.pt > closure.tex",
    ),
)

Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Compiled closure.")]
Out = Annotated[
    Path, typer.Option("--out", file_okay=False, help="Folder to write to; made if not there.")
]
Force = Annotated[bool, typer.Option("--force", help="Write files anew that are there.")]
Pairs = list[str]


class Policy(StrEnum):
    """What happens to a column that the guard flags."""

    ERROR = "error"
    FLAG = "flag"
    CLIP = "clip"
    ZERO = "zero"
    HOST = "host"


class FinalPhase(StrEnum):
    """Name of the last phase of a scheme."""

    FINAL = "final"
    FINALIZE = "finalize"


class Form(StrEnum):
    """What a Fortran module is made of."""

    AUTO = "auto"
    COUPLING = "coupling"
    EQUATION = "equation"


class RealKind(StrEnum):
    """Kind of the host's reals."""

    REAL32 = "real32"
    REAL64 = "real64"


PolicyOption = Annotated[
    Policy, typer.Option("--policy", help="What happens to columns outside the training data.")
]
Accumulate = Annotated[
    list[str] | None,
    typer.Option(
        "--accumulate", metavar="FIELD", help="Output to add to the host's. May be repeated."
    ),
]
Units = Annotated[
    Pairs | None,
    typer.Option(
        "--units", metavar="FIELD=UNITS", help="Units of the host's values. May be repeated."
    ),
]


@app.callback()
def emit() -> None:
    """Write source code that calls a closure, with its fields filled in, or its equation."""


@app.command(
    epilog=examples(
        "hybrid emit ccpp closure.pt",
        "hybrid emit ccpp closure.pt --name learned_convection --out ccpp/physics "
        "--standard-name state_t=air_temperature --units state_ps=hPa --policy host",
        "cp $(hybrid bridge config --source) ccpp/physics",
    )
)
def ccpp(  # noqa: PLR0913, PLR0917 -- an option each
    archive: Archive,
    out: Out = Path(),
    name: Annotated[str, typer.Option(help="Name of the scheme; default: the closure's.")] = "",
    standard_name: Annotated[
        Pairs | None,
        typer.Option(metavar="FIELD=NAME", help="Standard name of a field. May be repeated."),
    ] = None,
    units: Units = None,
    dimension: Annotated[
        Pairs | None,
        typer.Option(metavar="DIM=NAME", help="Standard name of a dimension. May be repeated."),
    ] = None,
    accumulate: Accumulate = None,
    policy: PolicyOption = Policy.ERROR,
    kind_module: Annotated[
        str, typer.Option(help="Module that gives kind_phys; with ccpp_prebuild: machine.")
    ] = "ccpp_kinds",
    final_phase: Annotated[
        FinalPhase, typer.Option(help="Name of the last phase; older ccpp_prebuild: finalize.")
    ] = FinalPhase.FINAL,
    dependency: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Needed beside hybrid.F90. May be repeated."),
    ] = None,
    top_at_one: Annotated[
        bool,
        typer.Option(help="Say in the metadata that the first level is the top."),
    ] = True,
    force: Force = False,
) -> None:
    """Write a CCPP scheme: NAME.F90 and its metadata, NAME.meta.

    The scheme has the phases init, run and final, and runs any archive with these fields. It
    needs the bridge's Fortran module beside it: copy what `hybrid bridge config --source` names.
    """
    from hybrid.archive import read_manifest
    from hybrid.emit import SchemeOptions, scheme

    options = SchemeOptions(
        name=name,
        kind_module=kind_module,
        policy=policy.value,
        accumulate=tuple(accumulate or ()),
        standard_names=_pairs("--standard-name", standard_name),
        units=_pairs("--units", units),
        dimensions=_pairs("--dimension", dimension),
        final_phase=final_phase.value,
        dependencies=tuple(dependency or ()),
        top_at_one=top_at_one,
    )
    _write(scheme(read_manifest(archive).spec, options), out, force=force)


@app.command(
    epilog=examples(
        "hybrid emit fortran closure.pt",
        "hybrid emit fortran closure.pt --out src --kind real32 --column-last",
    )
)
def fortran(  # noqa: PLR0913, PLR0917 -- an option each
    archive: Archive,
    out: Out = Path(),
    name: Annotated[
        str,
        typer.Option(help="Name of the module; default: the closure's with _coupling or _terms."),
    ] = "",
    form: Annotated[
        Form,
        typer.Option(help="Call the archive, or compute its equation; auto: if it holds one."),
    ] = Form.AUTO,
    kind: Annotated[RealKind, typer.Option(help="Kind of the model's reals.")] = RealKind.REAL64,
    column_last: Annotated[
        bool | None,
        typer.Option(
            "--column-last/--column-first",
            help="Order of dimensions; default: columns come first, grid members last.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = Policy.ERROR,
    accumulate: Accumulate = None,
    units: Units = None,
    force: Force = False,
) -> None:
    """Write a Fortran module: of the closure's equation, if its archive holds one, or a coupling.

    The equation needs nothing else. A coupling loads the archive and calls it each model step: a
    start, which compiles as it is, together with what `hybrid bridge config --source` names.
    """
    from hybrid.archive import read_manifest
    from hybrid.emit import coupling
    from hybrid.equations import read_equations, required_equations

    spec = read_manifest(archive).spec
    if form == Form.EQUATION or (form == Form.AUTO and read_equations(archive)):
        from hybrid.emit.equation import equation_modules

        if accumulate or units or policy != Policy.ERROR or column_last is not None:
            raise typer.BadParameter(
                "--policy, --accumulate, --units and --column-last: expected none for an equation; "
                "give them with --form coupling"
            )
        equations = required_equations(archive)
        _write(equation_modules(equations, spec, name=name, kind=kind.value), out, force=force)
        return
    emission = coupling(
        spec,
        name=name,
        kind=kind.value,
        column_last=column_last,
        policy=policy.value,
        accumulate=tuple(accumulate or ()),
        units=_pairs("--units", units),
    )
    _write(emission, out, force=force)


@app.command(
    epilog=examples("hybrid emit latex closure.pt", "hybrid emit latex closure.pt > c.tex")
)
def latex(archive: Archive) -> None:
    """Print the equation of a closure in LaTeX, with standard errors and units if it has them."""
    from hybrid.archive import read_manifest
    from hybrid.emit.latex import latex as display
    from hybrid.emit.latex import written_out
    from hybrid.equations import read_closed_form, required_equations

    spec, closed_form = read_manifest(archive).spec, read_closed_form(archive)
    if closed_form is not None:
        typer.echo(written_out(closed_form, spec))
        return
    typer.echo("\n".join(display(equation, spec) for equation in required_equations(archive)))


def _pairs(option: str, given: Pairs | None) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise typer.BadParameter(f"{option}: expected NAME=VALUE, got {text!r}")
        if key in pairs:
            raise typer.BadParameter(f"{option}: expected {key!r} once, got it twice")
        pairs[key] = value
    return pairs


def _write(emission: "Emission", folder: Path, *, force: bool) -> None:
    from hybrid.emit import write

    paths = write(emission, folder, force=force)
    console = messages()
    for warning in emission.warnings:
        text = Text.assemble(("warning: ", "bold yellow"), warning)
        console.print(text, soft_wrap=True, highlight=False)
    for path in paths:
        typer.echo(path)
