"""Interpolation by neural networks of the position, plain or with random Fourier features."""

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from closures.model_error.interpolation.domain import Domain
from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.interpolator import Interpolant, OnProgress
from closures.model_error.interpolation.sensors import Sensors
from closures.training import Training, train

_TRAINING = Training(
    n_epoch=500,
    batch_size=512,
    learning_rate=2e-3,
    weight_decay=0.0,
    schedule="cosine",
    patience=150,
)


@dataclass(frozen=True)
class NetworkInterpolator:
    r"""A multilayer perceptron from the position to the fields.

    Such a network finds long waves first and short ones late, if at all: its spectral bias. With
    random Fourier features it sees the position as
    :math:`\cos(B x), \sin(B x)`, with x from :math:`-\pi` to :math:`\pi` along each dimension and
    B drawn from a normal distribution, and then learns waves of all lengths in B. Frequencies
    along periodic dimensions are whole numbers, so that the fields are periodic too; without
    features the network sees x itself, and has a seam there.

    Training ends when sensors that are held out are no longer met better; the best weights are
    kept.

    Parameters
    ----------
    n_frequency
        Random Fourier features; 0 for a plain network.
    bandwidth
        Standard deviation of their frequencies, in waves a domain [1].
    width, depth
        Of the hidden layers, with tanh. The published network has 1000 and 4, and 500
        frequencies of bandwidth 10 [1]_.
    held_out
        Share of the sensors that training does not see.
    training
        Settings, the seed among them; a batch is at most all sensors.

    Raises
    ------
    InterpolationError
        If a value is out of its range.

    References
    ----------
    .. [1] Mojgani, Chattopadhyay & Hassanzadeh 2024, J. Adv. Model. Earth Syst. 16,
       e2023MS004033 (MEDIDA-QG).
    .. [2] Tancik et al. 2020, Fourier features let networks learn high frequency functions in low
       dimensional domains, NeurIPS.
    .. [3] Rahaman et al. 2019, On the spectral bias of neural networks, ICML.

    Examples
    --------
    >>> from closures.model_error.interpolation import Domain
    >>> circle = Domain((0.0,), (2.0 * np.pi,), (True,))
    >>> x = np.linspace(0.0, 2.0 * np.pi, 64, endpoint=False)[:, None]
    >>> training = Training(n_epoch=100, batch_size=64, learning_rate=5e-3, weight_decay=0.0)
    >>> network = NetworkInterpolator(16, bandwidth=2.0, width=32, depth=1, training=training)
    >>> sine = network.fit(Sensors(x, np.sin(x[:, 0]), circle))
    >>> bool(abs(sine([[0.25 * np.pi]])[0, 0] - 0.5**0.5) < 0.05)
    True
    """

    n_frequency: int = 0
    bandwidth: float = 10.0
    width: int = 128
    depth: int = 4
    held_out: float = 0.1
    training: Training = field(default=_TRAINING)

    def __post_init__(self) -> None:
        right = (
            self.n_frequency >= 0
            and self.bandwidth > 0.0
            and min(self.width, self.depth) >= 1
            and 0.0 < self.held_out < 1.0
        )
        if not right:
            raise InterpolationError(
                "network: expected n_frequency >= 0, bandwidth > 0, width >= 1, depth >= 1 and "
                f"0 < held_out < 1, got {self.n_frequency}, {self.bandwidth}, {self.width}, "
                f"{self.depth} and {self.held_out}"
            )

    def fit(self, sensors: Sensors, on_progress: OnProgress | None = None) -> Interpolant:
        """Return fields near what sensors measured; see `Interpolator.fit`.

        Raises
        ------
        TrainingError
            If the loss is no longer finite.
        """
        domain, seed = sensors.domain, self.training.seed
        kept, aside = sensors.split(self.held_out, seed)
        mean, spread = sensors.mean, sensors.spread

        def tensors(some: Sensors) -> tuple[Tensor, Tensor]:
            return _scaled(domain, some.positions), _float32(((some.values - mean) / spread).T)

        network = self._network(domain, sensors.n_field, seed)
        settings = dataclasses.replace(
            self.training, batch_size=min(self.training.batch_size, len(kept))
        )
        train(network, *tensors(kept), settings, tensors(aside), on_progress=on_progress)

        def at(points: ArrayLike) -> NDArray[np.float64]:
            with torch.no_grad():
                found = network(_scaled(domain, domain.wrapped(points)))
            return np.asarray(mean + spread * found.double().numpy().T)

        return at

    def _network(self, domain: Domain, n_field: int, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers: list[nn.Module] = []
            n_input = domain.n_dimension
            if self.n_frequency:
                frequencies = self.bandwidth * torch.randn(self.n_frequency, n_input)
                periodic = torch.tensor(domain.periodic)
                layers.append(_Waves(torch.where(periodic, frequencies.round(), frequencies)))
                n_input = 2 * self.n_frequency
            for _ in range(self.depth):
                layers += [nn.Linear(n_input, self.width), nn.Tanh()]
                n_input = self.width
            return nn.Sequential(*layers, nn.Linear(n_input, n_field))


class _Waves(nn.Module):
    """Cosines and sines of the position."""

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        self.register_buffer("frequencies", frequencies)

    def forward(self, x: Tensor) -> Tensor:
        """Return features ``(n, 2 n_frequency)`` of scaled positions ``(n, n_dimension)``."""
        phase = x @ self.get_buffer("frequencies").T
        return torch.cat([torch.cos(phase), torch.sin(phase)], dim=1)


def _scaled(domain: Domain, positions: NDArray[np.float64]) -> Tensor:
    unit = (positions - np.asarray(domain.lower)) / domain.lengths
    return _float32(math.pi * (2.0 * unit - 1.0))


def _float32(values: NDArray[np.float64]) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
