"""Variable sets of ClimSim: which file variables a closure reads and predicts, in which order.

The sets themselves are data, in ``variables.toml``. A closure's field names are lower case
(Fortran, C and Python then agree on them); the files spell some of them in capitals.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from closures.climsim.errors import DataError
from closures.field import Field

File = Literal["mli", "mlo"]
Kind = Literal[
    "value",
    "tendency",
    "dynamics",
    "relative_humidity",
    "liquid_partition",
    "cosine_of_latitude",
    "sine_of_latitude",
    "column_number",
]

TIMESTEP = 1200.0
"""Time between an mli and its mlo file, and between consecutive steps [s]."""


@dataclass(frozen=True)
class Variable:
    """One variable of the files and the closure field that carries it.

    Parameters
    ----------
    field
        Contract of the field: name, units, dims, shape.
    label
        Short name in score tables, for example ``"dT"``.
    kind
        How the field is made from the files; see ``variables.toml``.
    of
        Names in the files; their sum, except in a formula.
    file
        File of a ``"value"``.
    lag
        Number of steps back in time.
    fill
        Value in the files that means absent and is read as 0; None if there is none.
    """

    field: Field
    label: str
    kind: Kind
    of: tuple[str, ...]
    file: File = "mli"
    lag: int = 0
    fill: float | None = None

    @property
    def reads(self) -> tuple[tuple[File, int, str], ...]:
        """File, lag and name of everything that is read for this variable."""
        places: tuple[tuple[File, int], ...] = ((self.file, self.lag),)
        if self.kind == "tendency":
            places = (("mli", self.lag), ("mlo", self.lag))
        elif self.kind == "dynamics":
            places = (("mli", self.lag), ("mlo", self.lag + 1))
        return tuple((file, lag, name) for file, lag in places for name in self.of)


@dataclass(frozen=True)
class VariableSet:
    """Inputs and outputs of an emulator, in feature order.

    Parameters
    ----------
    name
        Name of the set in the ClimSim papers, for example ``"V1"``.
    inputs, outputs
        Variables in feature order; a profile takes one feature a level, model top first.
    n_level
        Number of levels of a profile.
    """

    name: str
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    n_level: int = 60

    @property
    def n_input(self) -> int:
        """Number of input features."""
        return sum(variable.field.size for variable in self.inputs)

    @property
    def n_output(self) -> int:
        """Number of output features."""
        return sum(variable.field.size for variable in self.outputs)

    @cached_property
    def n_history(self) -> int:
        """Number of consecutive earlier steps that a sample needs."""
        return max(lag for _, lag in self.reads)

    @property
    def needs_grid(self) -> bool:
        """Whether an input depends on where a column is."""
        return any(variable.kind.endswith("_latitude") for variable in self.inputs)

    @cached_property
    def reads(self) -> dict[tuple[File, int], tuple[str, ...]]:
        """Names to read, by file and number of steps back in time."""
        wanted: dict[tuple[File, int], dict[str, None]] = {}
        for variable in self.inputs + self.outputs:
            for file, lag, name in variable.reads:
                wanted.setdefault((file, lag), {})[name] = None
        return {place: tuple(names) for place, names in wanted.items()}

    @cached_property
    def profiles(self) -> frozenset[str]:
        """Names in the files of what has one value a level."""
        return frozenset(
            name
            for variable in self.inputs + self.outputs
            if variable.field.dims
            for name in variable.of
        )

    def slices(self, group: Literal["inputs", "outputs"]) -> dict[str, slice]:
        """Return the feature range of each field of `group`, by field name."""
        ranges, start = {}, 0
        variables: tuple[Variable, ...] = getattr(self, group)
        for variable in variables:
            ranges[variable.field.name] = slice(start, start + variable.field.size)
            start += variable.field.size
        return ranges


def set_names() -> tuple[str, ...]:
    """Return the names of all variable sets.

    Examples
    --------
    >>> set_names()
    ('V1', 'V1_albedo', 'V2', 'v2_rh', 'v2_rh_mc', 'v4', 'v5', 'v6')
    """
    return tuple(_table()["sets"])


@cache
def variable_set(name: str, n_level: int = 60) -> VariableSet:
    """Return one of ClimSim's variable sets.

    Parameters
    ----------
    name
        One of `set_names`: ``V1`` and ``V2`` of the first paper, ``V1_albedo`` (V1 and the four
        albedos, with which net sunlight follows from the four solar fluxes), ``v2_rh``, ``v4``,
        ``v5`` and ``v6`` of the online networks, ``v2_rh_mc`` of the competition.
    n_level
        Number of levels of a profile.

    Raises
    ------
    DataError
        If there is no set of that name.

    References
    ----------
    Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate
    emulation, NeurIPS Datasets and Benchmarks, table 1.
    Hu et al. 2025, Stable machine-learning parameterization of subgrid processes,
    arXiv:2407.00124.

    Examples
    --------
    >>> v5 = variable_set("v5")
    >>> v5.n_input, v5.n_output, v5.n_history
    (1405, 308, 2)
    >>> v5.slices("inputs")["state_ps"]
    slice(1380, 1381, None)
    """
    table = _table()
    if name not in table["sets"]:
        raise DataError(f"variables: expected one of {', '.join(set_names())}, got {name!r}")

    def group(key: str) -> tuple[Variable, ...]:
        names = _expanded(table["sets"][name][key], table["groups"])
        return tuple(_variable(item, table["variables"][item], n_level) for item in names)

    return VariableSet(name, group("inputs"), group("outputs"), n_level)


def variables_named(
    inputs: Sequence[str], outputs: Sequence[str], n_level: int = 60
) -> VariableSet:
    """Return a set of one's own, of variables by the names of their fields.

    Parameters
    ----------
    inputs, outputs
        Names of fields in feature order; those that several sets share are the same in all.
    n_level
        Number of levels of a profile.

    Raises
    ------
    DataError
        If there is no variable of a name.

    Examples
    --------
    >>> variables_named(["state_rh", "cam_in_aldif"], ["ptend_t"]).n_input
    61
    """
    entries = {name.lower(): (name, entry) for name, entry in _table()["variables"].items()}
    unknown = [name for name in (*inputs, *outputs) if name not in entries]
    if unknown:
        raise DataError(
            f"variables: expected names of ClimSim's variables such as state_t, got "
            f"{', '.join(unknown)}"
        )

    def group(names: Sequence[str]) -> tuple[Variable, ...]:
        return tuple(_variable(*entries[name], n_level) for name in names)

    return VariableSet("", group(inputs), group(outputs), n_level)


def v1(n_level: int = 60) -> VariableSet:
    """Return the V1 set: 124 inputs and 128 outputs at 60 levels.

    Examples
    --------
    >>> v1().n_input, v1().n_output
    (124, 128)
    """
    return variable_set("V1", n_level)


@cache
def _table() -> dict[str, Any]:
    text = (files("closures.climsim") / "variables.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _expanded(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    found: list[str] = []
    for name in names:
        found += _expanded(groups[name[1:]], groups) if name.startswith("@") else [name]
    return found


def _variable(name: str, entry: Mapping[str, Any], n_level: int) -> Variable:
    profile = entry.get("profile", False)
    return Variable(
        field=Field(
            name.lower(),
            entry["units"],
            ("level",) if profile else (),
            (n_level,) if profile else (),
            standard_name=entry.get("standard_name", ""),
        ),
        label=entry.get("label", name.rpartition("_")[2]),
        kind=entry.get("kind", "value"),
        of=tuple(entry.get("of", [name])),
        file=entry.get("file", "mli"),
        lag=entry.get("lag", 0),
        fill=entry.get("fill"),
    )
