"""An archive as the physics of running columns, through the library that Fortran calls."""

from collections import deque
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from closures.climsim.assembly import Values, assemble
from closures.climsim.errors import DataError
from closures.climsim.humidity import liquid_partition
from closures.climsim.variables import TIMESTEP, VariableSet, variables_named
from fortran_bridge.binding import Binding
from hybrid.climsim_generator import AFTER, BEFORE, STATE, column_grid
from hybrid.errors import RolloutError
from hybrid.runtime import CompiledClosure, load
from solvers.column_physics import Columns
from solvers.column_physics.replacement import Fields, Prediction, SchemePhysics
from solvers.column_physics.step import PROFILES

Array = NDArray[np.float64]
Policy = Literal["flag", "clip", "zero", "host"]

REALIZATION = "realization"
"""Dimension of an output that holds the members of an ensemble; their mean is used."""
TENDENCIES = {
    "ptend_t": ("temperature",),
    "ptend_q0001": ("vapour",),
    "ptend_q0002": ("liquid",),
    "ptend_q0003": ("ice",),
    "ptend_qn": ("liquid", "ice"),
    "ptend_u": ("eastward_wind",),
    "ptend_v": ("northward_wind",),
}
"""Profiles of the columns that an output advances."""
FLUXES = {name.lower(): own for name, own in AFTER.items()}
"""Flux of the columns that an output is."""


class ArchivePhysics:
    """One archive.

    Its inputs may be any of ClimSim's variables, also those of the two steps before, which are
    steps of the run itself. A memory of its own is warmed up on the truth during the spin-up and
    committed once a step. Of an ensemble the mean is used; a closure with random numbers is drawn
    once a step.

    Parameters
    ----------
    path
        Archive.
    columns
        Columns whose physics it takes the place of.
    policy
        What becomes of a column that the bridge's guard flags: see
        `fortran_bridge.binding.Binding`; with ``"host"`` the columns' own scheme steps in.
    seed
        Seed of its random numbers.
    precision
        Precision to load it with, see `hybrid.runtime.CompiledClosure`.

    Raises
    ------
    RolloutError
        If the columns cannot give an input, the archive predicts no tendency of temperature or
        vapour, or the numbers of levels differ.
    """

    def __init__(
        self,
        path: Path,
        columns: Columns,
        policy: Policy = "flag",
        seed: int = 0,
        precision: str = "float32",
    ) -> None:
        self.path = path
        self.closure: CompiledClosure = load(path, precision=precision)
        self.variables = _variables(path, self.closure, columns.grid.n_level)
        if columns.settings.timestep != TIMESTEP:
            raise RolloutError(
                f"{path}: expected steps of {TIMESTEP:g} s, that of ClimSim's tendencies, got "
                f"{columns.settings.timestep:g} s"
            )
        self._grid = column_grid(columns.grid)
        self._own = SchemePhysics(columns, columns.settings.scheme) if policy == "host" else None
        n_column = columns.grid.n_column
        self._rows = np.zeros((self.variables.n_input, n_column))
        self._outputs: dict[str, Array] = {}
        self._with_members = {
            f.name for f in self.closure.spec.outputs if f.dims[:1] == (REALIZATION,)
        }
        self._binding = self._bound(n_column, policy, seed)
        self._history: deque[tuple[Fields, Fields]] = deque(maxlen=self.variables.n_history)
        self._n_run = 0
        self._is_committed = True
        self._spun_up: dict[str, dict[str, int]] = {}

    @property
    def n_history(self) -> int:
        """Number of earlier steps that the inputs look back to."""
        return self.variables.n_history

    @property
    def predicted(self) -> tuple[str, ...]:
        """Names of the profiles whose tendencies the archive gives."""
        names = [name for output in self._outputs for name in TENDENCIES.get(output, ())]
        return tuple(name for name in PROFILES if name in names)

    @property
    def inputs(self) -> Array:
        """Inputs of the last evaluation ``(n_input, n_column)``, in feature order."""
        return self._rows

    def spin_up(self, before: Fields, after: Fields, step: int) -> None:
        """Remember a step of the truth; a memory of the archive's own sees it too."""
        if self.closure.spec.state and len(self._history) == self.n_history:
            self._evaluate(before, step)
        self.record(before, after)

    def predict(self, before: Fields, step: int) -> Prediction:
        """Return what the archive makes of columns."""
        if not self._spun_up:
            self._spun_up = self._counts()
        self._evaluate(before, step)
        found = {name: self._single(name) for name in self._outputs}
        tendencies: Fields = {}
        for name, profiles in TENDENCIES.items():
            if name in found and len(profiles) == 1:
                tendencies[profiles[0]] = found[name].T
        if "ptend_qn" in found:
            tendencies |= _shared_out(found["ptend_qn"].T, before, tendencies)
        fluxes = {own: found[name] for name, own in FLUXES.items() if name in found}
        return Prediction(tendencies, fluxes, self._binding.mask())

    def record(self, before: Fields, after: Fields) -> None:
        """Remember a step that is over, and commit a memory of the archive's own."""
        self._history.appendleft((before, after))
        if not self._is_committed:
            self._binding.commit()
            self._is_committed = True

    def flagged_fields(self) -> dict[str, dict[str, float]]:
        """Return, by field and reason, the share of evaluated columns that the guard flagged."""
        shares: dict[str, dict[str, float]] = {}
        for name, counts in self._counts().items():
            first = self._spun_up.get(name, dict.fromkeys(counts, 0))
            evaluated = max(counts["evaluated"] - first["evaluated"], 1)
            new = {k: (n - first[k]) / evaluated for k, n in counts.items() if k != "evaluated"}
            if any(new.values()):
                shares[name] = {reason: share for reason, share in new.items() if share}
        return shares

    def _evaluate(self, before: Fields, step: int) -> None:
        assemble(self.variables.inputs, self._values(before), self._grid, self._rows)
        self._prefill(before, step)
        self._binding.run(self._n_run)
        self._n_run += 1
        self._is_committed = False

    def _prefill(self, before: Fields, step: int) -> None:
        """Write what a column has that the guard leaves untouched."""
        if self._own is None:
            for values in self._outputs.values():
                values.fill(np.nan)
            return
        own = self._own.predict(before, step)
        for name, values in self._outputs.items():
            if name in FLUXES:
                values[...] = own.fluxes[FLUXES[name]]
            elif name in TENDENCIES:
                values[...] = np.sum([own.tendencies[p].T for p in TENDENCIES[name]], axis=0)

    def _values(self, before: Fields) -> Values:
        """Return what the inputs are made of, by file and number of steps back in time."""
        if len(self._history) < self.n_history:
            raise RolloutError(
                f"{self.path}: expected {self.n_history} steps before the first, got "
                f"{len(self._history)}; lengthen the spin-up"
            )
        steps: list[tuple[Fields, Fields]] = [(before, {}), *self._history]
        names = {"mli": BEFORE | STATE, "mlo": AFTER | STATE}
        values: dict[tuple[Literal["mli", "mlo"], int], dict[str, Array]] = {}
        for variable in self.variables.inputs:
            for file, lag, name in variable.reads:
                fields = steps[lag][0 if file == "mli" else 1]
                values.setdefault((file, lag), {})[name] = fields[names[file][name]].T
        return values or {("mli", 0): {"state_ps": before["surface_pressure"]}}

    def _bound(self, n_column: int, policy: Policy, seed: int) -> Binding:
        binding = self.closure.create(n_column, seed=seed, policy=policy)
        spec = self.closure.spec
        parts = self.variables.slices("inputs")
        for variable in self.variables.inputs:
            field = variable.field
            rows = self._rows[parts[field.name]]
            array = rows if field.dims else rows[0]
            binding.bind(field.name, array, dims=(*field.dims, "column"), units=field.units)
        units = {variable.field.name: variable.field.units for variable in self.variables.outputs}
        for field in spec.outputs:
            array = np.zeros((*field.sizes, n_column))
            binding.bind(
                field.name,
                array,
                dims=(*field.dims, "column"),
                units=units.get(field.name, field.units),
            )
            self._outputs[field.name] = array
        return binding

    def _single(self, name: str) -> Array:
        values = self._outputs[name]
        # Not yet overwritten by the next step, and kept by whoever asked for it.
        return values.mean(axis=0) if name in self._with_members else values.copy()

    def _counts(self) -> dict[str, dict[str, int]]:
        spec = self.closure.spec
        return {f.name: self._binding.counts(f.name) for f in (*spec.inputs, *spec.outputs)}


def _variables(path: Path, closure: CompiledClosure, n_level: int) -> VariableSet:
    spec = closure.spec
    known = [f.name for f in spec.outputs if f.name in TENDENCIES or f.name in FLUXES]
    if not {"ptend_t", "ptend_q0001"} & set(known):
        raise RolloutError(
            f"{path}: expected an output ptend_t or ptend_q0001, got "
            f"{', '.join(field.name for field in spec.outputs)}; a rollout needs tendencies"
        )
    if "ptend_qn" in known and {"ptend_q0002", "ptend_q0003"} & set(known):
        raise RolloutError(
            f"{path}: expected either ptend_qn or ptend_q0002 and ptend_q0003, got both"
        )
    try:
        variables = variables_named([field.name for field in spec.inputs], known, n_level)
    except DataError as error:
        raise RolloutError(f"{path}: {error}; the columns give ClimSim's variables only") from error
    given = {v.field.name: v.field.sizes for v in (*variables.inputs, *variables.outputs)}
    for field in (*spec.inputs, *(f for f in spec.outputs if f.name in given)):
        sizes = field.sizes[1:] if field.dims[:1] == (REALIZATION,) else field.sizes
        if sizes != given[field.name]:
            raise RolloutError(
                f"{path}: {field.name}: expected shape {given[field.name]}, that of the columns, "
                f"got {sizes}"
            )
    return variables


def _shared_out(tendency: Array, before: Fields, tendencies: Fields) -> Fields:
    """Return tendencies of liquid and ice: cloud is parted by the temperature after the step."""
    warming = tendencies.get("temperature", np.zeros_like(tendency))
    cloud = before["liquid"] + before["ice"] + TIMESTEP * tendency
    liquid = liquid_partition(before["temperature"] + TIMESTEP * warming) * cloud
    return {
        "liquid": (liquid - before["liquid"]) / TIMESTEP,
        "ice": (cloud - liquid - before["ice"]) / TIMESTEP,
    }
