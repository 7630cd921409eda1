"""The Arakawa C grid: scalars at the centres of cells, velocities at their faces."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True)
class CGrid:
    """A C grid, periodic along x, with walls at the south and the north or periodic along y.

    Fields have shape ``(..., n_y, n_x)``. Scalars stand at the centres of the cells, u at their
    west faces, v at their south faces, vorticity at their south-west corners.

    Parameters
    ----------
    n_x, n_y
        Cells along x and y.
    length_x, length_y
        Size of the domain [m].
    walls
        Walls at y = 0 and y = `length_y`, along which the flow slips freely; else periodic.

    References
    ----------
    Arakawa and Lamb (1977), Methods in Computational Physics 17, 173.

    Examples
    --------
    >>> grid = CGrid(4, 2, length_x=4.0, length_y=2.0, walls=True)
    >>> grid.row_centres.tolist()
    [0.5, 1.5]
    """

    n_x: int
    n_y: int
    length_x: float
    length_y: float
    walls: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and cells in a row."""
        return self.n_y, self.n_x

    @property
    def dx(self) -> float:
        """Width of a cell along x [m]."""
        return self.length_x / self.n_x

    @property
    def dy(self) -> float:
        """Width of a cell along y [m]."""
        return self.length_y / self.n_y

    @property
    def row_centres(self) -> NDArray[np.float64]:
        """Position of the rows of cells along y, shape ``(n_y,)`` [m]."""
        return np.asarray((np.arange(self.n_y) + 0.5) * self.dy)

    def west(self, field: NDArray[Any]) -> NDArray[Any]:
        """Return what stands a cell further west, same shape."""
        return np.roll(field, 1, axis=-1)

    def south(self, field: NDArray[Any]) -> NDArray[Any]:
        """Return what stands a cell further south, same shape; at a wall, the row itself."""
        rows = np.arange(self.n_y) - 1
        rows[0] = 0 if self.walls else -1
        return field[..., rows, :]

    def vorticity(self, u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
        """Return relative vorticity at the corners, 0 on a wall.

        Parameters
        ----------
        u, v
            Velocities at the faces, shape ``(..., n_y, n_x)`` [m s-1].

        Returns
        -------
        ndarray
            ``dv/dx - du/dy``, same shape [s-1].
        """
        along_y = (u - self.south(u)) / self.dy
        return np.asarray((v - self.west(v)) / self.dx - along_y)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the positions of the centres, x and y, and of the faces, x_u and y_v."""
        return {
            name: xr.Variable(
                name,
                (np.arange(n) + (0.0 if shifted else 0.5)) * spacing,
                {
                    "units": "m",
                    "standard_name": f"projection_{axis}_coordinate",
                    "long_name": f"{axis} of the " + ("faces" if shifted else "centres"),
                    "axis": axis.upper(),
                    # The convention by which xgcm knows staggered points.
                    **({"c_grid_axis_shift": -0.5} if shifted else {}),
                },
            )
            for axis, n, spacing in (("x", self.n_x, self.dx), ("y", self.n_y, self.dy))
            for name, shifted in ((axis, False), (f"{axis}_{'uv'[axis == 'y']}", True))
        }
