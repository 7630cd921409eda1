"""The closure that the consumers run; as a program, `python relaxation.py FILE` exports it."""

import sys
from pathlib import Path

import torch
from torch import Tensor

import hybrid
from hybrid import Closure, ClosureSpec, Field


class Relaxation(Closure):
    """dt/dt = (280 K - t) / day."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="relaxation",
                version="1.0",
                inputs=(Field("t", "K", valid_min=200.0, valid_max=320.0),),
                outputs=(Field("t_tendency", "K s-1"),),
            )
        )

    def forward(self, t: Tensor) -> tuple[Tensor]:
        """Return the tendency [K s-1] for a temperature `t` [K], both of shape ``(n,)``."""
        return ((280.0 - t) / 86400.0,)


# 0, 10 and 20 degC are 273.15, 283.15 and 293.15 K.
EXPECTED = "sum of the tendencies [K day-1]:  -9.450"


def export(path: Path) -> None:
    """Write the archive."""
    torch.set_num_threads(1)
    hybrid.export(Relaxation(), path)


if __name__ == "__main__":
    export(Path(sys.argv[1]))
