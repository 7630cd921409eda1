"""What closures of two-dimensional turbulence have in common: fields, grid and filter width."""

import math

from closures.errors import SpecError
from closures.field import Field
from closures.spec import ClosureSpec, Grid

SCALES = ("uniform", "smagorinsky", "leith")
_DIMS = ("y", "x")


def vorticity_spec(
    name: str,
    spacing: tuple[float, float],
    description: str,
    references: tuple[str, ...],
    largest: float | None = None,
) -> ClosureSpec:
    """Return the specification of a closure from vorticity to its tendency.

    Parameters
    ----------
    name, description, references
        See `ClosureSpec`.
    spacing
        Grid spacing along y and x [length].
    largest
        Largest magnitude of the vorticity that the closure was made for [1 / time]; None: any.

    Raises
    ------
    SpecError
        If that is not positive.
    """
    if largest is not None and not 0.0 < largest < math.inf:
        raise SpecError(f"largest_vorticity: expected a positive number or None, got {largest}")
    lowest = None if largest is None else -largest
    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=(
            Field(
                "vorticity",
                "1",
                _DIMS,
                (None, None),
                "float64",
                valid_min=lowest,
                valid_max=largest,
            ),
        ),
        outputs=(Field("vorticity_tendency", "1", _DIMS, (None, None), "float64"),),
        locality="grid",
        grid=Grid(spacing, ("periodic", "periodic")),
        description=description,
        references=references,
    )


def width_of(filter_width: float | None, spacing: tuple[float, float]) -> float:
    """Return a filter width [length], by default that of the shortest wave kept.

    Raises
    ------
    SpecError
        If it is not positive.
    """
    if filter_width is None:
        return 1.5 * math.sqrt(spacing[0] * spacing[1])
    if not 0.0 < filter_width < math.inf:
        raise SpecError(f"filter_width: expected a positive length or None, got {filter_width}")
    return filter_width


def require_name(what: str, value: str, known: tuple[str, ...]) -> None:
    """Raise `SpecError` if a name is unknown."""
    if value not in known:
        raise SpecError(f"{what}: expected one of {', '.join(known)}, got {value!r}")


def require_part(what: str, value: float) -> None:
    """Raise `SpecError` if a number is not from 0 to 1."""
    if not 0.0 <= value <= 1.0:
        raise SpecError(f"{what}: expected a number of 0 to 1, got {value}")
