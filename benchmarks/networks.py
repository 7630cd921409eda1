"""The networks of the experiments, untrained: what a call costs does not depend on the weights."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.base import Closure
from closures.climsim.emulator import column_emulator
from closures.climsim.mlp import WIDTHS, build_network
from closures.climsim.variables import v1, variable_set
from closures.columns.emulator import ColumnEmulator
from closures.columns.layout import ColumnLayout
from closures.columns.registry import build
from closures.field import Field
from closures.lorenz96 import MLPClosure
from closures.normalization import Normalization
from closures.spec import ClosureSpec


def networks() -> tuple[Closure, ...]:
    """Return one closure for each experiment, with random weights from a fixed seed."""
    return (lorenz96_network(), climsim_network())


def lorenz96_network() -> MLPClosure:
    """Return the stochastic network of Lorenz-96: 1 input, two hidden layers of 32."""
    torch.manual_seed(0)
    return MLPClosure(n_hidden=32, x_min=-12.0, x_max=18.0, phi=0.98)


def climsim_network() -> ColumnEmulator:
    """Return ClimSim's multilayer perceptron for the V1 variables, 124 inputs, 128 outputs."""
    variables = v1()
    sizes = (variables.n_input, variables.n_output)
    spec = ClosureSpec(
        name="climsim_mlp",
        version="0",
        inputs=tuple(variable.field for variable in variables.inputs),
        outputs=tuple(variable.field for variable in variables.outputs),
    )
    inputs = Normalization(np.zeros(sizes[0]), np.ones(sizes[0]))
    # Away from zero, where the closure cuts off: an output that is nearly always zero has no
    # size that the comparison at export could scale with.
    outputs = Normalization(np.full(sizes[1], 4.0), np.ones(sizes[1]))
    network = build_network(sizes[0], WIDTHS, sizes[1], seed=0)
    return column_emulator(spec, network, inputs, outputs).eval()


def registered_network(name: str, preset: str, variables: str) -> ColumnEmulator:
    """Return a network of the registry for a variable set of ClimSim, weights from a fixed seed.

    Inputs of a size of one lie within its envelope.

    Parameters
    ----------
    name
        Architecture.
    preset
        Sizes of it.
    variables
        Variable set.
    """
    chosen = variable_set(variables)
    inputs = tuple(
        replace(variable.field, valid_min=-3.0, valid_max=3.0) for variable in chosen.inputs
    )
    outputs = tuple(variable.field for variable in chosen.outputs)
    layout = ColumnLayout.of_fields(inputs, outputs)
    # Away from zero, as above.
    targets = Normalization(np.full(layout.n_output, 4.0), np.ones(layout.n_output))
    return column_emulator(
        ClosureSpec(name=name, version="0", inputs=inputs, outputs=outputs),
        build(name, layout, preset, seed=0),
        Normalization(np.zeros(layout.n_input), np.ones(layout.n_input)),
        targets,
    ).eval()


@dataclass(frozen=True)
class Scaling:
    """Normalisation of a `TemperatureClosure`, one number a level, float64 ``(n,)``.

    Parameters
    ----------
    input_mean, input_scale
        ``feature = (temperature - input_mean) * input_scale`` [K, K-1].
    output_mean, output_spread
        ``tendency = output_mean + output_spread * result`` [K s-1].
    """

    input_mean: NDArray[np.float64]
    input_scale: NDArray[np.float64]
    output_mean: NDArray[np.float64]
    output_spread: NDArray[np.float64]


class TemperatureClosure(Closure):
    """A profile of temperature in, one of its tendency out, by a network on normalised levels.

    Every level has an envelope of its own, as training data would give it.

    Parameters
    ----------
    name
        Name of the closure.
    widths
        Layers from input to output; those between have LeakyReLU.
    """

    input_mean: Tensor
    input_scale: Tensor
    output_mean: Tensor
    output_spread: Tensor

    def __init__(self, name: str, widths: tuple[int, ...]) -> None:
        n_input, *hidden, n_output = widths
        height = np.linspace(0.0, 1.0, n_input)
        mean, spread = 290.0 - 70.0 * height, 15.0 - 5.0 * height
        super().__init__(
            ClosureSpec(
                name=name,
                version="0",
                inputs=(
                    Field(
                        "temperature",
                        "K",
                        ("level",),
                        (n_input,),
                        valid_min=tuple((mean - 3.0 * spread).tolist()),
                        valid_max=tuple((mean + 3.0 * spread).tolist()),
                    ),
                ),
                outputs=(Field("temperature_tendency", "K s-1", ("layer",), (n_output,)),),
            )
        )
        self.network = build_network(n_input, tuple(hidden), n_output, seed=0)
        self.scaling = Scaling(
            input_mean=mean,
            input_scale=1.0 / spread,
            output_mean=np.full(n_output, 1e-5),
            output_spread=np.linspace(1e-5, 5e-5, n_output),
        )
        for key in ("input_mean", "input_scale", "output_mean", "output_spread"):
            self.register_buffer(key, torch.from_numpy(getattr(self.scaling, key)).float())

    def forward(self, temperature: Tensor) -> tuple[Tensor]:
        """Return the tendency [K s-1], ``(n, n_output)``, of a profile [K], ``(n, n_input)``."""
        result = self.network((temperature - self.input_mean) * self.input_scale)
        return (result * self.output_spread + self.output_mean,)


class BareNetwork(nn.Module):
    """The network of a `TemperatureClosure` alone, without its normalisation."""

    def __init__(self, closure: TemperatureClosure) -> None:
        super().__init__()
        self.network = closure.network

    def forward(self, features: Tensor) -> tuple[Tensor]:
        """Return normalised results of normalised features."""
        return (self.network(features),)


def small_network() -> TemperatureClosure:
    """Return net A: two hidden layers of 32, which a call costs more than its arithmetic."""
    return TemperatureClosure("net_a", (8, 32, 32, 8))


def large_network() -> TemperatureClosure:
    """Return net B: the sizes of ClimSim's multilayer perceptron, 1.75 million weights."""
    variables = v1()
    return TemperatureClosure("net_b", (variables.n_input, *WIDTHS, variables.n_output))
