"""The mesh that a grid closure was made for."""

import math
from dataclasses import dataclass
from typing import Any, Self

from closures.errors import SpecError

BOUNDARIES = ("periodic", "wall", "halo")
WIDEST_HALO = 1024


@dataclass(frozen=True)
class Grid:
    """What a grid closure assumes of the mesh it runs on.

    The dimensions of the grid are the last ones of the first output, so ``("y", "x")`` of
    ``("layer", "y", "x")`` for two spacings.

    Parameters
    ----------
    spacing
        Grid spacing per dimension [m], or [1] for a nondimensional model; positive.
    boundary
        For each dimension ``"periodic"`` (forward wraps around), ``"wall"`` (forward knows what
        is there) or ``"halo"`` (inputs have `halo_width` more points at both ends, which the host
        fills with the values of the neighbours).
    halo_width
        Number of neighbour cells needed on each side.

    Raises
    ------
    SpecError
        If there is not one spacing and one boundary per dimension, or one is not as above.
    """

    spacing: tuple[float, ...]
    boundary: tuple[str, ...]
    halo_width: int = 0

    def __post_init__(self) -> None:
        for name in ("spacing", "boundary"):
            value: object = getattr(self, name)
            if not isinstance(value, tuple):
                raise SpecError(
                    f"grid: expected {name} to be a tuple, one entry a dimension, got {value!r}; "
                    "write it like (1000.0,), with the comma"
                )
        if not self.spacing or len(self.spacing) != len(self.boundary):
            raise SpecError(
                "grid: expected one spacing and one boundary a dimension, got "
                f"{len(self.spacing)} and {len(self.boundary)}"
            )
        for spacing in self.spacing:
            # True is an int to Python, but no number to other readers.
            is_number = isinstance(spacing, int | float) and not isinstance(spacing, bool)
            if not (is_number and math.isfinite(spacing) and spacing > 0):
                raise SpecError(
                    f"grid: expected positive numbers for spacing, got {self.spacing!r}"
                )
        for boundary in self.boundary:
            if boundary not in BOUNDARIES:
                raise SpecError(
                    f"grid: expected boundary 'periodic', 'wall' or 'halo', got {boundary!r}"
                )
        width: object = self.halo_width
        if type(width) is not int or not 0 <= width <= WIDEST_HALO:
            raise SpecError(
                f"grid: expected halo_width to be a whole number from 0 to {WIDEST_HALO}, "
                f"got {width!r}"
            )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build a grid from its JSON form; raise `SpecError` where it is none."""
        keys = {"spacing", "boundary", "halo_width"}
        if not (isinstance(data, dict) and keys <= set(data)):
            raise SpecError(f"grid: expected keys {sorted(keys)}, got {data!r}")
        spacing, boundary = (
            tuple(values) if isinstance(values, list) else values
            for values in (data["spacing"], data["boundary"])
        )
        return cls(spacing, boundary, data["halo_width"])
