"""What can be chosen of a CCPP scheme, and what of it fits a closure."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default

from closures import ClosureSpec
from hybrid.emit.names import LONGEST, check_keys, check_name, is_name
from hybrid.errors import EmitError

POLICIES = ("error", "flag", "clip", "zero", "host")

KEEPS_HOST_VALUES = ("flag", "clip", "host")
"""Policies under which a column may be left untouched, see `hybrid.h`."""

FINAL_PHASES = ("final", "finalize")
"""Names of the last phase."""

PHASES = ("init", "run", "final", "initialize", "finalize", "timestep_init", "timestep_final")


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
    final_phase
        What the last phase is called: ``final``, or ``finalize`` (older versions of prebuild).
    dependencies
        Files that the scheme needs beside ``hybrid.F90``.
    top_at_one
        Whether the metadata say that the first level is the top.
    """

    name: str = ""
    kind_module: str = "ccpp_kinds"
    policy: str = "error"
    accumulate: tuple[str, ...] = ()
    standard_names: Mapping[str, str] = default(default_factory=dict)
    units: Mapping[str, str] = default(default_factory=dict)
    dimensions: Mapping[str, str] = default(default_factory=dict)
    final_phase: str = "final"
    dependencies: tuple[str, ...] = ()
    top_at_one: bool = True

    def check(self, spec: ClosureSpec) -> None:
        """Raise `EmitError` unless a scheme for `spec` can be made like this."""
        if spec.locality != "column":
            raise EmitError(
                f"{spec.name}: expected a closure of independent columns, got locality "
                f"{spec.locality!r}; CCPP is column physics, so couple this closure where the "
                "model has its whole grid (hybrid emit fortran shows how)"
            )
        self._check_names(self.name or spec.name)
        if self.policy not in POLICIES:
            raise EmitError(f"policy: expected one of {', '.join(POLICIES)}, got {self.policy!r}")
        if self.final_phase not in FINAL_PHASES:
            raise EmitError(
                f"final phase: expected one of {', '.join(FINAL_PHASES)}, got {self.final_phase!r}"
            )
        data = [f.name for f in (*spec.inputs, *spec.outputs, *spec.state)]
        check_keys("standard name", self.standard_names, data)
        check_keys("units", self.units, data)
        check_keys("accumulate", self.accumulate, [f.name for f in spec.outputs])
        check_keys("dimension", self.dimensions, [d for f in spec.fields() for d in f.dims])

    def _check_names(self, name: str) -> None:
        check_name("scheme", name, LONGEST - len(f"_{self.final_phase}"))
        check_name("module of kind_phys", self.kind_module, LONGEST)
        like_a_phase = name.endswith(tuple(f"_{phase}" for phase in PHASES))
        if name in ("hybrid", self.kind_module) or like_a_phase:
            raise EmitError(
                f"scheme: expected a name that is no module used here and does not end like a "
                f"phase of CCPP (_init, _run, ...), got {name!r}; give another with --name"
            )
        for dim, standard_name in self.dimensions.items():
            if not is_name(standard_name):
                raise EmitError(
                    f"dimension {dim}: expected a standard name of lower-case letters, digits "
                    f"and underscores, got {standard_name!r}"
                )
