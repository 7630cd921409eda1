"""Contracts of columns that tests share: one as ClimSim's V1, one in the order of its V2."""

import numpy as np

from closures.columns.layout import ColumnLayout, Kind
from closures.field import Field
from closures.normalization import Normalization
from closures.spec import ClosureSpec

V1_INPUTS: tuple[Kind, ...] = ("profile",) * 2 + ("scalar",) * 4
V1_OUTPUTS: tuple[Kind, ...] = ("profile",) * 2 + ("scalar",) * 8
# Scalars stand between profiles, as in V2.
V2_INPUTS: tuple[Kind, ...] = ("profile",) * 6 + ("scalar",) * 17 + ("profile",) * 3
V2_OUTPUTS: tuple[Kind, ...] = ("profile",) * 6 + ("scalar",) * 8

V1 = ColumnLayout(60, V1_INPUTS, V1_OUTPUTS)
V2 = ColumnLayout(60, V2_INPUTS, V2_OUTPUTS)
MIXED = ColumnLayout(
    12, ("scalar", "profile", "scalar", "profile"), ("scalar", "profile", "scalar", "profile")
)


def column_spec(layout: ColumnLayout) -> ClosureSpec:
    """Return a contract with that layout; inputs lie within three units."""

    def fields(kinds: tuple[Kind, ...], prefix: str, bound: float | None) -> tuple[Field, ...]:
        low = None if bound is None else -bound
        return tuple(
            Field(
                f"{prefix}{i}",
                "K",
                ("level",) if kind == "profile" else (),
                (layout.n_level,) if kind == "profile" else (),
                valid_min=low,
                valid_max=bound,
            )
            for i, kind in enumerate(kinds)
        )

    return ClosureSpec(
        name="columns",
        version="1.0",
        inputs=fields(layout.inputs, "x", 3.0),
        outputs=fields(layout.outputs, "y", None),
    )


def normalizations(layout: ColumnLayout) -> tuple[Normalization, Normalization]:
    """Return normalisations that differ from feature to feature."""
    sizes = layout.n_input, layout.n_output
    return (
        Normalization(np.linspace(-1.0, 1.0, sizes[0]), np.linspace(0.5, 2.0, sizes[0])),
        Normalization(np.linspace(2.0, 3.0, sizes[1]), np.linspace(1.0, 4.0, sizes[1])),
    )
