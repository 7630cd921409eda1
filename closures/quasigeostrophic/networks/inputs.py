"""What networks of two-layer flow are given: channels made of q, u and v."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from closures.errors import SpecError
from closures.quasigeostrophic.plane import whole_plane
from closures.turbulence.flow import divergence

INPUTS = ("q", "u", "v", "advection")
"""Names of inputs: fields of the flow, and ``div((u, v) q)`` as the coarse model computes it."""


class Channels(nn.Module):
    """Fields of both layers as channels, divided by their spreads.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    inputs
        Names among `INPUTS`; u and v are given together or not at all.

    Raises
    ------
    SpecError
        If there is none, one is unknown or twice there, or u comes without v.
    """

    spread: Tensor

    def __init__(self, spacing: tuple[float, float], inputs: Sequence[str]) -> None:
        super().__init__()
        known = set(inputs) <= set(INPUTS) and len(set(inputs)) == len(inputs) > 0
        if not known or ("u" in inputs) != ("v" in inputs):
            raise SpecError(
                f"inputs: expected different names among {', '.join(INPUTS)}, u and v together, "
                f"got {', '.join(inputs) or 'none'}"
            )
        self.dy, self.dx = map(float, spacing)
        self.inputs = list(inputs)
        self.n_channel = 2 * len(inputs)
        self.register_buffer("spread", torch.ones(2 * len(inputs), 1, 1))

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Return the channels [1] of q [s-1], u and v [m s-1], shape ``(n, n_channel, y, x)``."""
        parts: list[Tensor] = []
        for name in self.inputs:
            if name == "q":
                parts.append(q)
            elif name == "u":
                parts.append(u)
            elif name == "v":
                parts.append(v)
            else:
                parts.append(divergence(u * q, v * q, whole_plane(q, self.dy, self.dx)))
        return torch.cat(parts, dim=1) / self.spread

    def measure(self, q: Tensor, u: Tensor, v: Tensor) -> None:
        """Set the spreads to those of given states, one for u and v, which turn together."""
        self.spread.fill_(1.0)
        with torch.no_grad():
            found = self(q, u, v).square().mean((0, 2, 3)).reshape(-1, 2)
        velocity = [i for i, name in enumerate(self.inputs) if name in ("u", "v")]
        found[velocity] = found[velocity].mean(0)
        spread = found.sqrt().reshape(-1, 1, 1)
        self.spread.copy_(torch.where(spread > 0.0, spread, 1.0))
