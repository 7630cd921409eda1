"""A native program: steps in order, the tensors they read, and which values are its results."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.spec import ClosureSpec
from hybrid.native.errors import ProgramError
from hybrid.native.steps import Input, Linear, Step

Array = NDArray[np.float32] | NDArray[np.float64]

MOST_STEPS = 2**16
"""Steps of one program."""
LARGEST_VALUE = 2**24
"""Features of one value."""
MOST_FEATURES = 2**26
"""Features of all values together."""
MOST_WEIGHTS = 2**28
"""Elements of the weights of all steps `linear` together, each counted as often as it is read."""


@dataclass(frozen=True, eq=False)
class Program:
    """What a closure computes for one column.

    Parameters
    ----------
    steps
        Step i makes value i of earlier values.
    tensors
        float32 and float64 arrays that steps name by their number.
    results
        Values that are the results of forward: outputs, then new state.

    Attributes
    ----------
    sizes : tuple of int
        Size of each value [features].
    types : tuple of str
        Type of each value.

    Raises
    ------
    ProgramError
        If a step reads what does not exist yet or does not fit, or a bound is exceeded.
    """

    steps: tuple[Step, ...]
    tensors: tuple[Array, ...]
    results: tuple[int, ...]
    sizes: tuple[int, ...] = field(init=False, repr=False)
    types: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes = value_sizes(self.steps, [tensor.shape for tensor in self.tensors])
        for number in self.results:
            if not 0 <= number < len(sizes):
                raise ProgramError(
                    f"results: expected values from 0 to {len(sizes) - 1}, got {number}"
                )
        object.__setattr__(self, "sizes", sizes)
        dtypes = [tensor.dtype.name for tensor in self.tensors]
        object.__setattr__(self, "types", value_types(self.steps, dtypes))

    def check_fits(self, arguments: Sequence[int], results: Sequence[int]) -> None:
        """Raise `ProgramError` unless inputs and results have these sizes [features]."""
        for step in self.steps:
            if not isinstance(step, Input):
                continue
            known = 0 <= step.argument < len(arguments)
            if not known or step.size != arguments[step.argument]:
                raise ProgramError(
                    f"input {step.argument}: expected one of arguments of sizes "
                    f"{list(arguments)}, got size {step.size}"
                )
        found = [self.sizes[number] for number in self.results]
        if found != list(results):
            raise ProgramError(f"results: expected sizes {list(results)}, got {found}")

    def check_contract(self, spec: ClosureSpec) -> None:
        """Raise `ProgramError` unless inputs and results are those of a contract."""
        self.check_fits([a.size for a in spec.arguments], [r.size for r in spec.results])
        self.check_types([a.dtype for a in spec.arguments], [r.dtype for r in spec.results])

    def check_types(self, arguments: Sequence[str], results: Sequence[str]) -> None:
        """Raise `ProgramError` unless inputs and results have these types."""
        for step in self.steps:
            if isinstance(step, Input) and step.dtype != arguments[step.argument]:
                raise ProgramError(
                    f"input {step.argument}: expected {arguments[step.argument]}, got {step.dtype}"
                )
        found = [self.types[number] for number in self.results]
        if found != list(results):
            raise ProgramError(f"results: expected types {list(results)}, got {found}")


def value_sizes(steps: Sequence[Step], shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the size of each value [features]; raise `ProgramError` as `Program` does."""
    _check_bound("steps", len(steps), MOST_STEPS)
    sizes: list[int] = []
    for i, step in enumerate(steps):
        _check_numbers(f"step {i} ({step.op}): values", step.operands(), i)
        _check_numbers(f"step {i} ({step.op}): tensors", step.tensors(), len(shapes))
        try:
            size = step.value_size(sizes, shapes)
        except ProgramError as error:
            raise ProgramError(f"step {i}: {error}") from error
        if not 1 <= size <= LARGEST_VALUE:
            raise ProgramError(
                f"step {i} ({step.op}): expected 1 to {LARGEST_VALUE} features, got {size}"
            )
        sizes.append(size)
    weights = sum(math.prod(shapes[s.weight]) for s in steps if isinstance(s, Linear))
    _check_bound("features of all values", sum(sizes), MOST_FEATURES)
    _check_bound("weights of linear steps", weights, MOST_WEIGHTS)
    return tuple(sizes)


def value_types(steps: Sequence[Step], dtypes: Sequence[str]) -> tuple[str, ...]:
    """Return the type of each value, given those of tensors; raise `ProgramError` as `Program`."""
    types: list[str] = []
    for i, step in enumerate(steps):
        try:
            types.append(step.value_type(types, dtypes))
        except ProgramError as error:
            raise ProgramError(f"step {i}: {error}") from error
    return tuple(types)


def _check_bound(what: str, found: int, most: int) -> None:
    if found > most:
        raise ProgramError(f"{what}: expected at most {most}, got {found}")


def _check_numbers(what: str, numbers: Sequence[Any], stop: int) -> None:
    for number in numbers:
        if not 0 <= number < stop:
            raise ProgramError(f"{what}: expected numbers below {stop}, got {number}")
