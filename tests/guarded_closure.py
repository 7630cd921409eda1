"""A closure whose every result can be put outside its envelope by the value of one input."""

from typing import Any

from torch import Tensor

from closures import Closure, ClosureSpec, Field

N_LEVEL = 3
GAIN = 2.0
INFINITE_RESULT, NAN_RESULT = 7.0, -7.0
INFINITE_STATE, NAN_STATE = 3.0, -3.0

Bound = float | tuple[float, ...]


class Guarded(Closure):
    """y = 2 x, a confidence that the host gives, and a sum of x as state.

    For x = 7 and -7, y is infinite and NaN; for x = 3 and -3, the state is.

    Parameters
    ----------
    dtype
        Precision of all fields.
    low, high
        Envelope of x.
    result_low, result_high
        Envelope of y.
    """

    def __init__(
        self,
        dtype: Any = "float32",
        low: Bound = -10.0,
        high: Bound = 10.0,
        result_low: Bound = -15.0,
        result_high: Bound = 15.0,
    ) -> None:
        level = (("level",), (N_LEVEL,), dtype)
        super().__init__(
            ClosureSpec(
                name="guarded",
                version="1.0",
                inputs=(
                    Field("x", "K", *level, valid_min=low, valid_max=high),
                    Field("trust", "1", dtype=dtype),
                ),
                outputs=(
                    Field("y", "K s-1", *level, valid_min=result_low, valid_max=result_high),
                    Field("confidence", "1", dtype=dtype, valid_min=0.5, role="confidence"),
                ),
                state=(Field("total", "K", *level),),
            )
        )
        self.gain = GAIN

    def forward(self, x: Tensor, trust: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        number, finite = (x != -7.0).to(x.dtype), (x != 7.0).to(x.dtype)
        y = self.gain * x * number / number / finite
        number, finite = (x != -3.0).to(x.dtype), (x != 3.0).to(x.dtype)
        return (y, trust + 0.0, total + x * number / number / finite)
