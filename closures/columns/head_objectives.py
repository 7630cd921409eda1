"""Objectives of networks with a second head: a confidence, a trigger."""

from torch import Tensor

from closures.columns.core import Core
from closures.columns.losses import confidence, triggered
from closures.columns.networks.interface import ConfidentNetwork, TriggeredNetwork
from closures.columns.objectives import ColumnObjective, Target
from closures.errors import SpecError


class Confidence(ColumnObjective):
    """Huber's loss of the prediction, and of what the network thinks of that loss.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    delta
        Threshold of both.
    """

    def __init__(self, core: Core, target: Target, delta: float = 1.0) -> None:
        super().__init__(core, target)
        if not isinstance(core.network, ConfidentNetwork):
            raise SpecError("loss confidence: expected a network with head 'confidence'")
        self.delta = delta

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        assert isinstance(self.network, ConfidentNetwork)
        prediction, expected = self.network.with_loss(self.features(inputs))
        found = self.chosen(self.compared(inputs, prediction.float()))
        target = self.chosen(self.targets(outputs))
        return confidence(found, self.chosen(expected.float()), target, self.delta)


class Trigger(ColumnObjective):
    """Cross-entropy of the decision, and the squared error where the scheme was active.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    feature
        Number of the output that tells whether the scheme was active in a column.
    above
        It was where that output exceeds this, in its units.
    """

    def __init__(self, core: Core, target: Target, feature: int, above: float = 0.0) -> None:
        super().__init__(core, target)
        if not isinstance(core.network, TriggeredNetwork):
            raise SpecError("loss trigger: expected a network with head 'trigger'")
        self.feature, self.above = feature, above

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        assert isinstance(self.network, TriggeredNetwork)
        prediction, log_odds = self.network.with_trigger(self.features(inputs))
        found = self.chosen(self.compared(inputs, prediction.float()))
        active = outputs[:, self.feature] > self.above
        return triggered(found, log_odds.float(), self.chosen(self.targets(outputs)), active)
