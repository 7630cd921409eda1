"""``hybrid train``: networks on columns, from data to a verified archive."""

import typer

from hybrid.commands import train_climsim, train_columns, train_sweep
from hybrid.commands.terminal import ProjectGroup, examples

app = typer.Typer(
    cls=ProjectGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=examples("hybrid train climsim --model mlp --data climsim --out results/mlp"),
)


@app.callback()
def train() -> None:
    """Train networks on columns, and compile them."""


train_climsim.add_to(app)
train_columns.add_to(app)
train_sweep.add_to(app)
