"""From a closure to a native program, by following one evaluation of its forward.

Torch is asked to say each operation that it runs, of Python code and of TorchScript alike, with
tensors that have values: what does not depend on the arguments is a constant of the program,
however it was computed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from hybrid.native import aten_convolution, aten_elementwise, aten_groups, aten_linear
from hybrid.native.errors import NotExpressedError
from hybrid.native.lowering import Lowering, Tracked
from hybrid.native.program import Program

RULES = {
    **aten_elementwise.RULES,
    **aten_groups.RULES,
    **aten_linear.RULES,
    **aten_convolution.RULES,
}
"""Name in ATen to what makes steps of it."""

MOVES = frozenset(
    (
        *("alias", "clone", "detach", "lift_fresh", "expand", "flip", "roll", "repeat", "unfold"),
        *("permute", "transpose", "t", "squeeze", "unsqueeze", "view", "_unsafe_view"),
        *("select", "slice", "index", "index_select", "gather", "diagonal"),
        *("split", "split_with_sizes", "unbind"),
    )
)
"""Operations that only move elements of their first argument."""

VIEWS = frozenset(("view", "_unsafe_view"))
"""Those that depend on how a tensor lies in memory, which places need not share."""

FRESH = frozenset(
    (
        *("zeros_like", "ones_like", "full_like", "empty_like"),
        *("new_zeros", "new_ones", "new_full", "new_empty"),
    )
)
"""Operations that take of their argument its shape alone."""

CAST = "_to_copy"
"""The operation that changes the type of elements."""

RELATIONS = frozenset(("lt", "le", "gt", "ge", "eq", "ne"))
"""Operations from numbers to truth values, which are 0 and 1 here."""

JOINS = frozenset(("cat", "stack"))
"""Operations that put tensors side by side."""

TRUTHS = frozenset(
    (
        *("logical_and", "logical_or", "logical_not"),
        *("bitwise_and", "bitwise_or", "bitwise_not"),
    )
)
"""Operations from truth values to truth values."""

FLOATS = (torch.float32, torch.float64)
"""Types in which programs compute."""

LOOKS = frozenset(("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select"))
"""Operations whose result, or the shape of it, lets forward decide by values."""


def trace(module: nn.Module, arguments: Sequence[Tensor]) -> Program:
    """Return the program of a forward.

    Parameters
    ----------
    module
        Takes one tensor a field and returns a tuple of tensors, as `Closure.scriptable`.
    arguments
        Columns to follow it with, of equal number ``n``: ``(n, ...)``. A number that no other axis
        has makes sure that columns are told from features.

    Raises
    ------
    NotExpressedError
        If there are no steps for what it does.
    """
    n = len(arguments[0])
    tracer = _Tracer(n)
    given = [tensor.clone() for tensor in arguments]
    for number, tensor in enumerate(given):
        tracer.follow(tensor, tracer.low.argument(number, tensor.shape, _name(tensor.dtype)))
    try:
        with torch.no_grad(), tracer:
            returned = module(*given)
    # TorchScript wraps what is raised inside, and a foreign module may raise anything.
    except Exception as error:
        if tracer.reason is None:
            raise
        raise NotExpressedError(tracer.reason) from error
    return tracer.low.builder.program([tracer.result(tensor) for tensor in returned])


class _Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation that torch runs.

    Parameters
    ----------
    n_column
        Columns of the batch.
    """

    def __init__(self, n_column: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.low = Lowering(n_column)
        self.reason: str | None = None
        # Tensors are kept, so that no other one can have their identity.
        self._followed: dict[int, tuple[Tensor, Tracked | None]] = {}

    def follow(self, tensor: Tensor, tracked: Tracked | None) -> None:
        """Remember what a tensor is made of; None if there are no steps for it."""
        self._followed[id(tensor)] = (tensor, tracked)

    def result(self, tensor: Tensor) -> int:
        """Return the value of a result of forward."""
        known = self._operand(tensor)
        n = self.low.n_column
        row_major = self.low.argument_order(tuple(tensor.shape))
        with self.low.computing_in(_name(tensor.dtype)):
            value = self.low.whole(known, row_major)
        assert self.low.builder.sizes[value] == tensor.numel() // n
        return value

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # What would be skipped is torch's compiler, which nobody here calls and which takes
        # seconds to import.
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        keywords = kwargs or {}
        try:
            return self._evaluate(func, args, keywords)
        except NotExpressedError as error:
            self.reason = str(error)
            raise

    def _evaluate(self, func: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        name = func._schema.name.removeprefix("aten::")
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise NotExpressedError(f"forward draws random numbers (aten.{name})")
        operands, named = self._replaced(args), self._replaced(keywords)
        if not (_holds_tracked(operands) or _holds_tracked(named)):
            return func(*args, **keywords)
        if name in LOOKS:
            raise NotExpressedError(f"forward decides by values (aten.{name})")
        if func._schema.is_mutable:
            name = self._in_place(name, args)
        result = func(*args, **keywords)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        # What has no elements does not depend on those of the arguments.
        if name in FRESH or not any(tensor.numel() for tensor in results):
            return result
        _check_types(name, args, keywords, result)
        with self.low.computing_in(self._precision(results[0], args, operands)):
            made = self._lowered(name, func, operands, named, results)
        for i, tensor in enumerate(results):
            tracked = made[i] if i < len(made) else None
            if tracked is not None and tracked.places.shape != tensor.shape:
                raise NotExpressedError(f"forward uses aten.{name} in an unusual form")
            self.follow(tensor, tracked)
        return result

    def _precision(self, result: Tensor, args: Any, operands: Any) -> str:
        """Return the type in which an operation computes."""
        if result.is_floating_point():
            return _name(result.dtype)
        numbers = [tensor for tensor in _tensors(args) if tensor.is_floating_point()]
        # As of torch: single numbers do not decide where there are others.
        deciding = [tensor.dtype for tensor in numbers if tensor.dim()]
        if numbers:
            return _name(torch.float64 if torch.float64 in deciding else torch.float32)
        return self.low.builder.types[next(_all_tracked(operands)).value]

    def _lowered(
        self,
        name: str,
        func: Callable[..., Any],
        operands: tuple[Any, ...],
        named: dict[str, Any],
        results: Sequence[Tensor],
    ) -> Sequence[Tracked]:
        first = operands[0] if operands else None
        if name == CAST and isinstance(first, Tracked):
            return [first if results[0].dtype == torch.bool else self.low.cast(first)]
        if name in MOVES and isinstance(first, Tracked) and not _holds_tracked(operands[1:]):
            if name in VIEWS:
                return [first.like(first.places.reshape(results[0].shape))]
            moved = func(first.places, *operands[1:], **named)
            return [first.like(p) for p in (moved if isinstance(moved, (tuple, list)) else [moved])]
        if name not in RULES:
            raise NotExpressedError(f"forward uses aten.{name} in an unusual form")
        return [RULES[name](self.low, *operands, **named)]

    def _in_place(self, name: str, args: tuple[Any, ...]) -> str:
        """Return the operation that an operation in place is, if no other tensor sees it."""
        target = args[0]
        storage = target.untyped_storage().data_ptr()
        sharing = [
            tensor
            for tensor, _ in self._followed.values()
            if tensor.untyped_storage().data_ptr() == storage
        ]
        plain = name.removesuffix("_")
        if len(sharing) != 1 or sharing[0] is not target or plain not in RULES:
            raise NotExpressedError(f"forward changes tensors in place (aten.{name})")
        return plain

    def _operand(self, tensor: Tensor) -> Tracked | Tensor:
        if id(tensor) not in self._followed:
            return tensor
        tracked = self._followed[id(tensor)][1]
        if tracked is None:
            raise NotExpressedError("forward uses a side result of an operation")
        return tracked

    def _replaced(self, tree: Any) -> Any:
        if isinstance(tree, Tensor):
            return self._operand(tree)
        if isinstance(tree, (tuple, list)):
            return type(tree)(self._replaced(item) for item in tree)
        if isinstance(tree, dict):
            return {key: self._replaced(item) for key, item in tree.items()}
        return tree


def _holds_tracked(tree: Any) -> bool:
    return any(True for _ in _all_tracked(tree))


def _all_tracked(tree: Any) -> Iterator[Tracked]:
    if isinstance(tree, (tuple, list)):
        for item in tree:
            yield from _all_tracked(item)
    elif isinstance(tree, dict):
        yield from _all_tracked(list(tree.values()))
    elif isinstance(tree, Tracked):
        yield tree


def _check_types(name: str, *trees: Any) -> None:
    """Refuse what computes in another precision, or of which truth values are no 0 and 1."""
    if name not in RULES and name not in MOVES and name != CAST:
        raise NotExpressedError(f"forward uses aten.{name}, which the native engine does not know")
    tensors = list(_tensors(trees))
    result = tensors[-1]
    for tensor in tensors:
        # A single number does not decide in which precision the others are.
        if tensor.is_floating_point() and tensor.dtype not in FLOATS and tensor.dim():
            raise NotExpressedError(_in_precision(tensor.dtype))
    if result.dtype not in {*FLOATS, torch.bool}:
        raise NotExpressedError(_in_precision(result.dtype))
    numbers = [tensor for tensor in tensors if tensor.dtype != torch.bool]
    is_truth = name in TRUTHS or name in MOVES or (name in JOINS and not numbers)
    if result.dtype == torch.bool and not (is_truth or (name in RELATIONS and numbers)):
        raise NotExpressedError(f"forward uses aten.{name} for truth values")
    if name in TRUTHS and numbers:
        raise NotExpressedError(f"forward uses aten.{name} of numbers as truth values")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _in_precision(dtype: torch.dtype) -> str:
    return f"forward computes in {_name(dtype)}, the native engine in float32 and float64"


def _tensors(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from _tensors(item)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))
