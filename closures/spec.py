"""The contract between a closure and whatever calls it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as default
from typing import Any, Literal, Self

from closures.errors import SpecError
from closures.field import Field, check_name

__all__ = ["ClosureSpec", "Field", "Grid"]

GROUPS = ("inputs", "outputs", "state", "noise")


@dataclass(frozen=True)
class Grid:
    """What a grid closure assumes of the mesh it runs on.

    Parameters
    ----------
    spacing
        Grid spacing per dimension [m], or [1] for a nondimensional model.
    boundary
        Boundary condition per dimension, for example ``"periodic"``.
    halo_width
        Number of neighbour cells needed on each side.
    """

    spacing: tuple[float, ...]
    boundary: tuple[str, ...]
    halo_width: int = 0


@dataclass(frozen=True)
class ClosureSpec:
    """Everything a host must know to call a closure.

    ``forward(*inputs, *state, *noise) -> (*outputs, *new_state)``: one tensor a field, of
    shape ``(n, *field.shape)``, in physical units.

    Parameters
    ----------
    name, version
        Identity of the closure.
    inputs, outputs
        Fields read from and written to the host.
    state
        Fields carried from one model step to the next by the bridge.
    noise
        Standard normal fields, filled by the bridge from (seed, column id, step, field).
    locality
        ``"column"`` if each column is independent, ``"grid"`` if neighbours matter.
    grid
        Mesh assumptions; required for, and only for, grid closures.
    description, references
        For people.
    provenance
        Data, commit, seed, scores: strings.

    Raises
    ------
    SpecError
        If a group is no tuple of fields, names repeat, nothing is computed, or `grid` and
        `locality` disagree.

    Examples
    --------
    >>> spec = ClosureSpec("cubic", "1.0", (Field("x", "1"),), (Field("x_tendency", "1"),))
    >>> ClosureSpec.from_json(spec.to_json()) == spec
    True
    """

    name: str
    version: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    state: tuple[Field, ...] = ()
    noise: tuple[Field, ...] = ()
    locality: Literal["column", "grid"] = "column"
    grid: Grid | None = None
    description: str = ""
    references: tuple[str, ...] = ()
    provenance: Mapping[str, str] = default(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("closure", self.name)
        for group in GROUPS:
            self._check_group(group)
        if not self.outputs:
            raise SpecError(f"{self.name}: expected at least one output, got none")
        if not (self.inputs or self.state or self.noise):
            raise SpecError(f"{self.name}: expected at least one input, state or noise field")
        names = [field.name for field in self.fields()]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise SpecError(
                f"{self.name}: expected field names that are unique over inputs, outputs, "
                f"state and noise, got {repeated} more than once; rename one of each"
            )
        if self.locality not in ("column", "grid"):
            raise SpecError(
                f"{self.name}: expected locality 'column' or 'grid', got {self.locality!r}"
            )
        if (self.locality == "grid") != (self.grid is not None):
            raise SpecError(
                f"{self.name}: expected `grid` with locality 'grid' and only then, "
                f"got locality {self.locality!r} and grid {self.grid!r}"
            )

    def _check_group(self, group: str) -> None:
        # Checked although annotated: without its comma, a tuple of one field is that field.
        value: object = getattr(self, group)
        if isinstance(value, tuple) and all(isinstance(entry, Field) for entry in value):
            return
        got = type(value).__name__
        if isinstance(value, tuple):
            other = next(entry for entry in value if not isinstance(entry, Field))
            got = f"a tuple with a {type(other).__name__}"
        raise SpecError(
            f"{self.name}: expected {group} to be a tuple of Fields, got {got}; write "
            f"{group}=(Field(...),), with a comma also after a single one"
        )

    @property
    def first_axis(self) -> str:
        """Name of the implicit first axis, as hosts give it in `dims`."""
        return "member" if self.locality == "grid" else "column"

    def fields(self) -> Iterator[Field]:
        """Iterate over all fields: inputs, outputs, state, noise."""
        for group in GROUPS:
            yield from getattr(self, group)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "version": self.version,
            **{group: [field.to_dict() for field in getattr(self, group)] for group in GROUPS},
            "locality": self.locality,
            "grid": None if self.grid is None else asdict(self.grid),
            "description": self.description,
            "references": list(self.references),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build a spec from its JSON form; raise `SpecError` on a missing or unknown key."""
        known = set(cls.__dataclass_fields__)
        required = {"name", "version", "inputs", "outputs"}
        if not required <= set(data) <= known:
            raise SpecError(
                f"spec: expected keys {sorted(known)} with at least {sorted(required)}, "
                f"got {sorted(data)}"
            )
        values = dict(data)
        for group in GROUPS:
            values[group] = tuple(Field.from_dict(entry) for entry in data.get(group, ()))
        if values.get("grid") is not None:
            grid = values["grid"]
            values["grid"] = Grid(
                tuple(grid["spacing"]), tuple(grid["boundary"]), grid["halo_width"]
            )
        values["references"] = tuple(values.get("references", ()))
        return cls(**values)

    def to_json(self) -> str:
        """Return the spec as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a spec from JSON text."""
        return cls.from_dict(json.loads(text))
