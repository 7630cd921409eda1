"""One named quantity that crosses the boundary between a host model and a closure."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

import cf_units

from closures.errors import SpecError

DType = Literal["float32", "float64"]
Bound = float | tuple[float, ...] | None

# Fortran 2008 arrays have 15, one of which is the column.
MOST_DIMS = 14

# Fortran 2003 allows 63 characters in a name; the host sees the same names.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@lru_cache(maxsize=256)
def _is_udunits(units: str) -> bool:
    try:
        return not cf_units.Unit(units).is_unknown()
    except ValueError:
        return False


def check_name(kind: str, name: str) -> None:
    """Raise `SpecError` unless `name` can be used in Fortran, C and Python alike."""
    if not _NAME.fullmatch(name):
        raise SpecError(
            f"{kind} name: expected lower-case letters, digits and underscores, "
            f"starting with a letter, at most 63; got {name!r}; rename it"
        )


@dataclass(frozen=True)
class Field:
    """Name, units, shape and training envelope of one input, output, state or noise field.

    Parameters
    ----------
    name
        Host-visible name, for example ``"state_t"``.
    units
        UDUNITS string, for example ``"K"``; dimensionless is ``"1"``.
    dims
        Names of the axes after the implicit first one, which is the column (or, for a
        grid closure, the member): ``()``, ``("level",)``, ``("layer", "y", "x")``.
    shape
        Sizes of `dims`; None for a size that is fixed when the field is bound.
    dtype
        Precision in which the closure computes.
    valid_min, valid_max
        Training envelope [units], one number or one per element; None is unchecked.
    role
        ``"confidence"`` marks an output that the guard compares with a threshold.
    standard_name
        CF standard name, or empty.

    Raises
    ------
    SpecError
        If the values contradict each other or the units are unknown to UDUNITS-2.

    Examples
    --------
    >>> Field("state_t", "K", ("level",), (60,)).size
    60
    """

    name: str
    units: str
    dims: tuple[str, ...] = ()
    shape: tuple[int | None, ...] = ()
    dtype: DType = "float32"
    valid_min: Bound = None
    valid_max: Bound = None
    role: str = ""
    standard_name: str = ""

    def __post_init__(self) -> None:
        check_name("field", self.name)
        if not _is_udunits(self.units):
            raise SpecError(
                f"{self.name}: expected units that UDUNITS-2 knows, got {self.units!r}; "
                "write them like 'K', 'W m-2' or 'kg kg-1 s-1' ('1' if dimensionless)"
            )
        if not (isinstance(self.dims, tuple) and isinstance(self.shape, tuple)):
            raise SpecError(
                f"{self.name}: expected dims and shape to be tuples, got {self.dims!r} and "
                f"{self.shape!r}; write them like ('level',) and (60,), with the comma"
            )
        if len(self.dims) != len(self.shape):
            raise SpecError(
                f"{self.name}: expected one size per dimension, got dims {self.dims} "
                f"and shape {self.shape}; give both the same length"
            )
        self._check_dims()
        sizes: tuple[object, ...] = tuple(size for size in self.shape if size is not None)
        if any(type(size) is not int or size < 1 for size in sizes):
            raise SpecError(
                f"{self.name}: expected positive whole numbers for sizes, got shape {self.shape}"
            )
        if self.dtype not in ("float32", "float64"):
            raise SpecError(f"{self.name}: expected dtype float32 or float64, got {self.dtype!r}")
        self._check_bounds()

    def _check_dims(self) -> None:
        if len(self.dims) > MOST_DIMS:
            raise SpecError(
                f"{self.name}: expected at most {MOST_DIMS} dims, got {len(self.dims)}; join some"
            )
        for dim in self.dims:
            check_name(f"{self.name}: dimension", dim)
        # The first axis has its own name, and each name must tell one axis.
        if len({*self.dims, "column", "member"}) != len(self.dims) + 2:
            raise SpecError(
                f"{self.name}: expected different names of dimensions, none of them 'column' or "
                f"'member', which mean the first axis; got {self.dims}; rename them"
            )

    def _check_bounds(self) -> None:
        for label, bound in (("valid_min", self.valid_min), ("valid_max", self.valid_max)):
            numbers = bound if isinstance(bound, tuple) else () if bound is None else (bound,)
            if not all(math.isfinite(number) for number in numbers):
                raise SpecError(
                    f"{self.name}: expected a finite {label}, got {bound}; None is unchecked"
                )
            if isinstance(bound, tuple) and (None in self.shape or len(bound) != self.size):
                raise SpecError(
                    f"{self.name}: expected {label} to be one number or one per element "
                    f"of shape {self.shape}, got {len(bound)} numbers"
                )
        low, high = self.valid_min, self.valid_max
        if low is None or high is None:
            return
        lows = low if isinstance(low, tuple) else (low,)
        highs = high if isinstance(high, tuple) else (high,)
        if len(lows) == 1:
            lows = lows * len(highs)
        if len(highs) == 1:
            highs = highs * len(lows)
        if any(not a <= b for a, b in zip(lows, highs, strict=True)):
            raise SpecError(f"{self.name}: expected valid_min <= valid_max everywhere")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of `dims`; those fixed only at `bind` count as one."""
        return tuple(size or 1 for size in self.shape)

    @property
    def size(self) -> int:
        """Number of elements per column; sizes fixed only at `bind` count as one."""
        return math.prod(self.sizes)

    def interface(self) -> tuple[str, str, tuple[str, ...], tuple[int | None, ...], str]:
        """Return what two closures must agree on to share this field."""
        return (self.name, self.units, self.dims, self.shape, self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "units": self.units,
            "dims": list(self.dims),
            "shape": list(self.shape),
            "dtype": self.dtype,
            "valid_min": _bound_to_json(self.valid_min),
            "valid_max": _bound_to_json(self.valid_max),
            "role": self.role,
            "standard_name": self.standard_name,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build a field from its JSON form; raise `SpecError` on a missing or unknown key."""
        known = set(cls.__dataclass_fields__)
        if not {"name", "units"} <= set(data) <= known:
            raise SpecError(
                f"field: expected keys {sorted(known)} with at least name and units, "
                f"got {sorted(data)}"
            )
        values = dict(data)
        for key in ("dims", "shape", "valid_min", "valid_max"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        return cls(**values)


def _bound_to_json(bound: Bound) -> float | list[float] | None:
    return list(bound) if isinstance(bound, tuple) else bound
