"""From operations on tensors of many columns to steps on the features of one.

Each tensor that depends on forward's arguments is followed by a tensor of *places* of the same
shape: whose column, and which feature of which value, every element is. Operations that only move
elements move places; an operation that computes asks for the features of each operand in one order,
and is refused unless all columns have the same ones. So a batch may be folded, repeated or split
on the way, as long as no column meets another.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid.native.builder import Builder
from hybrid.native.errors import NotExpressedError
from hybrid.native.steps import TYPES, Input

Index = NDArray[np.int64]

MIXED = "forward mixes columns, or does not treat all of them alike"


@dataclass(frozen=True, eq=False)
class Tracked:
    """A tensor that depends on the arguments of forward.

    Parameters
    ----------
    value
        Number of the value that its elements are features of.
    size
        Features of that value.
    places
        ``column * size + feature`` of each element; int64, of the tensor's shape.
    """

    value: int
    size: int
    places: Tensor

    def like(self, places: Tensor) -> "Tracked":
        """Return another tensor of features of the same value."""
        return Tracked(self.value, self.size, places)


Operand = Tracked | Tensor | float


@dataclass(frozen=True, eq=False)
class Order:
    """Which elements of a tensor, flattened, belong to which column.

    Parameters
    ----------
    shape
        Of the tensor.
    elements
        ``(n_column, n_feature)``: numbers of elements, ascending in each row.
    """

    shape: tuple[int, ...]
    elements: Index


class Lowering:
    """Steps for tensors of a certain number of columns.

    Parameters
    ----------
    n_column
        Columns of the batch that forward is followed with.

    Attributes
    ----------
    precision : str
        Type in which the operation at hand computes: what it reads is cast to it.
    """

    def __init__(self, n_column: int) -> None:
        self.n_column = n_column
        self.builder = Builder()
        self.precision = TYPES[0]

    def argument(self, number: int, shape: Sequence[int], dtype: str) -> Tracked:
        """Return argument `number` of forward, of shape ``(n_column, ...)``."""
        places = torch.arange(int(np.prod(shape))).reshape(tuple(shape))
        size = places.numel() // self.n_column
        return Tracked(self.builder.add(Input("input", number, size, dtype)), size, places)

    @contextmanager
    def computing_in(self, dtype: str) -> Iterator[None]:
        """Compute in another type for a while."""
        before, self.precision = self.precision, dtype
        try:
            yield
        finally:
            self.precision = before

    def cast(self, tracked: Tracked) -> Tracked:
        """Return the same tensor in the type of the operation at hand."""
        if self.builder.types[tracked.value] == self.precision:
            return tracked
        order = self.order(tracked)
        return self.tracked(self.broadcast(tracked, order), order)

    def gathered(self, tracked: Tracked, features: Index) -> int:
        """Return some features of a tensor's value, in the type of the operation at hand."""
        return self.builder.cast(self.builder.gather(tracked.value, features), self.precision)

    def argument_order(self, shape: Sequence[int]) -> Order:
        """Return the order of a tensor ``(n_column, ...)`` whose rows are columns."""
        elements = np.arange(int(np.prod(shape))).reshape(self.n_column, -1)
        return Order(tuple(shape), elements)

    def tracked(self, value: int, order: Order) -> Tracked:
        """Return the tensor whose elements, in that order, are a value; all one if it is one."""
        size = self.builder.sizes[value]
        feature = np.arange(order.elements.shape[1]) if size > 1 else 0
        places = np.empty(order.elements.size, np.int64)
        places[order.elements] = np.arange(self.n_column)[:, None] * size + feature
        return Tracked(value, size, torch.from_numpy(places).reshape(order.shape))

    def order(self, tracked: Tracked, shape: Sequence[int] | None = None) -> Order:
        """Return whose columns the elements are, of a tensor expanded to `shape`."""
        places = tracked.places if shape is None else tracked.places.expand(tuple(shape))
        columns = (places // tracked.size).reshape(-1).numpy()
        return Order(tuple(places.shape), self.by_column(columns))

    def by_column(self, columns: Index) -> Index:
        """Return the numbers of elements, a row a column, given the column of each."""
        counts = np.bincount(columns, minlength=self.n_column)
        if counts.min() != counts.max():
            raise NotExpressedError(MIXED)
        return np.argsort(columns, kind="stable").reshape(self.n_column, -1)

    def features(self, tracked: Tracked, order: Order) -> Index:
        """Return which features of its value a tensor has, expanded and in the given order."""
        places = tracked.places.expand(order.shape).reshape(-1).numpy()[order.elements]
        columns, features = np.divmod(places, tracked.size)
        if (columns != np.arange(self.n_column)[:, None]).any() or (features != features[0]).any():
            raise NotExpressedError(MIXED)
        first: Index = features[0]
        return first

    def whole(self, operand: Operand, order: Order) -> int:
        """Return the value of an operand with all its features, in the given order."""
        if isinstance(operand, Tracked):
            return self.gathered(operand, self.features(operand, order))
        return self.builder.spread(self.row(operand, order), self.precision)

    def broadcast(self, operand: Operand, order: Order) -> int:
        """Return the same, or a value of size 1 if all its features are one."""
        if not isinstance(operand, Tracked):
            return self.builder.constant(self.row(operand, order), self.precision)
        features = self.features(operand, order)
        if (features == features[0]).all():
            features = features[:1]
        return self.gathered(operand, features)

    def row(self, constant: Tensor | float, order: Order) -> NDArray[Any]:
        """Return what a constant is for every column, in the given order."""
        dtype = getattr(torch, self.precision)
        tensor = torch.as_tensor(constant, dtype=dtype).detach()
        elements = tensor.expand(order.shape).reshape(-1).numpy()[order.elements]
        bits = np.ascontiguousarray(elements).view(f"i{elements.itemsize}")
        if (bits != bits[0]).any():
            raise NotExpressedError(MIXED)
        first: NDArray[Any] = elements[0]
        return first

    def common_order(self, operands: Sequence[Operand]) -> Order:
        """Return the order of the elementwise result of operands, at least one of them tracked."""
        shapes = [o.places.shape if isinstance(o, Tracked) else _shape(o) for o in operands]
        tracked = next(o for o in operands if isinstance(o, Tracked))
        return self.order(tracked, np.broadcast_shapes(*shapes))


def _shape(constant: Tensor | float) -> tuple[int, ...]:
    return tuple(constant.shape) if isinstance(constant, Tensor) else ()
