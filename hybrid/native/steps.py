"""The steps of a native program: what each computes of earlier values, and how large it is.

A value is a vector of features of one column, all float32 or all float64. A step names earlier
values by their numbers, and tensors of the program by theirs; `fortran_bridge/FORMAT.md` has the
table of steps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from hybrid.native.errors import ProgramError

Shapes = Sequence[tuple[int, ...]]
"""Shapes of the tensors of a program."""

UNARY = (
    *("relu", "sigmoid", "silu", "tanh", "gelu", "gelu_tanh", "exp", "log", "sqrt", "negative"),
    *("absolute", "reciprocal", "square"),
)
"""Elementwise functions of one value."""

TYPES = ("float32", "float64")
"""Types of values, and the casts to them."""

FLOAT32_ALONE = ("gelu",)
"""Functions that engines have for float32 alone."""

BINARY = (
    *("add", "subtract", "multiply", "divide", "minimum", "maximum"),
    *("less", "less_equal", "equal"),
)
"""Elementwise functions of two values; the last three give 1 where they hold, else 0."""

LARGEST_EXPONENT = 2**16
"""Factors of one power."""


@dataclass(frozen=True)
class Step:
    """One step; subclasses add what it is made of.

    Parameters
    ----------
    op
        Its name in the table.
    """

    op: str

    VALUES: ClassVar[tuple[str, ...]] = ()
    """Its fields that name earlier values: a number, or a tuple of them."""
    TENSORS: ClassVar[tuple[str, ...]] = ()
    """Its fields that name tensors of the program: a number, or None."""

    def operands(self) -> tuple[int, ...]:
        """Return the numbers of the values that it reads."""
        return self._numbers(self.VALUES)

    def tensors(self) -> tuple[int, ...]:
        """Return the numbers of the tensors that it reads."""
        return self._numbers(self.TENSORS)

    def renumbered(
        self, value: Callable[[int], int], tensor: Callable[[int], int] = lambda number: number
    ) -> Self:
        """Return the same step of other values and tensors.

        Parameters
        ----------
        value, tensor
            Old number to new one.
        """
        changes: dict[str, Any] = {
            name: _changed(getattr(self, name), new)
            for names, new in ((self.VALUES, value), (self.TENSORS, tensor))
            for name in names
        }
        return replace(self, **changes)

    def _numbers(self, names: tuple[str, ...]) -> tuple[int, ...]:
        found: list[int] = []
        for name in names:
            number = getattr(self, name)
            if number is not None:
                found += number if isinstance(number, tuple) else (number,)
        return tuple(found)

    def value_type(self, types: Sequence[str], dtypes: Sequence[str]) -> str:
        """Return the type of its value: that of all that it reads.

        Parameters
        ----------
        types
            Types of earlier values.
        dtypes
            Types of the tensors.

        Raises
        ------
        ProgramError
            If what it reads is of several types, or there is no such function of this type.
        """
        read = [types[x] for x in self.operands()] + [dtypes[t] for t in self.tensors()]
        _check(len(set(read)) == 1, f"{self.op}: expected operands of one type, got {read}")
        _check(
            read[0] == TYPES[0] or self.op not in FLOAT32_ALONE,
            f"{self.op}: expected an operand in float32, got {read[0]}",
        )
        return read[0]

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:
        """Return the size of its value.

        Parameters
        ----------
        sizes
            Sizes of earlier values.
        shapes
            Shapes of the tensors.

        Raises
        ------
        ProgramError
            If what it reads does not fit together.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Input(Step):
    """An argument of forward (inputs, state, noise in order), flattened."""

    argument: int
    size: int
    dtype: str = TYPES[0]

    def value_type(self, types: Sequence[str], dtypes: Sequence[str]) -> str:  # noqa: ARG002
        """Return its own type."""
        known = " or ".join(TYPES)
        _check(self.dtype in TYPES, f"input: expected a dtype of {known}, got {self.dtype!r:.80}")
        return self.dtype

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return its own size."""
        _check(self.size >= 1, f"input: expected a size of at least 1, got {self.size}")
        return self.size


@dataclass(frozen=True)
class Constant(Step):
    """A tensor, flattened, the same for all columns."""

    TENSORS = ("tensor",)

    tensor: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the number of elements."""
        return math.prod(shapes[self.tensor])


@dataclass(frozen=True)
class Linear(Step):
    """``W x + b`` with W ``(n_out, n_in)``."""

    VALUES = ("x",)
    TENSORS = ("weight", "bias")

    x: int
    weight: int
    bias: int | None

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:
        """Return n_out."""
        shape = shapes[self.weight]
        _check(
            len(shape) == 2 and shape[1] == sizes[self.x],
            f"linear: expected a weight of shape (any, {sizes[self.x]}), got {shape}",
        )
        if self.bias is not None:
            _check_vector("bias of linear", shapes[self.bias], shape[0])
        return shape[0]


@dataclass(frozen=True)
class Unary(Step):
    """An elementwise function of one value, see `UNARY`."""

    VALUES = ("x",)

    x: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the size of x."""
        return sizes[self.x]


@dataclass(frozen=True)
class Cast(Unary):
    """x in the type that its name says, rounded to nearest."""

    def value_type(self, types: Sequence[str], dtypes: Sequence[str]) -> str:  # noqa: ARG002
        """Return the type that it casts to."""
        return self.op


@dataclass(frozen=True)
class LeakyRelu(Unary):
    """``x`` where it is not negative, ``slope * x`` elsewhere."""

    slope: float


@dataclass(frozen=True)
class Elu(Unary):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    alpha: float


@dataclass(frozen=True)
class Clamp(Unary):
    """``x`` between two numbers; None for no limit."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Power(Unary):
    """``x * x * ...``, `exponent` factors from the left."""

    exponent: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:
        """Return the size of x."""
        _check(
            1 <= self.exponent <= LARGEST_EXPONENT,
            f"power: expected an exponent from 1 to {LARGEST_EXPONENT}, got {self.exponent}",
        )
        return super().value_size(sizes, shapes)


@dataclass(frozen=True)
class Binary(Step):
    """An elementwise function of two values of equal size, or one of them of size 1."""

    VALUES = ("a", "b")

    a: int
    b: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the larger size."""
        return _common(self.op, [sizes[i] for i in self.operands()])


@dataclass(frozen=True)
class Select(Step):
    """``a`` where `condition` is not 0, else ``b``; sizes as of `Binary`."""

    VALUES = ("condition", "a", "b")

    condition: int
    a: int
    b: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the largest size."""
        return _common(self.op, [sizes[i] for i in self.operands()])


@dataclass(frozen=True)
class Gather(Step):
    """Features of x in another order, some of them, or some several times."""

    VALUES = ("x",)

    x: int
    index: tuple[int, ...]

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the number of indices."""
        n = sizes[self.x]
        _check(
            all(0 <= i < n for i in self.index or (-1,)),
            f"gather: expected indices from 0 to {n - 1}, got others or none",
        )
        return len(self.index)


@dataclass(frozen=True)
class Concatenate(Step):
    """Values one behind the other."""

    VALUES = ("xs",)

    xs: tuple[int, ...]

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the sum of sizes."""
        _check(bool(self.xs), "concatenate: expected values, got none")
        return sum(sizes[x] for x in self.xs)


@dataclass(frozen=True)
class LayerNorm(Step):
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` over each n consecutive features."""

    VALUES = ("x",)
    TENSORS = ("weight", "bias")

    x: int
    n: int
    weight: int | None
    bias: int | None
    eps: float

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:
        """Return the size of x."""
        _check_groups(self.op, sizes[self.x], self.n)
        for tensor in self.tensors():
            _check_vector("weight and bias of layer_norm", shapes[tensor], self.n)
        return sizes[self.x]


@dataclass(frozen=True)
class Sum(Step):
    """Sums over each n consecutive features, in order."""

    VALUES = ("x",)

    x: int
    n: int

    def value_size(self, sizes: Sequence[int], shapes: Shapes) -> int:  # noqa: ARG002
        """Return the number of sums."""
        _check_groups(self.op, sizes[self.x], self.n)
        return sizes[self.x] // self.n


STEPS: dict[str, type[Step]] = {
    "input": Input,
    "constant": Constant,
    "linear": Linear,
    **dict.fromkeys(BINARY, Binary),
    **dict.fromkeys(UNARY, Unary),
    **dict.fromkeys(TYPES, Cast),
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "clamp": Clamp,
    "gather": Gather,
    "concatenate": Concatenate,
    "layer_norm": LayerNorm,
    "sum": Sum,
    "power": Power,
    "select": Select,
}
"""Every step by the name of its operation."""


def _changed(
    number: int | tuple[int, ...] | None, new: Callable[[int], int]
) -> int | tuple[int, ...] | None:
    if isinstance(number, tuple):
        return tuple(map(new, number))
    return None if number is None else new(number)


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ProgramError(message)


def _check_groups(op: str, size: int, n: int) -> None:
    _check(n >= 1 and size % n == 0, f"{op}: expected {size} features in groups, got groups of {n}")


def _check_vector(what: str, shape: tuple[int, ...], n: int) -> None:
    _check(shape == (n,), f"{what}: expected shape ({n},), got {shape}")


def _common(op: str, sizes: Sequence[int]) -> int:
    largest = max(sizes)
    _check(
        all(size in {1, largest} for size in sizes),
        f"{op}: expected equal sizes, or 1, got {', '.join(map(str, sizes))}",
    )
    return largest
