"""A network that predicts its own loss."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import ConfidentNetwork


def doubled(layout: ColumnLayout) -> ColumnLayout:
    """Return the layout whose outputs are those of `layout` twice: predictions, then losses."""
    return replace(layout, outputs=layout.outputs * 2)


class Confident(ConfidentNetwork):
    """One network for the outputs and, through a second head, for their losses.

    The head shares all hidden layers with the prediction and must not be negative (softplus). It
    is trained by `closures.columns.losses.confidence`; where it is large, a host may prefer its own
    scheme.

    Parameters
    ----------
    network
        Built for the `doubled` layout.
    n_output
        Number of outputs of the layout itself.

    References
    ----------
    .. [1] Heuer et al. 2025, Beyond the training data: confidence-guided mixing of
       parameterizations in a hybrid AI-climate model, arXiv 2510.08107.
    """

    def __init__(self, network: nn.Module, n_output: int) -> None:
        super().__init__()
        self.network = network
        self.n_output = n_output

    def forward(self, features: Tensor) -> Tensor:
        """Return the prediction ``(n, n_output)``."""
        return self.with_loss(features)[0]

    def with_loss(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return prediction and predicted loss, each ``(n, n_output)``."""
        prediction, loss = torch.split(self.network(features), self.n_output, dim=1)
        return prediction, functional.softplus(loss)
