"""The contract between a closure and whatever calls it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import field as default
from typing import Any, Literal, Self

from closures.errors import SpecError
from closures.field import Field, check_name
from closures.grid import Grid

__all__ = ["ClosureSpec", "Field", "Grid"]

GROUPS = ("inputs", "outputs", "state", "noise")


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
        If a group is no tuple of fields, names repeat, nothing is computed, `grid` and
        `locality` disagree, or fields lie on different grids.

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
        self._check_sizes()

    def _check_sizes(self) -> None:
        rank = 0 if self.grid is None else len(self.grid.spacing)
        first = self.outputs[0]
        if len(first.dims) < rank:
            raise SpecError(
                f"{first.name}: expected the {rank} dimensions of the grid as the last ones of "
                f"the first output, got dims {first.dims}; put an output on the grid first"
            )
        for field in self.fields():
            for dim, size in zip(field.dims, field.shape, strict=True):
                if size is None and dim not in self.grid_dims:
                    raise SpecError(
                        f"{field.name}: expected a size for {dim!r}, got None; only dimensions of "
                        f"the grid of a closure with locality 'grid' may be open, here "
                        f"{self.grid_dims}"
                    )
        self._check_points({})

    def _check_points(self, points: Mapping[str, int]) -> None:
        """Raise `SpecError` if fields tell of different grids, or another one than `points`."""
        known = dict(points)
        for group in GROUPS:
            halo = self._halo(group)
            for field in getattr(self, group):
                for dim, size in zip(field.dims, field.shape, strict=True):
                    if size is None or dim not in halo:
                        continue
                    inside = size - halo[dim]
                    if inside < 1 or inside != known.setdefault(dim, inside):
                        raise SpecError(
                            f"{field.name}: expected {known.get(dim, 'at least 1')} points along "
                            f"{dim!r} without halo, got {inside}; give all fields the sizes of one "
                            "grid, or leave them open"
                        )

    def _halo(self, group: str) -> dict[str, int]:
        """Return how many more points than the grid fields of a group have along each dim."""
        if self.grid is None:
            return {}
        return {
            dim: 2 * self.grid.halo_width if group == "inputs" and boundary == "halo" else 0
            for dim, boundary in zip(self.grid_dims, self.grid.boundary, strict=True)
        }

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

    @property
    def arguments(self) -> tuple[Field, ...]:
        """What forward takes, in its order: inputs, state, noise."""
        return (*self.inputs, *self.state, *self.noise)

    @property
    def results(self) -> tuple[Field, ...]:
        """What forward returns, in its order: outputs, new state."""
        return (*self.outputs, *self.state)

    @property
    def unbounded(self) -> tuple[str, ...]:
        """Names of inputs and state without two bounds, whose usual values nobody knows."""
        return tuple(
            field.name
            for field in (*self.inputs, *self.state)
            if field.valid_min is None or field.valid_max is None
        )

    @property
    def grid_dims(self) -> tuple[str, ...]:
        """Dimensions of the grid, in the order of its spacing; empty for a column closure."""
        if self.grid is None:
            return ()
        return self.outputs[0].dims[-len(self.grid.spacing) :]

    @property
    def has_open_sizes(self) -> bool:
        """Whether some sizes are those of the host's grid."""
        return any(None in field.shape for field in self.fields())

    def on_grid(self, sizes: Mapping[str, int]) -> Self:
        """Return the spec with open sizes fixed to those of a grid.

        Parameters
        ----------
        sizes
            Points along each dimension of the grid, without halo; inputs get theirs.

        Raises
        ------
        SpecError
            If these are not the dimensions of the grid, or one has no points or others than a
            field.

        Examples
        --------
        >>> q = Field("q", "s-1", ("x",), (None,))
        >>> drag = Field("drag", "s-2", ("x",), (None,))
        >>> spec = ClosureSpec(
        ...     *("drag", "1.0", (q,), (drag,)), locality="grid", grid=Grid((1e3,), ("halo",), 2)
        ... )
        >>> [field.shape for field in spec.on_grid({"x": 10}).fields()]
        [(14,), (10,)]
        """
        if set(sizes) != set(self.grid_dims):
            raise SpecError(
                f"{self.name}: expected points along {self.grid_dims}, got {tuple(sizes)}"
            )
        for dim, points in sizes.items():
            if points < 1:
                raise SpecError(
                    f"{self.name}: expected a positive number of points along {dim!r}, got {points}"
                )
        self._check_points(sizes)

        def fixed(field: Field, halo: Mapping[str, int]) -> Field:
            shape = tuple(
                sizes[dim] + halo[dim] if size is None else size
                for dim, size in zip(field.dims, field.shape, strict=True)
            )
            return replace(field, shape=shape)

        groups = {
            group: tuple(fixed(field, self._halo(group)) for field in getattr(self, group))
            for group in GROUPS
        }
        return replace(self, **groups)  # type: ignore[arg-type]  # of groups of fields alone

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
            values["grid"] = Grid.from_dict(values["grid"])
        values["references"] = tuple(values.get("references", ()))
        return cls(**values)

    def to_json(self) -> str:
        """Return the spec as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a spec from JSON text."""
        return cls.from_dict(json.loads(text))
