"""What a network of two-layer flow cannot know of its target, as noise with a memory."""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from closures.base import Closure
from closures.columns.seeding import seeded
from closures.errors import SpecError
from closures.field import Field
from closures.quasigeostrophic.networks.closure import NetworkClosure
from closures.quasigeostrophic.networks.convolution import IsotropicConvolution, mixing

N_RING = 32
"""Rings of the spectral plane, out to its corner, for which an amplitude of noise is known."""

# Spreads between 1/150 and 150 of those of the targets: no state makes noise of any size.
_LARGEST_EXPONENT = 5.0


class SpreadNetwork(nn.Module):
    """Spread of what is missed, ``exp(M2 relu(M1 K log(1 + x^2)))``, K without directions.

    It is positive, the same for flows that are mirrored or of the other sign, and no state makes it
    larger than `math.exp` of 5.

    Parameters
    ----------
    n_input
        Channels that go in; a spread for each layer comes out.
    n_channel
        Channels between.
    width
        Points along a side of the kernel, odd.
    """

    def __init__(self, n_input: int, n_channel: int, width: int) -> None:
        super().__init__()
        self.kernel = IsotropicConvolution(n_input, width)
        self.spread = mixing(n_input, n_channel)
        self.gather = mixing(n_channel, 2)
        self.largest = _LARGEST_EXPONENT

    def forward(self, x: Tensor) -> Tensor:
        """Return spreads [1], shape ``(n, 2, y, x)``, of channels ``(n, n_input, y, x)``."""
        sizes = self.kernel(torch.log1p(x * x))
        exponent: Tensor = self.gather(torch.relu(self.spread(sizes)))
        return torch.exp(exponent.clamp(-self.largest, self.largest))


class StochasticNetwork(Closure):
    r"""A network and noise: ``T + s(q, u, v) C z`` with a spread s that is learned.

    .. math:: z_{n+1} = a z_n + \sqrt{1 - a^2} \, \xi_n, \quad a = e^{-\Delta t / \tau}

    z is a state, of points that are independent of each other; C gives it the spectrum of what the
    network misses, with variance 1. It begins with 0 and has its variance after some tau. Layers
    are independent, too. The mean of q stays; a limiter of the network acts on T alone.

    Parameters
    ----------
    network
        T, trained. It becomes a part of this closure.
    dt
        Time step of the model [s]: the closure is evaluated once a step.
    n_channel, width
        Of the `SpreadNetwork`.
    correlation_time
        tau [s]; 0: no memory. `fit_spread` measures it.
    seed
        Of the initial weights.

    Raises
    ------
    SpecError
        If the time step is not positive, or the correlation time negative.
    """

    colour: Tensor
    memory: Tensor

    def __init__(
        self,
        network: NetworkClosure,
        dt: float,
        *,
        n_channel: int = 8,
        width: int = 5,
        correlation_time: float = 0.0,
        seed: int = 0,
    ) -> None:
        spec = network.spec
        output = spec.outputs[0]

        def number(name: str) -> Field:
            return Field(name, "1", output.dims, output.shape, output.dtype)

        super().__init__(
            replace(
                spec,
                name=f"stochastic_{spec.name}",
                description=f"{spec.description}, and noise with a memory",
                state=(number("missed"),),
                noise=(number("shock"),),
            )
        )
        if not 0.0 < dt < math.inf:
            raise SpecError(f"dt: expected a positive time step [s], got {dt}")
        self.dt = float(dt)
        self.network = network
        with seeded(seed):
            self.spread = SpreadNetwork(network.channels.n_channel, n_channel, width)
        self.register_buffer("colour", torch.ones(2, N_RING))
        self.register_buffer("memory", torch.zeros(()))
        self.set_correlation_time(correlation_time)

    def forward(
        self, q: Tensor, u: Tensor, v: Tensor, missed: Tensor, shock: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the tendency of q [s-2] and the new state [1], all ``(n, 2, y, x)``."""
        kind = self.colour.dtype
        known = self.network(q, u, v)[0]
        channels = self.network.channels(q.to(kind), u.to(kind), v.to(kind))
        state = self.memory * missed + torch.sqrt(1.0 - self.memory * self.memory) * shock
        noise = self.network.output_spread * self.spread(channels) * coloured(state, self.colour)
        return known + noise - noise.mean((2, 3), keepdim=True), state

    @property
    def correlation_time(self) -> float:
        """Time after which e^-1 of the noise is remembered [s]."""
        memory = float(self.memory)
        return -self.dt / math.log(memory) if memory > 0.0 else 0.0

    def set_correlation_time(self, seconds: float) -> None:
        """Set tau [s]; 0 for noise without a memory.

        Raises
        ------
        SpecError
            If it is negative or not finite.
        """
        if not 0.0 <= seconds < math.inf:
            raise SpecError(f"correlation_time: expected 0 or a positive time [s], got {seconds}")
        self.memory.fill_(math.exp(-self.dt / seconds) if seconds > 0.0 else 0.0)


def ring_places(field: Tensor, n_ring: int) -> Tensor:
    """Return where among rings the waves of a field are, 0 to ``n_ring - 1``, shape ``(l, k)``."""
    x = torch.fft.rfftfreq(field.size(-1), dtype=field.dtype, device=field.device)
    y = torch.fft.fftfreq(field.size(-2), dtype=field.dtype, device=field.device)
    # In units of the wavenumber at the corner, whatever the number of points.
    away = torch.sqrt(2.0 * (x * x + (y * y)[:, None]))
    return away * (n_ring - 1)


def coloured(white: Tensor, colour: Tensor) -> Tensor:
    """Return white noise with other amplitudes, and the same variance.

    Parameters
    ----------
    white
        Independent numbers, shape ``(n, 2, y, x)``.
    colour
        Amplitude of each ring, out to the corner of the spectral plane, shape ``(2, ring)``.
    """
    place = ring_places(white, colour.size(1))
    below = place.floor().clamp(0, colour.size(1) - 2).long()
    part = place - below
    amplitude = (1.0 - part) * colour[:, below] + part * colour[:, below + 1]
    # Waves between the first and the last of k stand for two.
    n_x = white.size(-1)
    count = torch.full([amplitude.size(-1)], 2.0, dtype=white.dtype, device=white.device)
    count[0] = 1.0
    if n_x % 2 == 0:
        count[-1] = 1.0
    power = (count * amplitude * amplitude).sum((1, 2), keepdim=True)
    amplitude = amplitude * torch.sqrt(n_x * white.size(-2) / power)
    made: Tensor = torch.fft.irfft2(
        torch.fft.rfft2(white) * amplitude, s=[white.size(-2), white.size(-1)]
    )
    return made
