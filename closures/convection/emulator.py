"""Emulators of moist convection in the form of condensation and fluxes."""

from torch import Tensor, nn

from closures.base import Closure
from closures.columns.core import MeanCore
from closures.columns.emulator import generated
from closures.convection.budget import ConvectiveBudget
from closures.errors import SpecError
from closures.normalization import Normalization
from closures.spec import ClosureSpec

OUTPUTS = ("condensation", "moisture_flux", "heat_flux")
"""In order; the fluxes have one value more."""


class ConvectionEmulator(Closure):
    """Condensation and fluxes of a column from its state and what is already happening to it.

    Parameters
    ----------
    spec
        Contract: outputs `OUTPUTS`.
    network
        Maps normalised features to what `budget` makes the outputs of.
    features
        Raw inputs to features.
    inputs
        Normalisation of the features.
    outputs
        Normalisation of what the network gives.
    budget
        The constraints.
    input_limit
        Largest magnitude of a normalised feature.

    Raises
    ------
    SpecError
        If the outputs are others.
    """

    def __init__(
        self,
        spec: ClosureSpec,
        network: nn.Module,
        features: nn.Module,
        inputs: Normalization,
        outputs: Normalization,
        budget: ConvectiveBudget,
        input_limit: float | None = None,
    ) -> None:
        found = tuple((field.name, field.size) for field in spec.outputs)
        sizes = (budget.n_level, budget.n_level + 1, budget.n_level + 1)
        expected = tuple(zip(OUTPUTS, sizes, strict=True))
        if found != expected:
            raise SpecError(
                f"{spec.name}: expected outputs {_listed(expected)}; got {_listed(found)}"
            )
        super().__init__(spec)
        self.core = MeanCore(network, inputs, outputs, [budget], input_limit, features)
        self.graph_module = generated(spec, spec.outputs, self.core, "mean")

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Evaluate; one tensor a field, profiles ``(n, size)`` and scalars ``(n,)``."""
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the module whose arguments are spelled out, one a field."""
        return self.graph_module


def _listed(fields: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{name} with {size} values" for name, size in fields)
