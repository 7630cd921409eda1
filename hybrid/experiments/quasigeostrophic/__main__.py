"""Write the datasets of the benchmark: ``python -m hybrid.experiments.quasigeostrophic data``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hybrid.commands.terminal import ProjectGroup, examples, messages, output
from hybrid.experiments.quasigeostrophic.learning.plan import Learning
from hybrid.experiments.quasigeostrophic.learning.states_file import write_states
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR
from hybrid.progress import progress_display

_NAME = "python -m hybrid.experiments.quasigeostrophic"
_DEFAULT = Learning()

FLOWS = dict(CONFIGURATIONS)
"""Flows by name."""

app = typer.Typer(
    cls=ProjectGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich"
)


class FlowName(StrEnum):
    """Flow of the benchmark."""

    eddy = "eddy"
    jet = "jet"


@app.callback()
def main() -> None:
    """Parts of the benchmark of two-layer closures; all of it is hybrid run quasigeostrophic."""


@app.command(epilog=examples(f"{_NAME} data eddy.zarr", f"{_NAME} data jet.zarr --flow jet"))
def data(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Zarr store, made or continued.")],
    flow: Annotated[FlowName, typer.Option(help="Which of the two flows.")] = FlowName.eddy,
    runs: Annotated[int, typer.Option(min=1, help="Runs of the truth.")] = _DEFAULT.n_run,
    years: Annotated[float, typer.Option(help="Length of each, of 360 days.")] = _DEFAULT.years,
    hours: Annotated[float, typer.Option(help="Time between states.")] = _DEFAULT.every / HOUR,
    seed: Annotated[int, typer.Option(min=0, help="Of the initial states.")] = 0,
) -> None:
    """Write coarse states and subgrid tendencies, by all three operators, with units.

    A run of ten years takes about a minute and gives 86 states, 42 MB. Runs begin with noise, and
    are turbulent after two or three years. After an interruption the same command goes on with the
    first run that is not finished; with more runs it adds to what is there.
    """
    learning = Learning(n_run=runs, years=years, every=hours * HOUR)
    try:
        learning.states_run(FLOWS[flow.value], seed, 0)
    except ValueError as error:
        raise typer.BadParameter(f"--years {years:g} --hours {hours:g}: {error}") from error
    with progress_display(messages()) as progress:
        task = progress.add_task(f"truth of {flow.value}, runs: {runs}", total=1.0)
        made = write_states(
            out,
            FLOWS[flow.value],
            learning,
            seed=seed,
            on_progress=lambda part: progress.update(task, completed=part),
        )
    sizes = ", ".join(f"{n} {name}" for name, n in made.sizes.items())
    output().print(f"{out}: {sizes}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    app(prog_name=_NAME)
