"""A CCPP scheme that runs a closure: Fortran, and the metadata that a cap is generated from.

References
----------
CCPP technical documentation, chapter "CCPP-Compliant Physics Parameterizations"; CCPP standard
names, https://github.com/ESCOMP/CCPPStandardNames
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default

from closures import ClosureSpec, Field
from hybrid.emit.names import LONGEST, check_name, distinct, is_name
from hybrid.emit.source import Emission, render
from hybrid.emit.units import ccpp_units, convertible, is_notation
from hybrid.errors import EmitError
from hybrid.versions import own_version

POLICIES = ("error", "flag", "clip", "zero", "host")

KEEPS_HOST_VALUES = ("flag", "clip", "host")
"""Policies under which a column may be left untouched, see `hybrid.h`."""

PHASES = ("init", "run", "final", "initialize", "finalize", "timestep_init", "timestep_final")

DIMENSIONS = {
    **dict.fromkeys(("level", "lev", "layer", "n_level"), "vertical_layer_dimension"),
    **dict.fromkeys(("interface", "ilev", "half_level"), "vertical_interface_dimension"),
}
"""Standard names of the dimensions that every host has."""

# What the templates use by themselves: a field of such a name gets another one in Fortran.
RESERVED = (
    *("any", "archive", "binding_t", "closure", "closure_t", "column_id", "columns", "errflg"),
    *("errmsg", "found", "hybrid", "int", "int64", "is_loaded", "kind_phys", "key", "n_column"),
    *("real", "real64", "reshape", "seed", "shape", "size", "step", "trim", "untouched"),
)


@dataclass(frozen=True)
class SchemeOptions:
    """How a scheme shall be.

    Parameters
    ----------
    name
        Name of the scheme; empty is the closure's.
    kind_module
        Module that gives ``kind_phys``: ``ccpp_kinds`` (capgen), ``machine`` (prebuild).
    policy
        What happens to columns that the guard flags, see `hybrid.h`.
    accumulate
        Outputs that are added to the host's values.
    standard_names
        Field name to standard name, before `Field.standard_name`.
    units
        Field name to the units of the host's values.
    dimensions
        Name of a dimension to its standard name.
    """

    name: str = ""
    kind_module: str = "ccpp_kinds"
    policy: str = "error"
    accumulate: tuple[str, ...] = ()
    standard_names: Mapping[str, str] = default(default_factory=dict)
    units: Mapping[str, str] = default(default_factory=dict)
    dimensions: Mapping[str, str] = default(default_factory=dict)


@dataclass(frozen=True)
class Argument:
    """One argument of a phase, written to the Fortran and to the metadata."""

    name: str
    standard_name: str
    long_name: str
    units: str
    type: str
    intent: str
    kind: str = ""
    dimensions: tuple[str, ...] = ()

    @property
    def declaration(self) -> str:
        """The declaration in Fortran."""
        keyword = "" if self.kind.startswith("len=") else "kind="
        kind = f"({keyword}{self.kind})" if self.kind else ""
        shape = f"({', '.join(':' * len(self.dimensions))})" if self.dimensions else ""
        return f"{self.type}{kind}, intent({self.intent}) :: {self.name}{shape}"


@dataclass(frozen=True)
class FieldUse:
    """A field, and how the scheme hands it over.

    Parameters
    ----------
    name
        Of the field.
    argument
        What the host passes.
    dims
        As the bridge wants them.
    sizes
        Elements along each axis after the column.
    accumulate
        Whether results are added.
    packed
        Name of the variable that holds a state field as the bridge wants it; else empty.
    """

    name: str
    argument: Argument
    dims: str
    sizes: tuple[int, ...]
    accumulate: bool = False
    packed: str = ""


ERRORS = (
    Argument(
        name="errmsg",
        standard_name="ccpp_error_message",
        long_name="error message for error handling in CCPP",
        units="none",
        type="character",
        kind="len=*",
        intent="out",
    ),
    Argument(
        name="errflg",
        standard_name="ccpp_error_code",
        long_name="error code for error handling in CCPP",
        units="1",
        type="integer",
        intent="out",
    ),
)


def scheme(spec: ClosureSpec, options: SchemeOptions | None = None) -> Emission:
    """Write a CCPP scheme for an archive with this specification.

    Parameters
    ----------
    spec
        What the archive holds.
    options
        Names, units and the guard's policy.

    Returns
    -------
    Emission
        ``NAME.F90`` and ``NAME.meta``, with a warning for each standard name that was made up.

    Raises
    ------
    EmitError
        If the closure is none of columns, or an option does not fit it.
    """
    options = options or SchemeOptions()
    return _Scheme(spec, options).emission()


class _Scheme:
    def __init__(self, spec: ClosureSpec, options: SchemeOptions) -> None:
        self.spec = spec
        self.options = options
        self.name = options.name or spec.name
        self._check()
        self.sizes = _sizes(spec)
        self.made_up: list[str] = []
        self.local = distinct(
            (
                *(f.name for f in spec.fields()),
                *(f"n_{dim}" for dim in self.sizes),
                *(f"{f.name}_packed" for f in spec.state),
            ),
            {*RESERVED, self.name, *(f"{self.name}_{phase}" for phase in PHASES)},
        )

    def _check(self) -> None:
        spec, options = self.spec, self.options
        if spec.locality != "column":
            raise EmitError(
                f"{spec.name}: expected a closure of independent columns, got locality "
                f"{spec.locality!r}; CCPP is column physics, so couple this closure where the "
                "model has its whole grid (hybrid emit fortran shows how)"
            )
        check_name("scheme", self.name, LONGEST - len("_final"))
        check_name("module of kind_phys", options.kind_module, LONGEST)
        if self.name in ("hybrid", options.kind_module) or self.name.endswith(
            tuple(f"_{phase}" for phase in PHASES)
        ):
            raise EmitError(
                f"scheme: expected a name that is no module used here and does not end like a "
                f"phase of CCPP (_init, _run, ...), got {self.name!r}; give another with --name"
            )
        if options.policy not in POLICIES:
            raise EmitError(
                f"policy: expected one of {', '.join(POLICIES)}, got {options.policy!r}"
            )
        data = [f.name for f in (*spec.inputs, *spec.outputs, *spec.state)]
        _check_keys("standard name", options.standard_names, data)
        _check_keys("units", options.units, data)
        _check_keys("accumulate", options.accumulate, [f.name for f in spec.outputs])
        _check_keys("dimension", options.dimensions, [d for f in spec.fields() for d in f.dims])
        for dim, name in options.dimensions.items():
            if not is_name(name):
                raise EmitError(
                    f"dimension {dim}: expected a standard name of lower-case letters, digits "
                    f"and underscores, got {name!r}"
                )

    def emission(self) -> Emission:
        inputs = [self._use(f, "in") for f in self.spec.inputs]
        outputs = [self._use(f, self._intent(f)) for f in self.spec.outputs]
        state = [self._use(f, "inout") for f in self.spec.state]
        init, run = self._init_arguments(), self._run_arguments(inputs, outputs, state)
        for phase in (init, run):
            _check_unique(phase)
        values = {
            "spec": self.spec,
            "name": self.name,
            "version": own_version(),
            "options": self.options,
            "phases": {"init": init, "run": run, "final": list(ERRORS)},
            "inputs": inputs,
            "outputs": outputs,
            "state": state,
            "checks": [(self.local[f"n_{dim}"], dim, size) for dim, size in self.sizes.items()],
        }
        return Emission(
            {
                f"{self.name}.F90": render("ccpp_scheme.F90.j2", **values),
                f"{self.name}.meta": render("ccpp_scheme.meta.j2", **values),
            },
            tuple(self.made_up),
        )

    def _intent(self, field: Field) -> str:
        keeps = self.options.policy in KEEPS_HOST_VALUES
        return "inout" if keeps or field.name in self.options.accumulate else "out"

    def _use(self, field: Field, intent: str) -> FieldUse:
        group = {"in": "input"}.get(intent, "output")
        if field in self.spec.state:
            group = "state"
        return FieldUse(
            name=field.name,
            argument=Argument(
                name=self.local[field.name],
                standard_name=self._standard_name(field, group),
                long_name=f"{group} {field.name} of closure {self.spec.name}",
                units=self._units(field),
                type="real",
                kind="kind_phys",
                intent=intent,
                dimensions=("horizontal_loop_extent", *map(self._dimension, field.dims)),
            ),
            dims=",".join(("column", *field.dims)),
            sizes=field.sizes,
            accumulate=field.name in self.options.accumulate,
            packed=self.local.get(f"{field.name}_packed", ""),
        )

    def _standard_name(self, field: Field, group: str) -> str:
        given = self.options.standard_names.get(field.name) or field.standard_name
        if given:
            if not is_name(given):
                raise EmitError(
                    f"{field.name}: expected a standard name of lower-case letters, digits and "
                    f"underscores, got {given!r}; give one with --standard-name "
                    f"{field.name}=NAME"
                )
            return given
        made_up = f"{field.name}_of_{self.name}"
        # State belongs to the scheme alone, so that no other name could be meant.
        if group != "state":
            self.made_up.append(
                f"{field.name}: the archive gives no standard name, so the scheme asks the host "
                f"for {made_up!r}; say which quantity of the host it is with --standard-name "
                f"{field.name}=NAME"
            )
        return made_up

    def _units(self, field: Field) -> str:
        given = self.options.units.get(field.name)
        if given is None:
            return ccpp_units(field.units)
        if not (is_notation(given) and convertible(field.units, given)):
            raise EmitError(
                f"{field.name}: expected units in the notation of CCPP, such as 'W m-2', that "
                f"convert to {field.units!r}, got {given!r}"
            )
        return given

    def _dimension(self, dim: str) -> str:
        known = self.options.dimensions.get(dim) or DIMENSIONS.get(dim)
        if known:
            return known
        made_up = f"number_of_{dim}_of_{self.name}"
        warning = (
            f"dimension {dim}: no standard name is known, so the scheme asks the host for "
            f"{made_up!r}; say which one it is with --dimension {dim}=NAME"
        )
        if warning not in self.made_up:
            self.made_up.append(warning)
        return made_up

    def _init_arguments(self) -> list[Argument]:
        arguments = [
            Argument(
                name="archive",
                standard_name=f"filename_of_{self.name}_archive",
                long_name=f"path of the archive of closure {self.spec.name}",
                units="none",
                type="character",
                kind="len=*",
                intent="in",
            )
        ]
        if self.spec.noise:
            arguments.append(
                Argument(
                    name="seed",
                    standard_name=f"random_seed_of_{self.name}",
                    long_name="seed of the random numbers, the same on every process",
                    units="1",
                    type="integer",
                    intent="in",
                )
            )
        arguments += [
            Argument(
                name=self.local[f"n_{dim}"],
                standard_name=self._dimension(dim),
                long_name=f"number of elements along {dim}",
                units="count",
                type="integer",
                intent="in",
            )
            for dim in self.sizes
        ]
        return [*arguments, *ERRORS]

    def _run_arguments(
        self, inputs: list[FieldUse], outputs: list[FieldUse], state: list[FieldUse]
    ) -> list[Argument]:
        arguments = [
            Argument(
                name="n_column",
                standard_name="horizontal_loop_extent",
                long_name="number of columns of this call",
                units="count",
                type="integer",
                intent="in",
            )
        ]
        if self.spec.noise:
            arguments += [
                Argument(
                    name="step",
                    standard_name="index_of_timestep",
                    long_name="model step, which with the column keys the random numbers",
                    units="index",
                    type="integer",
                    intent="in",
                ),
                Argument(
                    name="column_id",
                    standard_name=f"global_column_number_for_{self.name}",
                    long_name="number of each column, the same on any number of processes",
                    units="index",
                    type="integer",
                    intent="in",
                    dimensions=("horizontal_loop_extent",),
                ),
            ]
        arguments += [use.argument for use in (*inputs, *state, *outputs)]
        if self.options.policy == "host":
            arguments.append(
                Argument(
                    name="untouched",
                    standard_name=f"flag_for_column_untouched_by_{self.name}",
                    long_name="true where the closure left the column to the host",
                    units="flag",
                    type="logical",
                    intent="out",
                    dimensions=("horizontal_loop_extent",),
                )
            )
        return [*arguments, *ERRORS]


def _sizes(spec: ClosureSpec) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for field in (*spec.inputs, *spec.outputs, *spec.state):
        for dim, size in zip(field.dims, field.shape, strict=True):
            if size is None:
                raise EmitError(
                    f"{field.name}: expected a fixed size along {dim!r}, got one that the host "
                    "chooses; export the closure with the sizes of this host"
                )
            if sizes.setdefault(dim, size) != size:
                raise EmitError(
                    f"{field.name}: expected {sizes[dim]} elements along {dim!r}, as of the fields "
                    f"before it, got {size}; give dimensions of different sizes different names"
                )
    return sizes


def _check_keys(kind: str, given: Mapping[str, str] | tuple[str, ...], known: list[str]) -> None:
    for key in given:
        if key not in known:
            raise EmitError(
                f"{kind}: expected one of {', '.join(dict.fromkeys(known)) or 'none'}, got {key!r}"
            )


def _check_unique(arguments: list[Argument]) -> None:
    seen: dict[str, str] = {}
    for argument in arguments:
        other = seen.setdefault(argument.standard_name, argument.name)
        if other != argument.name:
            raise EmitError(
                f"{argument.name}: expected a standard name of its own, got "
                f"{argument.standard_name!r}, which {other} has too; CCPP allows each name once, "
                f"so give another with --standard-name {argument.name}=NAME"
            )
