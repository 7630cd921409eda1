"""A network that first decides whether anything happens at all."""

from dataclasses import replace

from torch import Tensor, nn

from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import TriggeredNetwork


def with_switch(layout: ColumnLayout) -> ColumnLayout:
    """Return `layout` with one more scalar output, the last: the trigger."""
    return replace(layout, outputs=(*layout.outputs, "scalar"))


class Triggered(TriggeredNetwork):
    """One network for the outputs and for the decision whether they apply, as for convection [1].

    The emulator sets all outputs to exactly zero, in physical units, where the trigger is off;
    such columns do not count in the regression: `closures.columns.losses.triggered`.

    Parameters
    ----------
    network
        Built for the layout `with_switch`.
    n_output
        Number of outputs of the layout itself.

    References
    ----------
    .. [1] Zhong et al. 2024, Machine learning parameterization of the multi-scale Kain-Fritsch
       (MSKF) convection scheme and stable simulation coupled in the Weather Research and
       Forecasting (WRF) model using WRF-ML v1.0, Geosci. Model Dev. 17, 3667.
    """

    def __init__(self, network: nn.Module, n_output: int) -> None:
        super().__init__()
        self.network = network
        self.n_output = n_output

    def forward(self, features: Tensor) -> Tensor:
        """Return the prediction ``(n, n_output)`` as if the trigger were on."""
        return self.with_trigger(features)[0]

    def with_trigger(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return prediction ``(n, n_output)`` and log odds ``(n,)`` that it applies."""
        both = self.network(features)
        return both[:, : self.n_output], both[:, self.n_output]
