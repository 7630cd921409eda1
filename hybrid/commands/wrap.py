"""``hybrid wrap``: a network trained elsewhere becomes an archive."""

from pathlib import Path
from typing import Annotated

import typer

from hybrid.commands.terminal import examples, messages, output


def wrap(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="TorchScript (.pt), or an MLP saved by Keras (.h5, .keras)."
        ),
    ],
    spec: Annotated[
        Path, typer.Argument(metavar="SPEC", help="Contract in JSON: name, version, fields.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="ARCHIVE", help="Archive to write.")],
    scaling: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="For a network on normalised values: JSON with mean and spread of every field, "
            "or the folder of ClimSim's normalisation files.",
        ),
    ] = None,
) -> None:
    r"""Make an archive of a network trained elsewhere.

    The network takes one tensor a field, or all features of a column in
    one tensor, in the order of SPEC. A minimal SPEC:

    {"name": "drag", "version": "1.0", "inputs": \[{"name": "u",
    "units": "m s-1", "dims": \["level"], "shape": \[60]}], "outputs":
    \[{"name": "utend", "units": "m s-2", "dims": \["level"], "shape": \[60]}]}

    Scalars leave out dims and shape; valid_min and valid_max give the range
    it was trained on, in which archive and network are compared.

    With a scaling the network sees (x - mean) / spread and gives
    mean + spread * result; a list has one number a level:

    {"inputs": {"u": {"mean": 3.5, "spread": 11.0}},
    "outputs": {"utend": {"spread": 1e-4}}}
    """
    from hybrid.progress import StepProgress, progress_display
    from hybrid.wrap import wrap as wrapped

    with StepProgress(progress_display(messages())) as progress:
        report = wrapped(model, spec, out, scaling=scaling, on_step=progress.start)
    largest = max(report.differences.values())
    output().print(
        f"{out}: within {largest:.3g} eps of {model.name} (allowed: {report.bound:g})",
        markup=False,
        soft_wrap=True,
    )


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog=examples(
            "hybrid wrap convection.pt convection.json -o convection_archive.pt",
            "hybrid wrap mlp.keras mlp.json --scaling scaling.json -o mlp.pt",
            "hybrid wrap climsim.h5 v1.json --scaling ClimSim/preprocessing/normalizations "
            "-o climsim.pt",
        )
    )(wrap)
