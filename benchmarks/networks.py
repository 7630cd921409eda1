"""The networks of the experiments, untrained: what a call costs does not depend on the weights."""

import numpy as np
import torch

from closures.base import Closure
from closures.climsim.emulator import ColumnEmulator
from closures.climsim.mlp import WIDTHS, build_network
from closures.climsim.variables import v1
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
    return ColumnEmulator(spec, network, inputs, outputs).eval()
