"""Closures of two-layer flow whose tendency a network makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from closures.base import Closure
from closures.columns.seeding import seeded
from closures.errors import SpecError
from closures.quasigeostrophic.networks.fcnn import PUBLISHED, SideBySide, fcnn
from closures.quasigeostrophic.networks.inputs import Channels
from closures.quasigeostrophic.networks.limiter import EnergyLimiter, Unlimited
from closures.quasigeostrophic.networks.separable import gated, separable
from closures.quasigeostrophic.networks.symmetry import SymmetricMean, Symmetry
from closures.quasigeostrophic.networks.unet import UNet
from closures.quasigeostrophic.specification import layer_spec
from closures.quasigeostrophic.stratification import Stratification

Kind = Literal["fcnn", "separable", "gated", "unet"]

_ROSS = "Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258"


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is made of.

    Parameters
    ----------
    kind
        ``"fcnn"``, see `fcnn`; ``"separable"`` and ``"gated"``, see there; ``"unet"``, see `UNet`.
    inputs
        Names among `INPUTS`; ``"gated"`` takes q and advection alone.
    n_channel, n_block, width
        Of separable, gated and unet: channels, blocks (of unet: grids besides the finest), and
        points along a side of kernels.
    layers
        Of fcnn: channels and kernels.
    per_layer
        Of fcnn: a network for each layer of the flow, as published, or one for both.
    symmetry
        Of fcnn and separable, see `Symmetry`; gated has all symmetries by itself, and cells of the
        coarser grids of unet have none with the points of a mirror.

    Raises
    ------
    SpecError
        If names are unknown, or do not fit each other.
    """

    kind: Kind = "gated"
    inputs: tuple[str, ...] = ("q", "advection")
    n_channel: int = 16
    n_block: int = 3
    width: int = 5
    layers: tuple[tuple[int, int], ...] = PUBLISHED
    per_layer: bool = True
    symmetry: Symmetry = "none"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, get_args(Kind)),
            ("symmetry", self.symmetry, get_args(Symmetry)),
        ):
            if value not in known:
                raise SpecError(f"{name}: expected one of {', '.join(known)}, got {value!r}")
        widths = [self.width, *(width for _, width in self.layers)]
        if any(width < 1 or width % 2 == 0 for width in widths):
            got = ", ".join(map(str, widths))
            raise SpecError(f"width: expected kernels of odd numbers of points, got {got}")
        sizes = [self.n_channel, self.n_block, *(n for n, _ in self.layers)]
        if min(sizes) < 1:
            raise SpecError(
                "n_channel, n_block, layers: expected at least one block, and one channel each, "
                f"got {', '.join(map(str, sizes))}"
            )
        if self.kind == "gated" and "u" in self.inputs:
            raise SpecError(
                "inputs: expected q and advection for a gated network, whose channels turn as q "
                f"does, got {', '.join(self.inputs)}; choose kind='separable' for u and v"
            )

        if self.kind == "unet" and self.symmetry != "none":
            raise SpecError(
                f"symmetry: expected none for unet, whose coarser grids no mirror keeps, got "
                f"{self.symmetry}; choose kind='gated' or 'separable'"
            )

    def network(self, n_input: int) -> nn.Module:
        """Return the network, of `n_input` channels, with weights drawn by torch."""
        if self.kind == "gated":
            return gated(n_input, self.n_channel, self.n_block, self.width)
        if self.kind == "unet":
            return UNet(n_input, self.n_channel, self.n_block, self.width)
        if self.kind == "separable":
            made = separable(n_input, self.n_channel, self.n_block, self.width)
        elif self.per_layer:
            made = SideBySide(*(fcnn(n_input, 1, self.layers) for _ in range(2)))
        else:
            made = fcnn(n_input, 2, self.layers)
        if self.symmetry == "none":
            return made
        return SymmetricMean(made, self.inputs, self.symmetry)


#: The network of Ross et al. (2023).
PAPER = Architecture(kind="fcnn", inputs=("q", "u", "v"))


class WithoutMean(nn.Module):
    """A network, less the mean over the plane of each of its channels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network makes, with mean 0."""
        made: Tensor = self.network(x)
        return made - made.mean((2, 3), keepdim=True)


class NetworkClosure(Closure):
    """Tendency of q by a convolutional network, in single precision.

    The mean of q stays as it is, by construction. Channels are divided by their spreads in the
    training states, and the result is multiplied by those of the targets, `set_scales`.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    architecture
        The network.
    largest_growth
        Rate at which it may let energy grow, see `EnergyLimiter` [s-1]; None: any.
    stratification
        That of the model, for the limiter.
    seed
        Of the initial weights.
    largest
        Largest magnitudes of q, u and v that it was made for [s-1, m s-1], by name; see
        `layer_spec`.
    provenance
        What it was trained on.

    Raises
    ------
    SpecError
        If the limiter lacks a stratification, or as of `Architecture`, `Channels`, `layer_spec`.
    """

    output_spread: Tensor

    def __init__(
        self,
        spacing: tuple[float, float],
        architecture: Architecture,
        *,
        largest_growth: float | None = None,
        stratification: Stratification | None = None,
        seed: int = 0,
        largest: Mapping[str, float] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            layer_spec(
                f"network_{architecture.kind}",
                spacing,
                "quv",
                f"Convolutional network, {architecture.kind}, of {', '.join(architecture.inputs)}",
                (_ROSS,),
                largest,
                provenance,
                dtype="float32",
            )
        )
        self.architecture = architecture
        self.channels = Channels(spacing, architecture.inputs)
        with seeded(seed):
            self.core = WithoutMean(architecture.network(self.channels.n_channel))
        self.register_buffer("output_spread", torch.ones(2, 1, 1))
        if largest_growth is None:
            self.limiter: nn.Module = Unlimited()
        elif stratification is None:
            raise SpecError(
                "stratification: expected that of the model, which tells the energy that "
                "largest_growth bounds, got none; pass Stratification.of(...)"
            )
        else:
            self.limiter = EnergyLimiter(spacing, stratification, largest_growth)

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], u and v [m s-1], all ``(n, 2, y, x)``."""
        kind = self.output_spread.dtype
        q, u, v = q.to(kind), u.to(kind), v.to(kind)
        made = self.output_spread * self.core(self.channels(q, u, v))
        return (self.limiter(q, made),)

    def set_scales(self, q: Tensor, u: Tensor, v: Tensor, tendency: Tensor) -> None:
        """Set the spreads of channels and result to those of states and targets.

        Parameters
        ----------
        q, u, v, tendency
            Of training samples, shape ``(n, 2, y, x)`` [s-1, m s-1, m s-1, s-2].
        """
        self.channels.measure(q, u, v)
        found = tendency.square().mean((0, 2, 3), keepdim=True)[0].sqrt()
        self.output_spread.copy_(torch.where(found > 0.0, found, 1.0))

    def n_parameter(self) -> int:
        """Return the number of weights."""
        return sum(each.numel() for each in self.core.parameters())
