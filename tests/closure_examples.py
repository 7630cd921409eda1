"""Small closures that tests share: stateless profiles, and a stateful, stochastic scalar."""

import torch
from torch import Tensor, nn

from closures import Closure, ClosureSpec, Field

N_LEVEL = 5


class ColumnNetwork(Closure):
    """Profile and scalar in, profile and scalar out."""

    def __init__(self, n_level: int = N_LEVEL, seed: int = 0, n_hidden: int = 32) -> None:
        level = ("level",)
        super().__init__(
            ClosureSpec(
                name="column_network",
                version="1.0",
                inputs=(
                    Field("state_t", "K", level, (n_level,), valid_min=200.0, valid_max=310.0),
                    Field("state_ps", "Pa", valid_min=5e4, valid_max=1.05e5),
                ),
                outputs=(
                    Field("ptend_t", "K s-1", level, (n_level,)),
                    Field("precipitation", "m s-1"),
                ),
                description="random network for tests",
            )
        )
        generator = torch.Generator().manual_seed(seed)
        self.hidden = nn.Linear(n_level + 1, n_hidden)
        self.head = nn.Linear(n_hidden, n_level + 1)
        for parameter in self.parameters():
            scale = parameter.shape[-1] ** -0.5
            parameter.data = scale * torch.randn(parameter.shape, generator=generator)

    def forward(self, state_t: Tensor, state_ps: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([(state_t - 260.0) / 30.0, (state_ps[:, None] - 8e4) / 2e4], dim=1)
        y = self.head(torch.tanh(self.hidden(x)))
        return (y[:, :-1] * 1e-5, torch.sigmoid(y[:, -1]) * 1e-7)


class ColumnConvolution(Closure):
    """Profile and scalar in, profile and scalar out, by convolution along the levels."""

    def __init__(self, n_level: int = N_LEVEL, seed: int = 0, n_channel: int = 8) -> None:
        level = ("level",)
        super().__init__(
            ClosureSpec(
                name="column_convolution",
                version="1.0",
                inputs=(
                    Field("state_t", "K", level, (n_level,), valid_min=200.0, valid_max=310.0),
                    Field("state_ps", "Pa", valid_min=5e4, valid_max=1.05e5),
                ),
                outputs=(
                    Field("ptend_t", "K s-1", level, (n_level,)),
                    Field("precipitation", "m s-1"),
                ),
                description="random convolutions for tests",
            )
        )
        generator = torch.Generator().manual_seed(seed)
        self.first = nn.Conv1d(2, n_channel, 5, padding=2)
        self.second = nn.Conv1d(n_channel, n_channel, 3, padding=1)
        self.head = nn.Conv1d(n_channel, 1, 1)
        for parameter in self.parameters():
            scale = float(parameter[0].numel()) ** -0.5
            parameter.data = scale * torch.randn(parameter.shape, generator=generator)

    def forward(self, state_t: Tensor, state_ps: Tensor) -> tuple[Tensor, Tensor]:
        t = (state_t - 260.0) / 30.0
        ps = ((state_ps - 8e4) / 2e4)[:, None].expand(t.shape)
        x = torch.tanh(self.first(torch.stack([t, ps], dim=1)))
        x = torch.nn.functional.silu(self.second(x))
        return (self.head(x)[:, 0] * 1e-5, torch.sigmoid(x.mean(dim=(1, 2))) * 1e-7)


class Persistence(Closure):
    """AR(1) in every column, with a profile of state and noise."""

    def __init__(self, n_level: int = N_LEVEL, phi: float = 0.9) -> None:
        level = ("level",)
        super().__init__(
            ClosureSpec(
                name="persistence",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-2.0, valid_max=2.0),),
                outputs=(Field("x_tendency", "s-1"),),
                state=(Field("memory", "1", level, (n_level,)),),
                noise=(Field("shock", "1", level, (n_level,)),),
            )
        )
        self.phi = phi

    def forward(self, x: Tensor, memory: Tensor, shock: Tensor) -> tuple[Tensor, Tensor]:
        new = self.phi * memory + shock
        return (x + new.sum(dim=1), new)


class Saturating(Closure):
    """An activation far beyond where it saturates: what overflows inside leaves no trace."""

    def __init__(self, activation: str) -> None:
        super().__init__(
            ClosureSpec(
                name="saturating",
                version="1.0",
                inputs=(Field("x", "1", valid_min=-2e4, valid_max=2e4),),
                outputs=(Field("y", "1"),),
            )
        )
        self.activation = activation

    def forward(self, x: Tensor) -> tuple[Tensor]:
        if self.activation == "sigmoid":
            return (torch.sigmoid(x),)
        if self.activation == "silu":
            return (torch.nn.functional.silu(x),)
        # tanh alone raises no exception; of what has overflowed it does.
        return (torch.tanh(torch.exp(x)),)


class Activated(Closure):
    """A number a column, through an activation that rounds in two ways.

    The last numbers of an array are computed by other instructions than the others, and with
    sigmoid, SiLU and ELU 4 % of the numbers then differ in the last bit.
    """

    def __init__(self, activation: str, n_hidden: int, seed: int) -> None:
        super().__init__(
            ClosureSpec(
                name="activated",
                version="1.0",
                inputs=(Field("x", "1", ("level",), (6,), valid_min=-2.0, valid_max=2.0),),
                outputs=(Field("y", "1"),),
            )
        )
        generator = torch.Generator().manual_seed(seed)
        self.activation = activation
        self.hidden = nn.Linear(6, n_hidden)
        self.head = nn.Linear(n_hidden, 1)
        for parameter in self.parameters():
            scale = parameter.shape[-1] ** -0.5
            parameter.data = scale * torch.randn(parameter.shape, generator=generator)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        hidden = self.hidden(x)
        if self.activation == "silu":
            hidden = torch.nn.functional.silu(hidden)
        if self.activation == "elu":
            hidden = torch.nn.functional.elu(hidden)
        y = self.head(hidden).squeeze(-1)
        if self.activation == "sigmoid":
            y = torch.sigmoid(y)
        return (y,)
