"""Batches of consecutive steps of the same columns."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from closures.training.batches import Batch, Order, Samples
from closures.training.errors import TrainingError


class TrajectoryBatches:
    """Batches of inputs ``(n, n_step, n_input)`` and outputs ``(n, n_step, n_output)``, in memory.

    Parameters
    ----------
    samples
        All columns of a time step, then all of the next one, and so on.
    steps
        Number of each of these time steps: consecutive numbers are consecutive steps.
    n_step
        Length of a trajectory.
    order
        Size and order of batches, a sample being a trajectory.
    device
        Where the samples stay.

    Raises
    ------
    TrainingError
        If there are no so many consecutive steps.
    """

    def __init__(
        self,
        samples: Samples,
        steps: Sequence[int],
        n_step: int,
        order: Order,
        device: torch.device | str = "cpu",
    ) -> None:
        n_column = samples.n_sample // len(steps)
        self.order = order
        self.inputs, self.outputs = (
            torch.from_numpy(np.concatenate([part[i] for part in samples.parts()]))
            .to(device)
            .reshape(len(steps), n_column, -1)
            for i in (0, 1)
        )
        ends = range(len(steps) - n_step + 1)
        starts = [i for i in ends if steps[i + n_step - 1] - steps[i] == n_step - 1]
        if not starts:
            raise TrainingError(
                f"rollout: expected {n_step} consecutive time steps, found none among "
                f"{len(steps)}; train on generated data ('hybrid climsim generate') in split "
                "season or all, or with loss.rollout=1 and results=mean"
            )
        self._starts = torch.tensor(starts, device=device)
        self._within = torch.arange(n_step, device=device)
        self._n_column = n_column

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self.order.n_batch(len(self._starts) * self._n_column)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; the same number gives the same batches."""
        for share in self.order.shares(len(self._starts) * self._n_column, number):
            numbers = share.to(self._starts.device)
            first = self._starts[torch.div(numbers, self._n_column, rounding_mode="floor")]
            step = first[:, None] + self._within
            column = (numbers % self._n_column)[:, None]
            yield self.inputs[step, column], self.outputs[step, column]
