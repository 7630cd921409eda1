"""The command line: ``hybrid``."""

from typing import Annotated

import typer

from hybrid.commands import archives, bridge, climsim, doctor, emit, precision, run, train, wrap
from hybrid.commands.terminal import ProjectGroup, examples
from hybrid.versions import own_version

app = typer.Typer(
    name="hybrid",
    cls=ProjectGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=examples(
        "hybrid demo",
        "hybrid run lorenz96 --preset quick",
        "hybrid inspect closure.pt",
        "hybrid COMMAND --help",
    ),
)
run.add_to(app)
archives.add_to(app)
wrap.add_to(app)
precision.add_to(app)
app.add_typer(bridge.app, name="bridge")
app.add_typer(climsim.app, name="climsim")
app.add_typer(train.app, name="train")
app.add_typer(emit.app, name="emit")
doctor.add_to(app)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hybrid-closures {own_version()}")
        raise typer.Exit


@app.callback()
def hybrid(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """Machine-learned subgrid closures that a numerical model can trust.

    Compile closures, run them inside Fortran models, score the runs.
    """


if __name__ == "__main__":
    app(prog_name="python -m hybrid.cli")
