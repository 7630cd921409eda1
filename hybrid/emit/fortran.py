"""A Fortran module that couples a closure to a model: what the guide shows, filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from closures import ClosureSpec, Field
from hybrid.emit.ccpp_options import POLICIES
from hybrid.emit.names import LONGEST, check_keys, check_name, distinct
from hybrid.emit.source import Emission, render
from hybrid.emit.units import convertible
from hybrid.errors import EmitError
from hybrid.versions import own_version

Kind = Literal["real32", "real64"]

RESERVED = (
    *("archive", "binding_t", "closure", "closure_t", "columns", "errmsg", "first_id", "hybrid"),
    *("int64", "n_column", "n_member", "real", "real32", "real64", "seed", "sizes", "stat", "step"),
)


@dataclass(frozen=True)
class _Array:
    """A field as the emitted procedure takes it."""

    field: Field
    name: str
    dims: tuple[str, ...]
    group: str
    units: str
    accumulate: bool

    @property
    def shape(self) -> str:
        return ", ".join(":" * len(self.dims))

    @property
    def meaning(self) -> str:
        sizes = dict(zip(self.field.dims, self.field.shape, strict=True))
        axes = [f"{dim} {sizes[dim]}" if sizes.get(dim) else dim for dim in self.dims]
        return f"{', '.join(axes)} [{self.units}]"


def coupling(
    spec: ClosureSpec,
    *,
    name: str = "",
    kind: Kind = "real64",
    column_last: bool | None = None,
    policy: str = "error",
    accumulate: tuple[str, ...] = (),
    units: Mapping[str, str] | None = None,
) -> Emission:
    """Write a module that loads an archive with this specification and calls it each step.

    Parameters
    ----------
    spec
        What the archive holds.
    name
        Name of the module; empty is the closure's with ``_coupling``.
    kind
        Kind of the host's reals.
    column_last
        Whether arrays are (level, column) instead of (column, level); by default they are for
        a grid closure, whose fields then lie in memory as the engine wants them.
    policy
        What happens to columns that the guard flags, see `hybrid.h`.
    accumulate
        Outputs that are added to the host's values.
    units
        Field name to the units of the host's values; by default those of the archive.

    Returns
    -------
    Emission
        ``NAME.f90``.

    Raises
    ------
    EmitError
        If an option cannot be used, or does not fit the closure.
    """
    name = name or f"{spec.name[: LONGEST - len('_coupling_prepare')]}_coupling"
    check_name("module", name, LONGEST - len("_prepare"))
    if name == "hybrid":
        raise EmitError("module: expected another name than that of the bridge's own module")
    if kind not in ("real32", "real64"):
        raise EmitError(f"kind: expected real32 or real64, got {kind!r}")
    if policy not in POLICIES:
        raise EmitError(f"policy: expected one of {', '.join(POLICIES)}, got {policy!r}")
    units = units or {}
    _check_units(spec, units)
    check_keys("accumulate", accumulate, [f.name for f in spec.outputs])
    backwards = spec.locality == "grid" if column_last is None else column_last
    arrays = [*_arrays(spec, name, units, accumulate, backwards=backwards)]
    values = {
        "spec": spec,
        "name": name,
        "version": own_version(),
        "kind": kind,
        "policy": policy,
        "inputs": [array for array in arrays if array.group == "inputs"],
        "outputs": [array for array in arrays if array.group == "outputs"],
        "first": f"n_{spec.first_axis}",
        "grid_dims": spec.grid_dims,
        "spacing": [f"{float(value)!r}_real64" for value in spec.grid.spacing] if spec.grid else [],
    }
    return Emission({f"{name}.f90": render("coupling.f90.j2", **values)})


def _check_units(spec: ClosureSpec, units: Mapping[str, str]) -> None:
    fields = {field.name: field for field in (*spec.inputs, *spec.outputs)}
    check_keys("units", units, [*fields])
    for name, given in units.items():
        if not convertible(fields[name].units, given):
            raise EmitError(
                f"{name}: expected units that convert to {fields[name].units!r}, got {given!r}"
            )


def _arrays(
    spec: ClosureSpec,
    name: str,
    units: Mapping[str, str],
    accumulate: tuple[str, ...],
    *,
    backwards: bool,
) -> Iterator[_Array]:
    procedures = (f"{name}_{verb}" for verb in ("load", "prepare", "step"))
    local = distinct((f.name for f in spec.fields()), {*RESERVED, name, *procedures})
    for group in ("inputs", "outputs"):
        for field in getattr(spec, group):
            dims = (spec.first_axis, *field.dims)
            yield _Array(
                field=field,
                name=local[field.name],
                dims=dims[::-1] if backwards else dims,
                group=group,
                units=units.get(field.name, field.units),
                accumulate=field.name in accumulate,
            )
