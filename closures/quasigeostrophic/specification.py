"""Fields and grid of closures of two-layer flow."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.errors import SpecError
from closures.field import DType, Field
from closures.spec import ClosureSpec, Grid

_DIMS = ("layer", "y", "x")
_SHAPE = (2, None, None)
_UNITS = {"q": "s-1", "u": "m s-1", "v": "m s-1"}


def layer_spec(
    name: str,
    spacing: tuple[float, float],
    inputs: str,
    description: str,
    references: tuple[str, ...],
    largest: Mapping[str, float] | None = None,
    provenance: Mapping[str, str] | None = None,
    dtype: DType = "float64",
) -> ClosureSpec:
    """Return the specification of a closure of two layers, to the tendency of q [s-2].

    Parameters
    ----------
    name, description, references, provenance
        See `ClosureSpec`.
    dtype
        Precision of all fields.
    spacing
        Grid spacing along y and x [m].
    inputs
        Letters among ``quv``: potential vorticity and velocity, without the mean flow.
    largest
        By name, the largest magnitude of an input that the closure was made for [s-1, m s-1]; the
        bridge's guard flags what is beyond. What is not named is unchecked.

    Raises
    ------
    SpecError
        If `largest` has other names, or numbers that are not positive.
    """
    known = dict(largest or {})
    if not set(known) <= set(inputs):
        raise SpecError(
            f"largest: expected names among {', '.join(inputs)}, the inputs of {name}, "
            f"got {', '.join(sorted(known))}"
        )
    for field, value in known.items():
        if not 0.0 < value < math.inf:
            raise SpecError(f"largest: expected a positive number for {field}, got {value}")

    def read(field: str) -> Field:
        bound = known.get(field)
        low = None if bound is None else -bound
        return Field(field, _UNITS[field], _DIMS, _SHAPE, dtype, valid_min=low, valid_max=bound)

    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=tuple(read(field) for field in inputs),
        outputs=(Field("q_tendency", "s-2", _DIMS, _SHAPE, dtype),),
        locality="grid",
        grid=Grid(spacing, ("periodic", "periodic")),
        description=description,
        references=references,
        provenance=provenance or {},
    )


def finite_array(what: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return numbers as an array; raise `SpecError` if it has another shape or some not finite."""
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise SpecError(f"{what}: expected numbers of shape {shape}, got shape {array.shape}")
    for value in array.ravel():
        require_finite(what, float(value))
    return array


def require_finite(what: str, value: float) -> None:
    """Raise `SpecError` if a number is not finite."""
    if not math.isfinite(value):
        raise SpecError(f"{what}: expected a finite number, got {value}")
