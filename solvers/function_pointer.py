"""Call C functions by their address from compiled code, with the address known at run time only.

A compiled time loop takes its transforms and its closure as numbers (function address, context
address), so one compilation serves every FFT library and every closure, and numba's cache stays
valid from process to process.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_INT = ir.IntType(64)


def _call_transform(  # type: ignore[no-untyped-def]
    _typing_context,  # noqa: ANN001
    function,  # noqa: ANN001, ARG001
    plan,  # noqa: ANN001, ARG001
    source,  # noqa: ANN001, ARG001
    target,  # noqa: ANN001, ARG001
) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _call(builder, ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generate


def _call_tendency(  # type: ignore[no-untyped-def]
    _typing_context,  # noqa: ANN001
    function,  # noqa: ANN001, ARG001
    context,  # noqa: ANN001, ARG001
    step,  # noqa: ANN001, ARG001
    stage,  # noqa: ANN001, ARG001
    fields,  # noqa: ANN001, ARG001
    tendency,  # noqa: ANN001, ARG001
    sizes,  # noqa: ANN001, ARG001
) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _call(builder, ir.IntType(32), arguments)

    return types.int32(*[types.intp] * 7), generate


def _call(builder: Any, result: Any, arguments: Any) -> Any:
    # On the platforms numba supports, pointers and 64-bit integers are passed alike.
    signature = ir.FunctionType(result, [_INT] * (len(arguments) - 1))
    function = builder.inttoptr(arguments[0], signature.as_pointer())
    return builder.call(function, arguments[1:])


call_transform: Any = intrinsic(_call_transform)
"""Call ``void function(void *plan, void *source, void *target)``, each given as an address."""

call_tendency: Any = intrinsic(_call_tendency)
"""Call ``int function(void *context, int64_t step, int64_t stage, const void *fields, void
*tendency, const int64_t *sizes)``, pointers given as addresses; returns its status. This is the
`hybrid_tendency_function` of ``fortran_bridge/include/hybrid_tendency.h``."""
