"""Eight numbers at a time in compiled code.

A loop that the compiler does not vectorise, because it cannot know that its arrays do not overlap,
is written with vectors instead. Every element is computed as it would be alone, so results do not
depend on the width of the machine's registers. Vectors of a kind can be added, subtracted and
multiplied.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
"""Numbers in a vector."""

_LANE = ir.IntType(32)


class VectorType(types.Type):
    """The numba type of a vector.

    Parameters
    ----------
    dtype
        Numba type of its numbers, ``float64`` or ``float32``.
    """

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, LANES))  # type: ignore[no-untyped-call]


class _TwoOfAKind(AbstractTemplate):
    def generic(self, arguments: tuple[types.Type, ...], _keywords: Any) -> Any:
        first = arguments[0]
        if isinstance(first, VectorType) and arguments == (first, first):
            return signature(first, *arguments)  # type: ignore[no-untyped-call]
        return None


def _register(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)

    infer_global(operation)(type(f"_Vector_{instruction}", (_TwoOfAKind,), {}))  # type: ignore[no-untyped-call]
    lower_builtin(operation, VectorType, VectorType)(generate)  # type: ignore[no-untyped-call]


_register(operator.add, "fadd")
_register(operator.sub, "fsub")
_register(operator.mul, "fmul")


def _load(_typing_context: Any, array: Any, index: Any) -> Any:
    vector = VectorType(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(vector)
        loaded = builder.load(_address(context, builder, signature.args[0], arguments, kind))
        # Of the number alone: it may begin anywhere.
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return vector(array, index), generate


def _store(_typing_context: Any, array: Any, index: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(vector)
        address = _address(context, builder, signature.args[0], arguments, kind)
        builder.store(arguments[2], address).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, index, vector), generate


def _splat(_typing_context: Any, number: Any) -> Any:
    vector = VectorType(number)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(context.get_value_type(vector), ir.Undefined)
        first = builder.insert_element(nothing, arguments[0], _LANE(0))
        return _shuffled(builder, first, [0] * LANES)

    return vector(number), generate


def _moved_up(_typing_context: Any, vector: Any, first: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        moved = _shuffled(builder, arguments[0], [LANES, *range(LANES - 1)])
        return builder.insert_element(moved, arguments[1], _LANE(0))

    return vector(vector, first), generate


def _moved_down(_typing_context: Any, vector: Any, number: Any, lane: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        moved = _shuffled(builder, arguments[0], [*range(1, LANES), LANES])
        return builder.insert_element(moved, arguments[1], arguments[2])

    return vector(vector, number, lane), generate


def _shuffled(builder: Any, vector: Any, lanes: list[int]) -> Any:
    # Lanes from the number of lanes on are those of a vector of zeros.
    zeros = ir.Constant(vector.type, [0.0] * LANES)
    return builder.shuffle_vector(vector, zeros, ir.Constant(ir.VectorType(_LANE, LANES), lanes))


def _address(context: Any, builder: Any, array_type: Any, arguments: Any, kind: Any) -> Any:
    array = context.make_array(array_type)(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer())


load: Any = intrinsic(_load)
"""``load(array, i)`` returns the eight numbers from a place i >= 0 of a contiguous 1-D array on."""

store: Any = intrinsic(_store)
"""``store(array, i, vector)`` sets the eight numbers from a place i >= 0 on."""

splat: Any = intrinsic(_splat)
"""``splat(number)`` returns a vector that holds a number eight times."""

moved_up: Any = intrinsic(_moved_up)
"""``moved_up(vector, number)`` returns ``[number, v_0, ..., v_6]``."""

moved_down: Any = intrinsic(_moved_down)
"""``moved_down(vector, number, lane)`` returns ``[v_1, ..., v_7, 0]`` with a number in a lane."""
