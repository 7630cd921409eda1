"""Closures whose results the test programs in ``fortran/`` know in closed form."""

import torch
from torch import Tensor

from closures import Closure, ClosureSpec, Field, Grid

DEEP = (("band", "level", "y", "x"), (2, 3, 2, 4))
LAYERED = (("level", "y", "x"), (3, 2, 4))


class Deep(Closure):
    """Fields of many dims: twice the input plus the number of the element."""

    number5: Tensor
    number4: Tensor

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="deep",
                version="1.0",
                inputs=(Field("field5", "m", *DEEP), Field("field4", "m", *LAYERED)),
                outputs=(Field("twice5", "m", *DEEP), Field("twice4", "m", *LAYERED)),
            )
        )
        self.register_buffer("number5", torch.arange(48.0).reshape(DEEP[1]))
        self.register_buffer("number4", torch.arange(24.0).reshape(LAYERED[1]))

    def forward(self, field5: Tensor, field4: Tensor) -> tuple[Tensor, Tensor]:
        return (2.0 * field5 + self.number5, 2.0 * field4 + self.number4)


class Guarded(Closure):
    """y = 2 x, trusted the less the larger x is; both within an envelope."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="guarded",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-1.0, valid_max=1.0),),
                outputs=(
                    Field("y", "m", valid_min=-1.5, valid_max=1.5),
                    Field("trust", "1", valid_min=0.5, role="confidence"),
                ),
            )
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (2.0 * x, 1.0 - 0.5 * torch.abs(x))


class Doubling(Closure):
    """y = 2 x on two levels."""

    def __init__(self) -> None:
        level = (("level",), (2,))
        super().__init__(
            ClosureSpec("doubling", "1.0", (Field("x", "1", *level),), (Field("y", "m", *level),))
        )

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (2.0 * x,)


class Shaken(Closure):
    """y = x + shock: random, but without state."""

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


class Difference(Closure):
    """Central differences along x of a field with a halo of one point there, on 3 x 4 points."""

    def __init__(self) -> None:
        plane = ("y", "x")
        super().__init__(
            ClosureSpec(
                name="difference",
                version="1.0",
                inputs=(Field("q", "m", plane, (3, 6), dtype="float64"),),
                outputs=(Field("q_x", "1", plane, (3, 4), dtype="float64"),),
                locality="grid",
                grid=Grid((5.0, 10.0), ("periodic", "halo"), 1),
            )
        )

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return ((q[:, :, 2:] - q[:, :, :-2]) / 20.0,)
