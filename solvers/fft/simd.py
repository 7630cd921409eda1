"""Real 2-D transforms by vector instructions of our own, for powers of two.

Fields of 16 to 1024 points in either direction, in both precisions. The code is generated for the
width of the machine's registers, compiled once for each length and kept in numba's cache. It
allocates nothing, works in small buffers on the stack, and may run in several threads at once.
"""

import inspect
import zlib
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core.codegen import get_host_cpu_features
from numba.core.types import CPointer
from numba.extending import intrinsic
from numba.np.numpy_support import carray
from numpy.typing import DTypeLike, NDArray

from solvers.fft import simd_code, simd_layouts, simd_passes, simd_transform, simd_values
from solvers.fft.plan import Addresses, Transform
from solvers.function_pointer import call_transform

NAME = "simd"

_LENGTHS = tuple(n for n in simd_transform.SIZES if n >= 16)
_POINTER = ir.IntType(8).as_pointer()
_REAL: dict[int, Any] = {4: ir.FloatType(), 8: ir.DoubleType()}
# What these files generate is told apart by their text.
_TEXT = "".join(
    inspect.getsource(module)
    for module in (simd_code, simd_layouts, simd_passes, simd_transform, simd_values)
)
_GENERATOR = zlib.crc32(_TEXT.encode())


def available() -> bool:
    """Tell whether the transforms can be compiled: wherever numba can."""
    return True


def version() -> str:
    """Return what identifies the generated code: its text and the width of the registers."""
    return f"{_GENERATOR:08x}-{8 * _register_bytes()}"


def supports(shape: tuple[int, ...], dtype: DTypeLike) -> bool:
    """Tell whether fields of a shape and precision can be transformed.

    Examples
    --------
    >>> supports((64, 128), "float64"), supports((96, 96), "float64"), supports((64,), "float64")
    (True, False, False)
    """
    lengths = len(shape) == 2 and all(n in _LENGTHS for n in shape)
    return lengths and np.dtype(dtype) in {np.dtype(np.float64), np.dtype(np.float32)}


def plan(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    n_column: int | None = None,
    register_bytes: int | None = None,
) -> Transform:
    """Make a pair of transforms; the code is compiled when a length is first met.

    Parameters
    ----------
    shape
        ``(n_y, n_x)``, powers of two from 16 to 1024.
    dtype
        ``float64`` or ``float32``.
    n_column
        Columns of the spectrum that may hold waves; by default all. The inverse transform
        expects zeros in the others; the forward transform leaves there what has no meaning.
    register_bytes
        Width of the registers that the code is made for; by default the machine's.

    Raises
    ------
    ValueError
        If the shape or the precision is none of these.
    """
    if not supports(shape, dtype):
        raise ValueError(
            "simd: expected a 2-D field of float64 or float32 with powers of two from 16 to 1024, "
            f"got shape {shape} of {dtype}; use another backend"
        )
    n_y, n_x = shape
    size = np.dtype(dtype).itemsize
    lanes = min((register_bytes or _register_bytes()) // size, n_x // 2)
    n_block = -(-min(n_column or n_x, n_x // 2) // lanes)
    lengths = n_x, n_y, n_y, n_x  # in the order of PASSES
    passes = [_pass(kind, n, lanes, size, _GENERATOR) for kind, n in enumerate(lengths)]
    numbers = np.array([n_y, n_x, n_block, *(function.address for function in passes)])
    forward, inverse = _functions(size)
    at = numbers.ctypes.data
    addresses = Addresses(forward.address, at, inverse.address, at)
    return Transform(shape, np.dtype(dtype), NAME, addresses, numbers)


def _register_bytes() -> int:
    features = get_host_cpu_features()  # type: ignore[no-untyped-call]
    return 64 if "+avx512f" in features.split(",") else 32


_PLAN = CPointer(types.int64)  # type: ignore[no-untyped-call]


def _generate_pass(  # type: ignore[no-untyped-def]
    _typing_context,  # noqa: ANN001
    kind,  # noqa: ANN001
    n,  # noqa: ANN001
    lanes,  # noqa: ANN001
    size,  # noqa: ANN001
    generator,  # noqa: ANN001
    n_y,  # noqa: ANN001
    n_x,  # noqa: ANN001
    n_block,  # noqa: ANN001
    source,  # noqa: ANN001
    target,  # noqa: ANN001
) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        code = simd_code.VectorCode(builder, _REAL[size.literal_value], lanes.literal_value)
        sizes = simd_passes.Sizes(
            *(simd_values.Value(builder, number) for number in arguments[5:8])
        )
        field, spectrum = (builder.inttoptr(at, _POINTER) for at in arguments[8:])
        emit = simd_passes.PASSES[kind.literal_value]
        emit(code, n.literal_value, sizes, field, spectrum)
        return context.get_dummy_value()

    literals = kind, n, lanes, size, generator
    return types.void(*literals, n_y, n_x, n_block, source, target), generate


def _generate_address(_typing_context, pointer):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.intp(pointer), generate


_emit: Any = intrinsic(prefer_literal=True)(_generate_pass)
_address: Any = intrinsic(_generate_address)


# numba keeps what is compiled by the values of the numbers that it closes over.
@cache
def _pass(kind: int, n: int, lanes: int, size: int, generator: int) -> Any:
    def run(plan, field, spectrum):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        _emit(kind, n, lanes, size, generator, plan[0], plan[1], plan[2], field, spectrum)

    return cfunc(types.void(_PLAN, types.intp, types.intp), cache=True)(run)


@cache
def _functions(size: int) -> tuple[Any, Any]:
    complex_ = CPointer({4: types.complex64, 8: types.complex128}[size])  # type: ignore[no-untyped-call]
    return (
        cfunc(types.void(_PLAN, types.intp, complex_), cache=True)(_forward),
        cfunc(types.void(_PLAN, complex_, types.intp), cache=True)(_inverse),
    )


def _forward(plan, field, spectrum):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    n_y, half = plan[0], plan[1] // 2
    call_transform(plan[3], _address(plan), field, _address(spectrum))
    call_transform(plan[4], _address(plan), field, _address(spectrum))
    _separate(carray(spectrum, (n_y, half + 1)), n_y, half)


def _inverse(plan, spectrum, field):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    n_y, half = plan[0], plan[1] // 2
    _join(carray(spectrum, (n_y, half + 1)), n_y, half)
    call_transform(plan[5], _address(plan), field, _address(spectrum))
    call_transform(plan[6], _address(plan), field, _address(spectrum))


@njit(cache=True)
def _separate(spectrum: NDArray[Any], n_y: int, half: int) -> None:
    """Take the last column out of the first, whose rows were real but for it."""
    for low in range(n_y // 2 + 1):
        high = n_y - low if low else 0
        p, q = spectrum[low, 0], spectrum[high, 0].conjugate()
        first, last = 0.5 * (p + q), -0.5j * (p - q)
        spectrum[low, 0], spectrum[high, 0] = first, first.conjugate()
        spectrum[low, half], spectrum[high, half] = last, last.conjugate()


@njit(cache=True)
def _join(spectrum: NDArray[Any], n_y: int, half: int) -> None:
    """Put the last column into the first, each without what gives no real rows."""
    for low in range(n_y // 2 + 1):
        high = n_y - low if low else 0
        first = 0.5 * (spectrum[low, 0] + spectrum[high, 0].conjugate())
        last = 0.5 * (spectrum[low, half] + spectrum[high, half].conjugate())
        spectrum[low, 0] = first + 1j * last
        spectrum[high, 0] = first.conjugate() + 1j * last.conjugate()
