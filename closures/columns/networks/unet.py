"""U-Net along the levels, of the kind that has run coupled for years."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout

SKIP_SCALE = 0.5**0.5
"""Keeps the variance of a sum of two branches."""


@dataclass(frozen=True)
class UNetSizes:
    """Sizes of a `UNet`.

    Parameters
    ----------
    width
        Channels at full resolution.
    multipliers
        Channels of each resolution, as multiples of `width`; each halves the levels.
    n_block
        Residual blocks of a resolution on the way down; one more on the way up.
    dropout
        Share of values left out in training.
    """

    width: int
    multipliers: tuple[int, ...]
    n_block: int = 2
    dropout: float = 0.0


PRESETS: Mapping[str, UNetSizes] = MappingProxyType(
    {
        "tiny": UNetSizes(8, (1, 2), 1),
        "small": UNetSizes(32, (1, 2, 2), 1),
        "published": UNetSizes(128, (1, 2, 2, 2)),
    }
)
"""``published``: 12.98 million parameters on ClimSim's v5 set. The 13.58 million reported for it
[1] also count 0.59 million of convolutions on the skips that are fixed to the identity, and a
table of locations that stays unused; neither changes what the network can do."""


class UNet(nn.Module):
    """Residual blocks at ever coarser levels and back, with skips; attention at the coarsest.

    Levels are padded at the top to a multiple of the coarsening; scalars enter as channels and
    leave as level means. The last convolution starts from zero, so that an untrained network
    predicts the mean.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths and resolutions.

    References
    ----------
    .. [1] Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a
       comprehensive atmospheric model learned from embedded convection-permitting simulations,
       J. Adv. Model. Earth Syst. 17.
    .. [2] Song et al. 2021, Score-based generative modeling through stochastic differential
       equations, ICLR: DDPM++.
    """

    def __init__(self, layout: ColumnLayout, sizes: UNetSizes) -> None:
        super().__init__()
        self.n_level = layout.n_level
        self.n_pad = -layout.n_level % 2 ** (len(sizes.multipliers) - 1)
        self.to_channels = ToChannels(layout)
        widths = [sizes.width * multiplier for multiplier in sizes.multipliers]
        self.first = nn.Conv1d(layout.n_channel("inputs"), sizes.width, 3, padding=1)
        skips = [sizes.width]
        down: list[nn.Module] = []
        before = sizes.width
        for i, width in enumerate(widths):
            if i:
                down.append(_Block(before, before, sizes.dropout, "down"))
                skips.append(before)
            for _ in range(sizes.n_block):
                down.append(_Block(before, width, sizes.dropout))
                before = width
                skips.append(width)
        self.down = nn.ModuleList(down)
        self.middle = nn.Sequential(
            _Block(before, before, sizes.dropout),
            _Attention(before),
            _Block(before, before, sizes.dropout),
        )
        up: list[nn.Module] = []
        for i, width in reversed(list(enumerate(widths))):
            for _ in range(sizes.n_block + 1):
                up.append(_Block(before + skips.pop(), width, sizes.dropout))
                before = width
            if i:
                up.append(_Block(before, before, sizes.dropout, "up"))
        self.up = nn.ModuleList(up)
        last = nn.Conv1d(before, layout.n_channel("outputs"), 3, padding=1)
        nn.init.zeros_(last.weight)
        self.last = nn.Sequential(_norm(before), nn.SiLU(), last)
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        x = self.first(functional.pad(self.to_channels(features), [self.n_pad, 0]))
        skips = [x]
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.middle(x)
        for block in self.up:
            if block.joins:
                x = torch.cat([x, skips.pop()], dim=1)
            x = block(x)
        output: Tensor = self.from_channels(self.last(x)[:, :, self.n_pad :])
        return output


def _norm(width: int) -> nn.GroupNorm:
    n_group = min(32, max(width // 4, 1))
    while width % n_group:
        n_group -= 1
    return nn.GroupNorm(n_group, width, eps=1e-6)


def _resampling(kind: str) -> nn.Module:
    if kind == "down":
        return nn.AvgPool1d(2)
    if kind == "up":
        return nn.Upsample(scale_factor=2.0, mode="nearest")
    return nn.Identity()


class _Block(nn.Module):
    """Two convolutions beside a skip; halves or doubles the levels if asked to."""

    def __init__(self, before: int, after: int, dropout: float, resample: str = "") -> None:
        super().__init__()
        self.joins = not resample
        self.scale = SKIP_SCALE
        self.resample = _resampling(resample)
        self.first = nn.Sequential(_norm(before), nn.SiLU())
        self.convolution = nn.Conv1d(before, after, 3, padding=1)
        self.second = nn.Sequential(
            _norm(after), nn.SiLU(), nn.Dropout(dropout), nn.Conv1d(after, after, 3, padding=1)
        )
        self.skip = (
            nn.Identity() if before == after and not resample else nn.Conv1d(before, after, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        body = self.second(self.convolution(self.resample(self.first(x))))
        output: Tensor = (body + self.skip(self.resample(x))) * self.scale
        return output


class _Attention(nn.Module):
    """Single-head attention between levels, added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = SKIP_SCALE
        self.norm = _norm(width)
        self.query_key_value = nn.Conv1d(width, 3 * width, 1)
        self.project = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.query_key_value(self.norm(x)).transpose(1, 2).chunk(3, dim=2)
        seen = functional.scaled_dot_product_attention(query, key, value)
        output: Tensor = (x + self.project(seen.transpose(1, 2))) * self.scale
        return output
