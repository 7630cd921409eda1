"""Print the noise-free table: ``python -m hybrid.experiments.medida_ks``."""

from typing import Annotated

import typer
from rich.table import Table

from closures.model_error import Criterion
from hybrid.commands.terminal import output
from hybrid.experiments.medida_ks.noise_free import FORMS, scores
from hybrid.experiments.medida_ks.truth import Truth

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    nx: Annotated[int, typer.Option(help="Grid points.")] = Truth.nx,
    length: Annotated[float, typer.Option(help="Length of the domain.")] = Truth.length,
    samples: Annotated[int, typer.Option(help="Samples of three states.")] = Truth.n_sample,
    seed: Annotated[int, typer.Option(help="Of the initial states of the truth.")] = 0,
) -> None:
    """Discover every model error of the study without noise, with each form of the library."""
    truth = Truth(nx=nx, length=length, n_sample=samples)
    drawn = truth.samples(seed)
    criteria: tuple[Criterion, ...] = ("l_curve", "evidence")
    columns = [(form, criterion) for form in FORMS for criterion in criteria]
    table = Table(
        title=f"Error of coefficients [%], {samples} samples of {nx} points; *: wrong terms"
    )
    table.add_column("case", no_wrap=True)
    for heading in ("model", *(f"{form}, {criterion}" for form, criterion in columns)):
        table.add_column(heading)
    found = [list(scores(truth, drawn, form, criterion)) for form, criterion in columns]
    for case in zip(*found, strict=True):
        marked = (f"{score.after:.2g}{'' if score.right else ' *'}" for score in case)
        table.add_row(case[0].case, f"{case[0].before:.2f}", *marked)
    output().print(table)


if __name__ == "__main__":
    app(prog_name="python -m hybrid.experiments.medida_ks")
