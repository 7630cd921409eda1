"""What closures of two-layer flow refuse, and how they say so."""

from typing import Any

import pytest

from closures import SpecError
from closures.quasigeostrophic import (
    DynamicEddyViscosity,
    HybridSymbolic,
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    QGLeith,
    Smagorinsky,
    Stratification,
    ZannaBolton2020,
)

STEP = (1e4, 1e4)
NAN = float("nan")
STRATIFICATION = Stratification(1e-9, 1e-9)
ROW = [1.0] * 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Smagorinsky(STEP, NAN), "constant: expected a finite number, got nan"),
        (lambda: Leith(STEP, c2=NAN), "c2: expected a finite number, got nan"),
        (lambda: QGLeith(STEP, c4=NAN), "c4: expected a finite number, got nan"),
        (lambda: ZannaBolton2020(STEP, NAN), "kappa: expected a finite number, got nan"),
        (lambda: Hyperviscosity(STEP, NAN), "coefficient: expected a finite number, got nan"),
        (
            lambda: Hyperviscosity(STEP, 1.0, 0),
            "order: expected a whole number of at least 1, got 0",
        ),
        (
            lambda: DynamicEddyViscosity(STEP, scale="uniform"),
            "scale: expected one of smagorinsky, leith, got 'uniform'",
        ),
        (
            lambda: DynamicEddyViscosity(STEP, average="local"),
            "average: expected one of layer, both, got 'local'",
        ),
        (
            lambda: DynamicEddyViscosity(STEP, clipping="all"),
            "clipping: expected one of none, coefficient, numerator, got 'all'",
        ),
        (
            lambda: JansenHeldBackscatter(STEP, STRATIFICATION, returned=NAN),
            "returned: expected a finite number, got nan",
        ),
        (
            lambda: JansenHeldBackscatter(STEP, STRATIFICATION, smagorinsky=NAN),
            "smagorinsky: expected a finite number, got nan",
        ),
        (
            lambda: HybridSymbolic(STEP, [ROW], mean_flow=(0.0, 0.0)),
            "weights: expected numbers of shape (2, 7), got shape (1, 7)",
        ),
        (
            lambda: HybridSymbolic(STEP, [ROW, ROW], mean_flow=(0.0,)),
            "mean_flow: expected numbers of shape (2,), got shape (1,)",
        ),
        (
            lambda: HybridSymbolic(STEP, [ROW, [NAN] * 7], mean_flow=(0.0, 0.0)),
            "weights: expected a finite number, got nan",
        ),
        (
            lambda: Smagorinsky(STEP, largest={"q": 1.0}),
            "largest: expected names among u, v, the inputs of smagorinsky, got q",
        ),
        (
            lambda: QGLeith(STEP, largest={"q": 0.0}),
            "largest: expected a positive number for q, got 0.0",
        ),
        (
            lambda: Stratification(0.0, 1.0),
            "f1: expected a positive number [m-2], got 0.0",
        ),
        (
            lambda: Stratification.of(15e3, -1.0),
            "delta: expected a positive number, got -1.0",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(make: Any, message: str) -> None:
    with pytest.raises(SpecError) as error:
        make()
    assert str(error.value) == message


def test_a_closure_knows_what_it_was_made_for() -> None:
    spec = DynamicEddyViscosity(STEP, largest={"q": 1e-4, "u": 0.5}).spec
    bounds = {field.name: (field.valid_min, field.valid_max) for field in spec.inputs}
    assert bounds == {"q": (-1e-4, 1e-4), "u": (-0.5, 0.5), "v": (None, None)}
    assert spec.unbounded == ("v",)
