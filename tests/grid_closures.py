"""Grid closures whose sizes the archive leaves open: means of neighbours, wrapped or with halo."""

import torch
from torch import Tensor
from torch.nn import functional

from closures import Closure, ClosureSpec, Field, Grid

SPACING = (2.0, 1.0)


class NeighbourMean(Closure):
    """Mean of four neighbours minus the point itself, after as many passes as the halo is wide.

    Parameters
    ----------
    boundary
        ``"periodic"``: forward wraps; ``"halo"``: the host gives the neighbours.
    width
        Passes of the mean, and width of the halo.
    shape
        Sizes without halo.
    """

    def __init__(
        self,
        boundary: str = "periodic",
        width: int = 1,
        shape: tuple[int | None, int | None] = (None, None),
    ) -> None:
        halo = 2 * width if boundary == "halo" else 0
        with_halo = tuple(None if size is None else size + halo for size in shape)
        super().__init__(
            ClosureSpec(
                name="neighbour_mean",
                version="1.0",
                inputs=(
                    Field("q", "s-1", ("y", "x"), with_halo, "float64", valid_min=-2, valid_max=2),
                ),
                outputs=(Field("q_tendency", "s-2", ("y", "x"), shape, "float64"),),
                locality="grid",
                grid=Grid(SPACING, (boundary, boundary), width),
            )
        )
        self.width = width
        self.wraps = boundary == "periodic"
        kernel = torch.tensor([[0.0, 0.25, 0.0], [0.25, 0.0, 0.25], [0.0, 0.25, 0.0]])
        self.register_buffer("kernel", kernel.double()[None, None])

    kernel: Tensor

    def forward(self, q: Tensor) -> tuple[Tensor]:
        w = self.width
        x = q[:, None]
        if self.wraps:
            x = functional.pad(x, [w, w, w, w], mode="circular")
        inner = x[:, :, w:-w, w:-w]
        for _ in range(w):
            x = functional.conv2d(x, self.kernel)
        return ((x - inner)[:, 0],)


class Memory(Closure):
    """A grid closure with state and noise, of which every member and point has its own."""

    def __init__(self) -> None:
        def field(name: str, units: str = "1") -> Field:
            return Field(name, units, ("y", "x"), (None, None))

        super().__init__(
            ClosureSpec(
                name="grid_memory",
                version="1.0",
                inputs=(field("x"),),
                outputs=(field("x_tendency", "s-1"),),
                state=(field("memory"),),
                noise=(field("shock"),),
                locality="grid",
                grid=Grid(SPACING, ("periodic", "wall")),
            )
        )

    def forward(self, x: Tensor, memory: Tensor, shock: Tensor) -> tuple[Tensor, Tensor]:
        new = 0.5 * memory + shock
        return (x + torch.roll(new, 1, 1), new)
