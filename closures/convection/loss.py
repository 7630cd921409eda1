"""A loss of convection: whether, where, how much."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from closures.convection.budget import ConvectiveBudget


class ConvectionLoss(nn.Module):
    r"""Cross-entropy of what is yes or no, and squared errors of amounts where there are any.

    Of all columns: whether convection is deep, and shallow. Of columns that truly convect deeply:
    which layers are in the cloud; condensation and change of vapour in units of their spread, with
    the layers' part in the cloud as a probability; their sum. Of truly shallow ones: fluxes in
    units of their spread.

    The targets are side by side: accession of moisture by layers, condensation, change of vapour,
    each ``(n, n_level)`` [kg m-2 s-1], and fluxes of moisture and heat at the inner interfaces in
    units of the budget's transport ``(n, 2 * (n_level - 1))``.

    Parameters
    ----------
    budget
        The constraints.
    condensation, change
        Spread of both ``(n_level,)`` [kg m-2 s-1].
    total
        Spread of their sum [kg m-2 s-1].
    """

    condensation: Tensor
    change: Tensor

    def __init__(
        self, budget: ConvectiveBudget, condensation: Tensor, change: Tensor, total: float
    ) -> None:
        super().__init__()
        self.budget = budget
        self.total = total
        self.register_buffer("condensation", condensation)
        self.register_buffer("change", change)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the network's output ``(n, Head.size)``."""
        n = self.budget.n_level
        supply, rain, change = (target[:, i * n : (i + 1) * n] for i in range(3))
        fluxes = target[:, 3 * n :]
        deep = (rain.sum(dim=1) > 0.0).float()
        shallow = (fluxes.abs().sum(dim=1) > 0.0).float() * (1.0 - deep)
        whether = binary_cross_entropy_with_logits(
            prediction[:, :2], torch.stack([deep, shallow], dim=1)
        )
        inside, condensing = self.budget.starts[:2]
        logits = prediction[:, inside:condensing]
        where = binary_cross_entropy_with_logits(
            logits, (change != 0.0).float(), reduction="none"
        ).mean(dim=1)
        found_rain, found_change = self.budget.deep(prediction, torch.sigmoid(logits), supply)
        errors = ((found_rain - rain) / self.condensation).square().mean(dim=1)
        errors = errors + ((found_change - change) / self.change).square().mean(dim=1)
        of_sum = (found_rain - rain).sum(dim=1) / self.total
        transport = (prediction[:, self.budget.starts[3] :] - fluxes).square().mean(dim=1)
        parts = deep * (where + errors + of_sum.square()) + shallow * transport
        loss: Tensor = whether + parts.mean()
        return loss
