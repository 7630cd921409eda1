"""Couple an archive to a solver of ours: once they are tied, no Python runs between steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.field import Field
from closures.spec import ClosureSpec
from fortran_bridge.binding import Binding, HostGrid
from fortran_bridge.errors import BridgeError
from hybrid.runtime import CompiledClosure, load
from solvers.errors import TendencyError
from solvers.tendency_source import BoundTendency, ClosureState, GridField


def couple(
    closure: CompiledClosure | Path | str,
    *,
    seed: int = 0,
    reproducible: bool = True,
    names: "Mapping[str, str | At] | None" = None,
) -> "CoupledClosure":
    """Return an archive as what a solver's ``tendency`` argument takes.

    Each field of the closure is tied to the field of the same name of the solver, in the
    solver's memory and units. Dims that a field of the closure has are those of the solver's
    field; along all other dims of the solver's field the closure is applied at every point. So,
    to a field ``(layer, y, x)``, a closure without dims is applied at every point of every layer,
    one with dims ``("layer",)`` at every ``(y, x)``, and one with ``("layer", "y", "x")`` once.
    A grid closure takes the sizes of the solver's grid where it leaves them open; the spacing must
    be the one that it was made for.

    Parameters
    ----------
    closure
        Archive, or what `hybrid.load` made of it, which also chooses an engine.
    seed
        Seed of the closure's random numbers. They are independent from point to point and from
        member to member.
    reproducible
        True: a point's result does not depend on how many others there are, so that it is, bit
        for bit, what any other host gets from the archive. Either way results do not depend on
        the number of members or threads.
    names
        Names of the solver's fields by names of the closure's, where they differ; `At` where it is
        one layer, say, of the solver's field. Tendencies that no output is tied to are 0.

    Raises
    ------
    BridgeError
        If the archive cannot be loaded.
    TendencyError
        When it is given to a solver: if a field is unknown, units do not convert, or dims or
        sizes do not fit, or a grid closure was made for another spacing.

    Examples
    --------
    >>> drag = couple("drag.pt", names={"vorticity": "q"})  # doctest: +SKIP
    >>> TwoLayerQG(nx=64).run(days=30, tendency=drag)  # doctest: +SKIP
    """
    compiled = closure if isinstance(closure, CompiledClosure) else load(closure)
    return CoupledClosure(compiled, seed, reproducible, dict(names or {}))


@dataclass(frozen=True)
class At:
    """One layer, level or row of a solver's field, as a field without that dim.

    Parameters
    ----------
    name
        Name of the solver's field.
    dim
        Which of its dims is not to be there.
    index
        Where along it, from 0.
    """

    name: str
    dim: str
    index: int

    def __str__(self) -> str:
        return f"{self.name} at {self.dim} {self.index}"

    def of(self, host: GridField) -> GridField:
        """Return this part of a field, in its memory."""
        if self.dim not in host.dims:
            raise _Misfit(
                f"{self}: expected a dim of {self.name}, {_tuple(host.dims)}, got {self.dim}"
            )
        axis = host.dims.index(self.dim)
        if not 0 <= self.index < host.array.shape[axis]:
            raise _Misfit(f"{self}: expected an index below {host.array.shape[axis]}, from 0")
        dims = host.dims[:axis] + host.dims[axis + 1 :]
        part = np.moveaxis(host.array, axis, 0)[self.index]
        return GridField(str(self), host.units, dims, part, host.spacing)


@dataclass(frozen=True)
class CoupledClosure:
    """A `solvers.tendency_source.TendencySource` made from an archive; see `couple`."""

    closure: CompiledClosure
    seed: int
    reproducible: bool
    names: Mapping[str, str | At]

    @property
    def description(self) -> str:
        """Name, version, hash and seed: what data made with the closure say of it."""
        spec = self.closure.spec
        return f"{spec.name} {spec.version} {self.closure.sha256[:12]} seed {self.seed}"

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Tie the closure to the arrays of a member."""
        spec = self.closure.spec
        try:
            ties = [
                *(self._tie(field, fields) for field in spec.inputs),
                *(self._tie(field, tendencies) for field in spec.outputs),
            ]
            self._check_names()
            n_column = _number_of_columns(ties)
            grid = _grid(spec, ties)
            binding = self.closure.create(
                n_column,
                column_id=1 + member * n_column + np.arange(n_column),
                seed=self.seed,
                reproducible=self.reproducible,
                grid=grid,
            )
            for tie in ties:
                dims = (spec.first_axis, *tie.field.dims)
                binding.bind(tie.field.name, tie.columns(), dims=dims, units=tie.host.units)
        except (BridgeError, _Misfit) as error:
            raise TendencyError(
                f"closure {spec.name}: {error}; the solver gives {_listed(fields)} and takes "
                f"{_listed(tendencies)}"
            ) from error
        function, context = binding.tendency
        if grid is not None:
            spec = spec.on_grid(dict(zip(grid.dims, grid.sizes, strict=True)))
        return _BoundClosure(function, context, binding=binding, fields=spec.state)

    def _tie(self, field: Field, hosts: Sequence[GridField]) -> "_Tie":
        wanted = self.names.get(field.name, field.name)
        name = wanted.name if isinstance(wanted, At) else wanted
        for host in hosts:
            if host.name == name:
                return _Tie(field, wanted.of(host) if isinstance(wanted, At) else host)
        known = ", ".join(host.name for host in hosts)
        raise _Misfit(f"{field.name}: expected one of {known} in the solver, got {name}")

    def _check_names(self) -> None:
        spec = self.closure.spec
        known = [field.name for field in (*spec.inputs, *spec.outputs)]
        unknown = sorted(set(self.names) - set(known))
        if unknown:
            raise _Misfit(
                f"names: expected keys among {', '.join(known)}, got {', '.join(unknown)}"
            )


class _Misfit(ValueError):  # noqa: N818 -- becomes a TendencyError that names the fields
    pass


@dataclass(frozen=True)
class _Tie:
    """A field of the closure and the field of the solver that it is."""

    field: Field
    host: GridField

    @property
    def column_axes(self) -> tuple[int, ...]:
        """Axes of the solver's array along which the closure is repeated."""
        missing = [dim for dim in self.field.dims if dim not in self.host.dims]
        if missing:
            raise _Misfit(
                f"{self.field.name}: expected dims among {_tuple(self.host.dims)}, those of "
                f"{self.host.name}, got {_tuple(self.field.dims)}"
            )
        return tuple(axis for axis, dim in enumerate(self.host.dims) if dim not in self.field.dims)

    @property
    def column_sizes(self) -> dict[str, int]:
        """Sizes by dim of what the closure is repeated along."""
        return {self.host.dims[axis]: self.host.array.shape[axis] for axis in self.column_axes}

    def columns(self) -> NDArray[Any]:
        """Return the solver's memory with columns as the first axis."""
        repeated = self.column_axes
        axes = (*repeated, *(self.host.dims.index(dim) for dim in self.field.dims))
        moved = self.host.array.transpose(axes)
        array = moved.reshape(-1, *moved.shape[len(repeated) :])
        if not np.may_share_memory(array, self.host.array):
            raise _Misfit(
                f"{self.field.name}: expected columns that lie evenly in memory, got those along "
                f"{_tuple(self.column_sizes)} of {_tuple(self.host.dims)}; give the field dims "
                "that leave neighbours"
            )
        return array


@dataclass(frozen=True, kw_only=True)
class _BoundClosure(BoundTendency):
    binding: Binding
    fields: tuple[Field, ...]

    def explain(self, status: int) -> str:
        """Return the bridge's message."""
        del status
        return self.binding.tendency_error

    def state(self) -> ClosureState:
        """Return the committed state."""
        return {field.name: self.binding.state_get(field.name, field.size) for field in self.fields}

    def set_state(self, state: ClosureState) -> None:
        """Replace the committed state."""
        for name, values in state.items():
            self.binding.state_set(name, values)


def _number_of_columns(ties: Sequence[_Tie]) -> int:
    first, expected = ties[0].field.name, ties[0].column_sizes
    for tie in ties[1:]:
        if tie.column_sizes != expected:
            raise _Misfit(
                f"{tie.field.name}: expected columns along {_tuple(expected)} as for {first}, "
                f"got {_tuple(tie.column_sizes)}; give both the dims that the closure treats as "
                "a whole"
            )
    return prod(expected.values())


def _grid(spec: ClosureSpec, ties: Sequence[_Tie]) -> HostGrid | None:
    """Return the solver's grid; None for a closure of columns."""
    if spec.grid is None:
        return None
    (host,) = (tie.host for tie in ties if tie.field is spec.outputs[0])
    sizes = dict(zip(host.dims, host.array.shape, strict=True))
    dims = spec.grid_dims
    # Dims of a set of variables have no spacing that could differ.
    spacing = tuple(
        host.spacing.get(dim, own) for dim, own in zip(dims, spec.grid.spacing, strict=True)
    )
    return HostGrid(dims, tuple(sizes[dim] for dim in dims), spacing, spec.grid.boundary)


def _tuple(dims: Sequence[str] | Mapping[str, int]) -> str:
    return f"({', '.join(dims)})"


def _listed(hosts: Sequence[GridField]) -> str:
    texts = []
    for host in hosts:
        sizes = zip(host.dims, host.array.shape, strict=True)
        texts.append(f"{host.name} [{host.units}] ({', '.join(f'{d}: {n}' for d, n in sizes)})")
    return ", ".join(texts)
