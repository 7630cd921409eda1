"""Closures of two-layer flow on 32 x 32 points that the tests of coupling share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field, Grid
from solvers import TwoLayerQG

RATE = 1e-6
MODEL = TwoLayerQG(nx=32)
N_POINT = 2 * 32 * 32

LAYERS = (("layer",), (2,))
WHOLE = (("layer", "y", "x"), (2, 32, 32))
OPEN = (("layer", "y", "x"), (2, None, None))
GRID = Grid((1e6 / 32, 1e6 / 32), ("periodic", "periodic"))
FINER = Grid((1e6 / 32, 1e6 / 64), ("periodic", "periodic"))


def pair(
    dims: tuple[str, ...] = (),
    shape: tuple[int | None, ...] = (),
    *,
    units: str = "s-1",
    dtype: Any = "float64",
    name: str = "q",
) -> tuple[Field, Field]:
    """Potential vorticity and its tendency."""
    return (
        Field(name, units, dims, shape, dtype, valid_min=-1e-4, valid_max=1e-4),
        Field("q_tendency", f"{units} s-1", dims, shape, dtype),
    )


class Drag(Closure):
    """Linear drag, at each point, on each column of layers, or on the whole grid."""

    def __init__(self, q: Field, q_tendency: Field, grid: Grid | None = None) -> None:
        spec = ClosureSpec("drag", "1.0", (q,), (q_tendency,))
        super().__init__(replace(spec, locality="grid", grid=grid) if grid else spec)
        self.rate = RATE

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-self.rate * q,)


class Mixing(Closure):
    """Layers are drawn to their mean."""

    def __init__(self) -> None:
        q, q_tendency = pair(*LAYERS)
        super().__init__(ClosureSpec("mixing", "1.0", (q,), (q_tendency,)))
        self.rate = RATE

    def forward(self, q: Tensor) -> tuple[Tensor]:
        mean = 0.5 * (q[:, 0] + q[:, 1])
        return (-self.rate * (q - mean[:, None]),)


class Upstream(Closure):
    """Each point is drawn to its neighbour in the west."""

    def __init__(self, where: tuple[tuple[str, ...], tuple[int | None, ...]] = WHOLE) -> None:
        q, q_tendency = pair(*where)
        super().__init__(
            ClosureSpec("upstream", "1.0", (q,), (q_tendency,), locality="grid", grid=GRID)
        )
        self.rate = RATE

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-self.rate * (q - torch.roll(q, 1, 3)),)


class Shear(Closure):
    """The lower layer alone is forced, by both: fields of different dims in one closure."""

    def __init__(self) -> None:
        spec = ClosureSpec("shear", "1.0", (pair(*LAYERS)[0],), (pair()[1],))
        super().__init__(spec)

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (q[:, 0] - q[:, 1],)


class Weather(Closure):
    """AR(1) forcing at each point, without inputs."""

    def __init__(self, phi: float = 0.9) -> None:
        super().__init__(
            ClosureSpec(
                name="weather",
                version="1.0",
                inputs=(),
                outputs=(pair()[1],),
                state=(Field("residual", "1", dtype="float64"),),
                noise=(Field("shock", "1", dtype="float64"),),
            )
        )
        self.phi = phi

    def forward(self, residual: Tensor, shock: Tensor) -> tuple[Tensor, Tensor]:
        new = self.phi * residual + shock
        return (1e-12 * new, new)


class Growth(Closure):
    """Grows q, in each step more than in the one before; its state counts the steps."""

    def __init__(self) -> None:
        q, q_tendency = pair()
        count = Field("count", "1", ("part",), (2,), "float32")
        super().__init__(ClosureSpec("growth", "1.0", (q,), (q_tendency,), state=(count,)))

    def forward(self, q: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        return (1e-4 * q * count[:, 0], count + 1.0)


class Root(Closure):
    """Has no real value where q is above its limit."""

    def __init__(self) -> None:
        q, q_tendency = pair()
        super().__init__(ClosureSpec("root", "1.0", (q,), (q_tendency,)))

    def forward(self, q: Tensor) -> tuple[Tensor]:
        return (-1e-6 * q * torch.sqrt(1.1e-4 - q),)


CLOSURES: dict[str, Callable[[], Closure]] = {
    "points": lambda: Drag(*pair()),
    "single": lambda: Drag(*pair(dtype="float32")),
    "columns": lambda: Drag(*pair(*LAYERS)),
    "maps": lambda: Drag(*pair(*WHOLE), GRID),
    "finer maps": lambda: Drag(*pair(*WHOLE), FINER),
    "layers": lambda: Drag(*pair(("y", "x"), (32, 32)), GRID),
    "rows": lambda: Drag(*pair(("y",), (32,))),
    "three layers": lambda: Drag(*pair(("layer",), (3,))),
    "levels": lambda: Drag(*pair(("level",), (2,))),
    "hours": lambda: Drag(*pair(units="h-1")),
    "kelvin": lambda: Drag(*pair(units="K")),
    "vorticity": lambda: Drag(*pair(name="vorticity")),
    "mixing": Mixing,
    "upstream": Upstream,
    "upstream, any size": lambda: Upstream(OPEN),
    "shear": Shear,
    "weather": Weather,
    "white noise": lambda: Weather(phi=0.0),
    "growth": Growth,
    "root": Root,
}


class Archives(dict[str, Path]):
    """Archives of `CLOSURES` in a folder, exported when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        self[name] = self.folder / f"{name}.pt"
        hybrid.export(CLOSURES[name](), self[name])
        return self[name]


def advanced(
    tendency: Any, n_step: int = 20, model: TwoLayerQG = MODEL
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return spectra of q, from a random state, after some steps."""
    integration = model.start(seed=1, tendency=tendency)
    integration.advance(n_step)
    return integration.prognostic["q"]


def drag(fields: Any, step: int) -> Any:
    """Return what `Drag` returns."""
    return -RATE * fields["q"]


def mixing(fields: Any, step: int) -> Any:
    """Return what `Mixing` returns."""
    q = fields["q"]
    return -RATE * (q - 0.5 * (q[0] + q[1]))


def upstream(fields: Any, step: int) -> Any:
    """Return what `Upstream` returns."""
    return -RATE * (fields["q"] - np.roll(fields["q"], 1, 2))
