"""Convolutions by minimal filtering, which takes fewer products than there are pairs.

A plane is cut into tiles, and each is seen as a product of polynomials: known at enough points, it
is known. For 4 x 4 results of 5 x 5 weights that is 64 products a pair of channels, not 400.
"""

import numpy as np
import torch
from numpy.polynomial import polynomial
from numpy.typing import NDArray
from torch import Tensor, nn

Matrix = NDArray[np.float64]

TILE = 4
"""Results along a side of a tile. More would lose digits in single precision."""

# Where polynomials are evaluated, besides infinity: numbers whose powers are neither large nor
# small, and for which many products are exact.
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
# Rows of tiles that are worked on at once: what is made of 128 channels then stays in the cache.
_ROWS = 2


def minimal_filter(n_result: int, n_weight: int) -> tuple[Matrix, Matrix, Matrix]:
    r"""Return A, G and B of a minimal filter along a line, by the method of Toom and Cook.

    .. math:: y = A \, [(G w) \odot (B x)] \quad \text{is} \quad y_i = \sum_j w_j x_{i + j}

    Parameters
    ----------
    n_result
        Values of y, m.
    n_weight
        Values of w, r; x has n = m + r - 1, 8 at most, and there are as many products.

    Returns
    -------
    tuple of arrays
        A, shape ``(m, n)``; G, ``(n, r)``; B, ``(n, n)``.

    References
    ----------
    Lavin and Gray (2016), Fast algorithms for convolutional neural networks, CVPR, section 4.
    """
    n = n_result + n_weight - 1
    points = np.array(_POINTS[: n - 1])
    # The transpose of multiplying polynomials by values at points, products and interpolation.
    results, weights, inputs = np.zeros((n_result, n)), np.zeros((n, n_weight)), np.zeros((n, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        results[:, i] = point ** np.arange(n_result)
        weights[i] = point ** np.arange(n_weight) / np.prod(point - others)
        inputs[i, :-1] = polynomial.polyfromroots(others)
    # At infinity a polynomial is its leading coefficient.
    results[-1, -1] = weights[-1, -1] = 1.0
    inputs[-1] = polynomial.polyfromroots(points)
    return results, weights, inputs


class MinimalFiltering(nn.Module):
    """Sums of neighbours, weighted by a kernel, over planes of whole tiles.

    What is made of a plane does not depend on others of the batch. In single precision the results
    differ from those of `torch.nn.functional.conv2d` by some 3e-6 of their spread.

    Parameters
    ----------
    width
        Points along a side of the kernel, 5 at most.
    """

    from_points: Tensor
    weights_to_points: Tensor
    to_points: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tile, self.n_row, self.n_point = TILE, _ROWS, TILE + width - 1
        names = ("from_points", "weights_to_points", "to_points")
        for name, matrix in zip(names, minimal_filter(TILE, width), strict=True):
            self.register_buffer(name, torch.from_numpy(matrix), persistent=False)

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return what the kernel makes of planes.

        Parameters
        ----------
        x
            Planes with the points around them, shape ``(n, y + width - 1, x + width - 1, n_in)``.
        weight
            The kernel, shape ``(n_out, n_in, width, width)``.

        Returns
        -------
        Tensor
            Shape ``(n, y, x, n_out)``.
        """
        kernel = self.at_points(weight)
        n, tile = self.n_point, self.tile
        to_points = self.to_points.to(x.dtype).expand(n, n, n)
        from_points = self.from_points.to(x.dtype).expand(tile, tile, n)
        n_in, n_out = kernel.size(1), kernel.size(2)
        n_x = (x.size(2) - n) // tile + 1
        planes: list[Tensor] = []
        for plane in x.unbind(0):
            made: list[Tensor] = []
            for rows in torch.split(plane.unfold(0, n, tile), self.n_row):
                n_y = rows.size(0)
                # Along y, then along x: points come first, channels last, which matrices like.
                lines = torch.mm(to_points[0], rows.permute(3, 0, 1, 2).reshape(n, -1))
                lines = lines.view(n, n_y, x.size(2), n_in)
                tiles = lines.unfold(2, n, tile).permute(0, 4, 1, 2, 3).reshape(n, n, -1)
                tiles = torch.bmm(to_points, tiles).view(n * n, n_y * n_x, n_in)
                products = torch.bmm(tiles, kernel)
                lines = torch.mm(from_points[0], products.view(n, -1)).view(tile, n, -1)
                tiles = torch.bmm(from_points, lines).view(tile, tile, n_y, n_x, n_out)
                made.append(tiles.permute(2, 0, 3, 1, 4).reshape(n_y * tile, n_x * tile, n_out))
            planes.append(torch.cat(made))
        return torch.stack(planes)

    def at_points(self, weight: Tensor) -> Tensor:
        """Return G w G^T of a kernel, shape ``(points, n_in, n_out)``."""
        to_points = self.weights_to_points.double()
        found = torch.matmul(torch.matmul(to_points, weight.double()), to_points.t())
        ordered = found.to(weight.dtype).permute(2, 3, 1, 0).contiguous()
        return ordered.view(-1, weight.size(1), weight.size(0))
