"""``hybrid climsim``: what is done with ClimSim's files."""

import typer

from hybrid.commands import (
    climsim_convert,
    climsim_generate,
    climsim_rollout,
    climsim_run,
    climsim_score,
)
from hybrid.commands.terminal import ProjectGroup, examples

app = typer.Typer(
    cls=ProjectGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=examples("hybrid climsim convert climsim/low-res shards --variables V2"),
)


@app.callback()
def climsim() -> None:
    """Work with the files of ClimSim: columns of a climate model before and after its physics."""


climsim_convert.add_to(app)
climsim_generate.add_to(app)
climsim_run.add_to(app)
climsim_score.add_to(app)
climsim_rollout.add_to(app)
