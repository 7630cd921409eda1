"""Networks of the sizes that the engine is measured with, as closures and as native programs."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from bridge.native_programs import Program, with_program
from torch import Tensor, nn

import hybrid
from closures import Closure, ClosureSpec, Field

SLOPE = 0.15
SIZES = {
    # Small, and that of the ClimSim V1 multilayer perceptron.
    "A": (8, 32, 32, 8),
    "B": (124, 768, 640, 512, 640, 640, 128),
    # No size is a multiple of a vector, and some are 1.
    "odd": (5, 37, 1, 19, 3),
}


class Perceptron(Closure):
    """Normalisation, linear layers with leaky rectifiers, and scaling of what comes out."""

    mean: Tensor
    deviation: Tensor
    scale: Tensor

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        level = ("level",)
        super().__init__(
            ClosureSpec(
                name="perceptron",
                version="1.0",
                inputs=(Field("x0", "K", level, (sizes[0],), valid_min=-9.0, valid_max=9.0),),
                outputs=(Field("y0", "K s-1", level, (sizes[-1],)),),
            )
        )
        self.slope = SLOPE
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        for parameter in self.parameters():
            width = parameter.shape[-1] ** -0.5
            parameter.data = width * torch.randn(parameter.shape, generator=generator)
        self.register_buffer("mean", torch.randn(sizes[0], generator=generator))
        self.register_buffer("deviation", 1.0 + torch.rand(sizes[0], generator=generator))
        self.register_buffer("scale", 1.0 + torch.rand(sizes[-1], generator=generator))

    def forward(self, x0: Tensor) -> tuple[Tensor]:
        x = (x0 - self.mean) / self.deviation
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number < len(self.layers) - 1:
                x = nn.functional.leaky_relu(x, self.slope)
        return (x * self.scale,)

    def program(self) -> tuple[Program, int]:
        """Return the native program and the number of its result."""
        program = Program([self.mean.numel()])
        x = program.binary("subtract", 0, program.constant(self.mean))
        x = program.binary("divide", x, program.constant(self.deviation))
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            x = program.linear(x, layer.weight.detach(), layer.bias.detach())
            if number < len(self.layers) - 1:
                x = program.unary("leaky_relu", x, slope=SLOPE)
        return program, program.binary("multiply", x, program.constant(self.scale))


def write(name: str, folder: Path) -> Path:
    """Export one of the networks, with its program; return the archive."""
    closure = Perceptron(SIZES[name])
    exported = folder / f"{name}.exported.pt"
    hybrid.export(closure, exported)
    program, result = closure.program()
    return with_program(exported, folder / f"{name}.pt", program, result)
