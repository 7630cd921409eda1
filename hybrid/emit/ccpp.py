"""A CCPP scheme that runs a closure: Fortran, and the metadata that a cap is generated from.

References
----------
CCPP technical documentation, chapter "CCPP-Compliant Physics Parameterizations"; CCPP standard
names, https://github.com/ESCOMP/CCPPStandardNames
"""

from closures import ClosureSpec, Field
from hybrid.emit import ccpp_arguments
from hybrid.emit.ccpp_arguments import COLUMNS, ERRORS, STEP, Argument, FieldUse, check_unique
from hybrid.emit.ccpp_options import KEEPS_HOST_VALUES, PHASES, SchemeOptions
from hybrid.emit.names import distinct, is_name
from hybrid.emit.source import Emission, render
from hybrid.emit.units import ccpp_units, convertible, is_notation
from hybrid.errors import EmitError
from hybrid.versions import own_version

DIMENSIONS = {
    **dict.fromkeys(("level", "lev", "layer", "n_level"), "vertical_layer_dimension"),
    **dict.fromkeys(("interface", "ilev", "half_level"), "vertical_interface_dimension"),
}
"""Standard names of the dimensions that every host has."""

VERTICAL = frozenset(DIMENSIONS.values())

# What the templates use by themselves: a field of such a name gets another one in Fortran.
RESERVED = (
    *("any", "archive", "binding_t", "closure", "closure_t", "column_id", "columns", "errflg"),
    *("errmsg", "found", "hybrid", "int", "int64", "is_loaded", "kind_phys", "key", "n_column"),
    *("btest", "hybrid_untouched"),
    *("real", "real64", "reasons", "reshape", "seed", "shape", "size", "step", "trim", "untouched"),
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
    options.check(spec)
    return _Scheme(spec, options).emission()


class _Scheme:
    def __init__(self, spec: ClosureSpec, options: SchemeOptions) -> None:
        self.spec = spec
        self.options = options
        self.name = options.name or spec.name
        self.sizes = _sizes(spec)
        self.made_up: list[str] = []
        taken = {*RESERVED, self.name, *(f"{self.name}_{phase}" for phase in PHASES)}
        self.local = distinct((f.name for f in spec.fields()), taken)
        taken |= {*self.local.values()}
        self.packed = distinct((f"{f.name}_packed" for f in spec.state), taken)
        self.extents = distinct((f"n_{dim}" for dim in self.sizes), taken)

    def emission(self) -> Emission:
        inputs = [self._use(f, "input", "in") for f in self.spec.inputs]
        outputs = [self._use(f, "output", self._intent(f)) for f in self.spec.outputs]
        state = [self._use(f, "state", "inout") for f in self.spec.state]
        init, run = self._init_arguments(), self._run_arguments([*inputs, *state, *outputs])
        for phase in (init, run):
            check_unique(phase)
        values = {
            "spec": self.spec,
            "name": self.name,
            "version": own_version(),
            "options": self.options,
            "phases": {"init": init, "run": run, self.options.final_phase: list(ERRORS)},
            "dependencies": ("hybrid.F90", *self.options.dependencies),
            "inputs": inputs,
            "outputs": outputs,
            "state": state,
            "checks": [(self.extents[f"n_{dim}"], dim, size) for dim, size in self.sizes.items()],
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

    def _use(self, field: Field, group: str, intent: str) -> FieldUse:
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
                top_at_one=self.options.top_at_one and self._is_vertical(field),
            ),
            dims=",".join(("column", *field.dims)),
            sizes=field.sizes,
            accumulate=field.name in self.options.accumulate,
            packed=self.packed[f"{field.name}_packed"] if group == "state" else "",
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

    def _is_vertical(self, field: Field) -> bool:
        known = (self.options.dimensions.get(dim) or DIMENSIONS.get(dim) for dim in field.dims)
        return any(name in VERTICAL for name in known)

    def _init_arguments(self) -> list[Argument]:
        extents = (
            ccpp_arguments.extent(self.extents[f"n_{dim}"], dim, self._dimension(dim))
            for dim in self.sizes
        )
        seeds = (ccpp_arguments.seed(self.name),) if self.spec.noise else ()
        return [ccpp_arguments.archive(self.name, self.spec.name), *seeds, *extents, *ERRORS]

    def _run_arguments(self, fields: list[FieldUse]) -> list[Argument]:
        keys = (STEP, ccpp_arguments.column_id(self.name)) if self.spec.noise else ()
        is_left = self.options.policy == "host"
        marks = (ccpp_arguments.untouched(self.name),) if is_left else ()
        return [COLUMNS, *keys, *(use.argument for use in fields), *marks, *ERRORS]


def _sizes(spec: ClosureSpec) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for field in (*spec.inputs, *spec.outputs, *spec.state):
        for dim, size in zip(field.dims, field.sizes, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise EmitError(
                    f"{field.name}: expected {sizes[dim]} elements along {dim!r}, as of the fields "
                    f"before it, got {size}; give dimensions of different sizes different names"
                )
    return sizes
