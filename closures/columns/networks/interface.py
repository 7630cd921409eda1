"""What networks can do beyond one prediction: spread, samples, members, memory, confidence."""

from torch import Tensor, nn


class StochasticNetwork(nn.Module):
    """A network that predicts a distribution; its ``forward`` is the mean.

    It draws no random numbers: a sample is a function of standard normal numbers that the
    caller, in the end the bridge, supplies.

    Attributes
    ----------
    n_noise : int
        Standard normal numbers that one sample of one column takes.
    """

    n_noise: int

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, each ``(n, n_output)``."""
        raise NotImplementedError

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return one draw ``(n, n_output)`` for noise ``(n, n_noise)``."""
        raise NotImplementedError


class EnsembleNetwork(StochasticNetwork):
    """A stochastic network that is an ensemble of deterministic ones.

    Attributes
    ----------
    n_member : int
        Number of members.
    """

    n_member: int

    def members(self, features: Tensor) -> Tensor:
        """Return the prediction of each member ``(n_member, n, n_output)``."""
        raise NotImplementedError


class GuardedNetwork(StochasticNetwork):
    """A stochastic network that says of each column how far it is to be trusted.

    Attributes
    ----------
    least_confidence : float
        Confidence, in (0, 1], below which a column is not to be trusted.
    """

    least_confidence: float

    def guarded(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and standard deviation ``(n, n_output)``, and confidence ``(n,)``."""
        raise NotImplementedError

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean ``(n, n_output)``."""
        return self.guarded(features)[0]

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, each ``(n, n_output)``."""
        mean, deviation, _ = self.guarded(features)
        return mean, deviation

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return mean + standard deviation * noise, noise being ``(n, n_output)``."""
        mean, deviation, _ = self.guarded(features)
        return mean + deviation * noise


class MemoryNetwork(nn.Module):
    """A network that carries values at each level from one step to the next.

    Its ``forward`` starts from zero memory.

    Attributes
    ----------
    n_memory : int
        Values carried at each level, each between -1 and 1.
    """

    n_memory: int

    def step(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return the prediction and the new memory; memory is ``(n, n_level, n_memory)``."""
        raise NotImplementedError


class ConfidentNetwork(nn.Module):
    """A network that also predicts its own loss, output by output."""

    def with_loss(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return prediction and predicted loss (not negative), each ``(n, n_output)``."""
        raise NotImplementedError


class TriggeredNetwork(nn.Module):
    """A network that also says whether its prediction applies."""

    def with_trigger(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return prediction ``(n, n_output)`` and log odds ``(n,)``, on above zero."""
        raise NotImplementedError
