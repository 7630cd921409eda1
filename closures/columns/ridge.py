"""Linear regression with an L2 penalty, from sums over batches."""

import torch
from torch import Tensor, nn

from closures.columns.core import Core
from closures.errors import SpecError
from closures.training.batches import Batches


def fit_linear(core: Core, batches: Batches, penalty: float, clip_targets: float) -> None:
    """Set the weights of a core's linear network to those of ridge regression.

    ``W = (X'X + penalty)^-1 X'Y`` of normalised, centred inputs X and targets Y, and the intercept
    without a penalty. Memory does not grow with the number of samples.

    Parameters
    ----------
    core
        Its network is an ``nn.Linear``; filled.
    batches
        All samples, each once.
    penalty
        L2 penalty, in units of the variance of one normalised sample.
    clip_targets
        Largest magnitude of a normalised target.

    Raises
    ------
    SpecError
        If the network is not linear.
    """
    network = core.network
    if not isinstance(network, nn.Linear):
        raise SpecError(f"ridge: expected a linear network, got a {type(network).__name__}")
    n_input, n_output = network.in_features, network.out_features
    count = 0
    sums = torch.zeros(n_input + n_output, dtype=torch.float64)
    products = torch.zeros(n_input, n_input + n_output, dtype=torch.float64)
    for inputs, outputs, *_ in batches.epoch(0):
        x = core.normalized(inputs.cpu()).double()
        both = torch.cat([x, _targets(core, outputs.cpu(), clip_targets)], dim=1)
        count += len(both)
        sums += both.sum(dim=0)
        products += x.T @ both
    mean = sums / count
    centred = products - count * torch.outer(mean[:n_input], mean)
    gram = centred[:, :n_input] + penalty * torch.eye(n_input, dtype=torch.float64)
    # A feature that never varies has neither variance nor, without a penalty, a weight.
    gram.diagonal()[centred.diagonal() == 0.0] = 1.0
    weight = torch.linalg.solve(gram, centred[:, n_input:])
    with torch.no_grad():
        network.weight.copy_(weight.T)
        network.bias.copy_(mean[n_input:] - mean[:n_input] @ weight)


def _targets(core: Core, outputs: Tensor, clip: float) -> Tensor:
    spread = core.output_spread.double()
    scale = torch.where(spread > 0.0, 1.0 / spread, torch.zeros_like(spread))
    return ((outputs.double() - core.output_mean) * scale).clamp(-clip, clip)
