"""Closures on ClimSim's columns for rollouts: constant, counting its steps, random networks."""

import torch
from torch import Tensor, nn

from closures import Closure, ClosureSpec, Field
from closures.climsim.files import Columns
from closures.climsim.variables import VariableSet
from closures.columns.emulator import ColumnEmulator, Results
from closures.columns.layout import ColumnLayout
from closures.columns.registry import build
from closures.normalization import Normalization, fit_normalization

N_LEVEL = 60
PROFILE = ("level",), (N_LEVEL,)
WARMING = 2e-5
"""Heating of `Constant` [K s-1]."""
CLOUDING = 1e-9
"""Growth of cloud in `Constant` [s-1]."""
HIGH_PRESSURE = 1e5
"""Surface pressure above which `Constant` is outside its envelope [Pa]."""


class Constant(Closure):
    """Heats and makes cloud everywhere alike; NaN above a temperature of the lowest air."""

    def __init__(self, limit: float = 1e9) -> None:
        super().__init__(
            ClosureSpec(
                name="constant",
                version="1.0",
                inputs=(
                    Field("state_t", "K", *PROFILE),
                    Field("state_ps", "Pa", valid_min=1e4, valid_max=HIGH_PRESSURE),
                ),
                outputs=(
                    Field("ptend_t", "K s-1", *PROFILE),
                    Field("ptend_qn", "kg kg-1 s-1", *PROFILE),
                    Field("cam_out_precc", "m s-1"),
                ),
            )
        )
        self.limit = limit

    def forward(self, state_t: Tensor, state_ps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        one = torch.ones_like(state_t)
        one = torch.where(state_t[:, -1:] > self.limit, float("nan") * one, one)
        return 2e-5 * one, 1e-9 * one, 0.0 * state_ps


class Counting(Closure):
    """Heats the more, the more often its state was committed."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="counting",
                version="1.0",
                inputs=(Field("state_t", "K", *PROFILE),),
                outputs=(Field("ptend_t", "K s-1", *PROFILE),),
                state=(Field("count", "1"),),
            )
        )

    def forward(self, state_t: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        new = count + 1.0
        return 1e-6 * new[:, None] * torch.ones_like(state_t), new


class Unknown(Closure):
    """Wants something that the columns do not have."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="unknown",
                version="1.0",
                inputs=(Field("state_x", "K", *PROFILE),),
                outputs=(Field("ptend_t", "K s-1", *PROFILE),),
            )
        )

    def forward(self, state_x: Tensor) -> tuple[Tensor]:
        return (1e-8 * state_x,)


def random_network(
    variables: VariableSet, columns: Columns, name: str = "mlp", results: Results = "mean"
) -> ColumnEmulator:
    """Return a tiny network with random weights, normalised by `columns`."""
    inputs, outputs = fit_normalization(columns.inputs), fit_normalization(columns.outputs)
    spec = ClosureSpec(
        name=f"{name}_{variables.name.lower()}",
        version="1.0",
        inputs=tuple(v.field for v in variables.inputs),
        outputs=tuple(v.field for v in variables.outputs),
        provenance={"variables": variables.name},
    )
    layout = ColumnLayout.of_fields(spec.inputs, spec.outputs)
    # Gentle, so that a day under a network that knows nothing stays finite.
    gentle = Normalization(0.0 * outputs.mean, 0.02 * outputs.spread)
    return ColumnEmulator(spec, build(name, layout, "tiny"), inputs, gentle, results=results)


class ColumnPerceptron(Closure):
    """A gentle network of temperature and vapour with matrices of some size."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="column_perceptron",
                version="1.0",
                inputs=(
                    Field("state_t", "K", *PROFILE, valid_min=100.0, valid_max=400.0),
                    Field("state_q0001", "kg kg-1", *PROFILE, valid_min=-0.1, valid_max=0.1),
                ),
                outputs=(
                    Field("ptend_t", "K s-1", *PROFILE),
                    Field("ptend_q0001", "kg kg-1 s-1", *PROFILE),
                ),
            )
        )
        generator = torch.Generator().manual_seed(0)
        self.network = nn.Sequential(nn.Linear(120, 64), nn.SiLU(), nn.Linear(64, 120))
        for parameter in self.network.parameters():
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)

    def forward(self, state_t: Tensor, state_q0001: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.cat([(state_t - 250.0) / 30.0, state_q0001 / 5e-3], dim=1)
        heating, moistening = self.network(features).split(60, dim=1)
        return 1e-5 * heating, 1e-9 * moistening
