"""A closure with noise and without state."""

from torch import Tensor

from closures import Closure, ClosureSpec, Field


class Shaken(Closure):
    """y = x + a normal number."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="shaken",
                version="1.0",
                inputs=(Field("x", "1"),),
                outputs=(Field("y", "1"),),
                noise=(Field("shock", "1"),),
            )
        )

    def forward(self, x: Tensor, shock: Tensor) -> tuple[Tensor]:
        return (x + shock,)
