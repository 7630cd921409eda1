"""Whether a run continues another as it was: what is recorded of both is compared.

The same bits follow from the same parameters, the same versions of the software, the same FFT
library and the same type of machine. Parameters must agree; of the others that are recorded, a
difference is a warning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.caller_warning import warn_caller
from solvers.description import Description
from solvers.fft import Transform, backend_version, backends_for
from solvers.forcing import BandForcing
from solvers.integration import Integration
from solvers.restart_variables import RESTART, restart_step
from solvers.tendency_source import (
    BoundTendency,
    CTendency,
    GridField,
    PythonTendency,
    PythonTendencySource,
    TendencySource,
)

STEP = f"{RESTART}step"
"""The restart variable that holds the number of steps done."""

CIRCUMSTANCES = frozenset({"versions", "Conventions", "fft", "fft_library"})
"""What runs may differ in and still be the same run, though perhaps not bit for bit."""

NO_CLOSURE = "none"
"""The attribute ``tendency`` of a run without a closure."""

_MOST_SHOWN = 8
# A moment in time is that of a step when rounding alone makes the difference.
_ROUNDING = 1e-6


class Difference(NamedTuple):
    """What two runs differ in; texts for people."""

    name: str
    before: str
    now: str


def first_difference(
    before: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]
) -> Difference | None:
    """Return the first of some named values that two runs do not share; None: they share all.

    The name of the model comes first, because another one differs in most of the rest.
    """
    for name in sorted(names, key=lambda name: (name != "model", name)):
        old, new = (values.get(name, "nothing") for values in (before, now))
        if not np.array_equal(np.atleast_1d(old), np.atleast_1d(new)):
            return Difference(name, _shown(old), _shown(new))
    return None


def warn_of_circumstances(what: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Warn if the bits may change because other software continues a run.

    Parameters
    ----------
    what
        Name of the run in messages.
    before, now
        Attributes of both runs.
    """
    for name, text in (("versions", ""), ("fft_library", "FFT library ")):
        old, new = before.get(name), now.get(name)
        if None not in (old, new) and old != new:
            warn_caller(
                f"{what} was begun with {text}{old} and continues with {text}{new}: "
                "it need not be what one of them computes, bit for bit"
            )


def check_continuable(
    dataset: xr.Dataset, model: Description, state_shape: tuple[int, ...]
) -> None:
    """Check that a dataset is of a model, and ends where its restart variables are.

    Parameters
    ----------
    dataset
        What an earlier run returned.
    model
        What is to continue it.
    state_shape
        Shape of the initial fields of one member, for the message.

    Raises
    ------
    ValueError
        If a parameter or a coordinate differs, if the dataset does not end with the moment that
        can be continued, or if random forcing would meet members that have other numbers.
    """
    attributes = model.attributes()
    names = {*attributes, *(f.name for f in fields(model))} - CIRCUMSTANCES  # type: ignore[arg-type]
    positions = {name: v.values for name, v in model.coordinates().items()}
    found = first_difference(dataset.attrs, attributes, sorted(names)) or first_difference(
        {str(name): v.values for name, v in dataset.variables.items()}, positions, list(positions)
    )
    if found is not None:
        raise ValueError(
            f"initial: {found.name}: expected {found.now} as in the model, got {found.before} in "
            f"the dataset; to begin anew from its last fields give "
            f"{_fields_to_begin_with(dataset, state_shape)}"
        )
    _check_moment(dataset, model)
    numbers = member_numbers(dataset)
    random = isinstance(getattr(model, "forcing", None), BandForcing)
    if random and not np.array_equal(numbers, np.arange(len(numbers))):
        raise ValueError(
            f"initial: member: expected all members, 0, 1, ..., got {_shown(numbers)}: random "
            "forcing depends on the number of a member; continue all of them and choose afterwards"
        )


def member_numbers(dataset: xr.Dataset) -> NDArray[np.int64]:
    """Return the numbers of the members of a dataset, which stay theirs.

    Raises
    ------
    ValueError
        If they are not distinct numbers 0, 1, ...
    """
    known = "member" in dataset.variables or "member" in dataset.sizes
    numbers = np.atleast_1d(dataset["member"].to_numpy()) if known else np.zeros(1, np.int64)
    if (
        not np.issubdtype(numbers.dtype, np.integer)
        or (numbers < 0).any()
        or len(np.unique(numbers)) != len(numbers)
    ):
        raise ValueError(
            f"initial: member: expected distinct numbers 0, 1, ..., got {_shown(numbers)}; "
            f"give them by assign_coords(member=range({len(numbers)}))"
        )
    return numbers.astype(np.int64)


@dataclass(frozen=True)
class NumberedMembers:
    """A tendency source that knows members by the numbers they have had from the beginning.

    Parameters
    ----------
    source
        The closure.
    numbers
        Number of each member of the run.
    """

    source: TendencySource
    numbers: NDArray[np.int64]

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return what the solver calls for a member."""
        return self.source.bind(int(self.numbers[member]), fields, tendencies)


def describe(tendency: PythonTendency | TendencySource | None) -> str:
    """Return what the data say of a closure: its name, as exactly as it has one.

    Examples
    --------
    >>> describe(None)
    'none'
    >>> def drag(fields, step):
    ...     return -1e-7 * fields["q"]
    >>> describe(drag)
    'drag'
    """
    if tendency is None:
        return NO_CLOSURE
    if isinstance(tendency, CTendency):
        return "C function"
    function = tendency.function if isinstance(tendency, PythonTendencySource) else tendency
    name = getattr(function, "description", None)
    if isinstance(name, str):
        return name
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def warn_of_closure(before: Mapping[str, Any], tendency: str) -> None:
    """Warn if a run is continued without the closure that it had, or with another.

    To give a closure to a run that had none is what one does on purpose.
    """
    old = before.get("tendency", NO_CLOSURE)
    if old not in (NO_CLOSURE, tendency):
        warn_caller(
            f"initial: the run was begun with the closure {old} and continues with {tendency}; "
            "give the same tendency if it is to go on as it was"
        )


def fft_library(integration: Integration) -> str | None:
    """Return names and versions of the libraries that transform in a run; None without any."""
    names = {transform.backend for transform in _transforms(integration)}
    return ", ".join(f"{name} {backend_version(name)}" for name in sorted(names)) or None


def library_to_keep(begun: Mapping[str, Any], integration: Integration) -> str | None:
    """Return the library that an earlier part of the run used, if it is to be used instead.

    Parameters
    ----------
    begun
        Attributes of that part.
    integration
        The run as planned.

    Returns
    -------
    str or None
        Name of the library; None: it is used already, is not here, or the model asks for another.
    """
    transforms = _transforms(integration)
    names = {text.split()[0] for text in str(begun.get("fft_library", "")).split(", ") if text}
    chosen = getattr(integration.model, "fft", None) == "auto"
    if not chosen or len(names) != 1 or names == {t.backend for t in transforms}:
        return None
    (name,) = names
    here = all(name in backends_for(t.shape, t.dtype) for t in transforms)
    return name if here else None


def _transforms(integration: Integration) -> list[Transform]:
    return [value for value in vars(integration).values() if isinstance(value, Transform)]


def _check_moment(dataset: xr.Dataset, model: Description) -> None:
    step = restart_step(dataset)
    times = dataset.variables["time"].values if "time" in dataset.variables else np.empty(0)
    last = np.atleast_1d(times)[-1:]
    if not (len(last) and abs(last[0] - step * model.dt) <= _ROUNDING * model.dt):
        raise ValueError(
            f"initial: time: expected {step * model.dt:g} at the end, the moment of its restart "
            f"variables, got {_shown(last)}: only the last moment can be continued; to begin anew "
            "from another one give its fields, as in initial=ds.q.isel(time=i)"
        )


def _fields_to_begin_with(dataset: xr.Dataset, state_shape: tuple[int, ...]) -> str:
    for name, variable in dataset.data_vars.items():
        if variable.dims[:2] == ("time", "member") and variable.shape[2:] == state_shape:
            return f"initial=run.{name}[-1]"
    return f"an array of shape {state_shape} for each member"


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.size <= _MOST_SHOWN:
        return ", ".join(map(str, np.atleast_1d(array).ravel().tolist())) or "none"
    return f"{array.size} values from {array.min()} to {array.max()}"
