"""Programs grow step by step here, and stay small: nothing is written twice, or for nothing.

What is left out changes no bit of a result: copies, gathers of gathers, equal steps, products with
1, and steps that no result needs. What is done to values that were joined and is asked for one of
them is done to that one: the members of an ensemble, computed as a batch, each run through by
themselves, and what one layer leaves stays in the cache for the next.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid.native.program import Array, Program
from hybrid.native.steps import (
    TYPES,
    Binary,
    Cast,
    Concatenate,
    Constant,
    Gather,
    Select,
    Step,
    Unary,
)

Index = NDArray[np.int64]


class Builder:
    """A program in the making; methods return the number of a value."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.sizes: list[int] = []
        self.types: list[str] = []
        self._tensors: list[Array] = []
        self._tensor_of: dict[tuple[str, tuple[int, ...], bytes], int] = {}
        self._value_of: dict[Step, int] = {}
        self._ends: list[Index | None] = []

    def add(self, step: Step) -> int:
        """Add a step, unless there is an equal one."""
        found = self._value_of.get(step)
        if found is None:
            found = len(self.steps)
            self.sizes.append(step.value_size(self.sizes, [t.shape for t in self._tensors]))
            self.types.append(step.value_type(self.types, [t.dtype.name for t in self._tensors]))
            self.steps.append(step)
            self._ends.append(self._ends_of_parts(step))
            self._value_of[step] = found
        return found

    def tensor(self, values: NDArray[Any], dtype: str = TYPES[0]) -> int:
        """Return the number of a tensor of a type."""
        array = np.ascontiguousarray(values, dtype=dtype)
        key = (dtype, array.shape, hashlib.sha256(array.data).digest())
        if key not in self._tensor_of:
            self._tensor_of[key] = len(self._tensors)
            self._tensors.append(array)
        return self._tensor_of[key]

    def constant(self, values: NDArray[Any], dtype: str = TYPES[0]) -> int:
        """Return a value that is the same for all columns; one number if all are equal."""
        array = np.ascontiguousarray(values, dtype=dtype).reshape(-1)
        # As bytes, in which NaN equals itself and -0 differs from 0.
        bits = array.view(f"i{array.itemsize}")
        return self.spread(array[:1] if _alike(bits) else array, dtype)

    def spread(self, values: NDArray[Any], dtype: str = TYPES[0]) -> int:
        """Return a constant of as many features as there are `values`."""
        return self.add(Constant("constant", self.tensor(np.reshape(values, -1), dtype)))

    def cast(self, x: int, dtype: str) -> int:
        """Return a value in a type."""
        step = self.steps[x]
        if self.types[x] == dtype:
            return x
        if isinstance(step, Constant):
            return self.spread(self._tensors[step.tensor], dtype)
        if isinstance(step, Cast) and dtype == TYPES[0]:
            # It was float32 before it was float64, and nothing was lost.
            return step.x
        return self.add(Cast(dtype, x))

    def gather(self, x: int, index: Index) -> int:
        """Return features of x by their numbers."""
        step = self.steps[x]
        if isinstance(step, Gather):
            return self.gather(step.x, np.asarray(step.index)[index])
        if np.array_equal(index, np.arange(self.sizes[x])):
            return x
        if isinstance(step, Constant):
            return self.spread(self._tensors[step.tensor].reshape(-1)[index], self.types[x])
        ends = self._ends[x]
        if ends is not None:
            parts = np.searchsorted(ends, index, side="right")
            if _alike(parts) and isinstance(step, Concatenate):
                part = step.xs[parts[0]]
                return self.gather(part, index - (ends[parts[0]] - self.sizes[part]))
            if _alike(parts):
                return self.add(
                    step.renumbered(lambda o: self.gather(o, index) if self.sizes[o] > 1 else o)
                )
        return self.add(Gather("gather", x, tuple(index.tolist())))

    def concatenate(self, xs: Sequence[int]) -> int:
        """Return values one behind the other."""
        if len(xs) == 1:
            return xs[0]
        return self.add(Concatenate("concatenate", tuple(xs)))

    def binary(self, op: str, a: int, b: int) -> int:
        """Return an elementwise function of two values."""
        if op in {"multiply", "divide"} and self._is_one(b) and self._covers(a, b):
            return a
        if op == "multiply" and self._is_one(a) and self._covers(b, a):
            return b
        return self.add(Binary(op, a, b))

    def program(self, results: Sequence[int]) -> Program:
        """Return the program of these results, without what they do not need."""
        needed = set(results)
        for i in reversed(range(len(self.steps))):
            if i in needed:
                needed.update(self.steps[i].operands())
        kept = sorted(needed)
        value = {old: new for new, old in enumerate(kept)}
        used = sorted({t for i in kept for t in self.steps[i].tensors()})
        tensor = {old: new for new, old in enumerate(used)}
        return Program(
            steps=tuple(
                self.steps[i].renumbered(value.__getitem__, tensor.__getitem__) for i in kept
            ),
            tensors=tuple(self._tensors[i] for i in used),
            results=tuple(value[i] for i in results),
        )

    def _ends_of_parts(self, step: Step) -> Index | None:
        """Return where the parts of a value end that is joined, or elementwise of one that is."""
        if isinstance(step, Concatenate):
            return np.cumsum([self.sizes[part] for part in step.xs])
        if isinstance(step, Unary | Binary | Select):
            known = [self._ends[x] for x in step.operands() if self.sizes[x] > 1]
            return next((ends for ends in known if ends is not None), None)
        return None

    def _is_one(self, x: int) -> bool:
        step = self.steps[x]
        return isinstance(step, Constant) and bool((self._tensors[step.tensor] == 1.0).all())

    def _covers(self, a: int, b: int) -> bool:
        return self.sizes[b] in {1, self.sizes[a]}


def _alike(values: NDArray[Any]) -> bool:
    return bool((values == values[0]).all())
