"""Several equations compiled into one module: what their terms share is computed once."""

import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn

from closures.model_error.equation import Equation
from closures.model_error.errors import TermsError
from closures.model_error.expressions import (
    Derivative,
    Expression,
    Power,
    Product,
    Sum,
)
from closures.model_error.grid import PeriodicGrid


def compiled(
    equations: Sequence[Equation], inputs: Sequence[str], grid: PeriodicGrid
) -> torch.fx.GraphModule:
    """Return a module that TorchScript compiles: fields in, the tendency of each equation out.

    Parameters
    ----------
    equations
        Of one kind: all of them dealiased, or none.
    inputs
        Names of the fields, in the order of the arguments.
    grid
        Where they are given.
    """
    builder = _Builder(equations, grid)
    known = {variable.symbol: variable for eq in equations for variable in eq.variables}
    for name in inputs:
        given = builder.graph.placeholder(name)
        if builder.dealias:
            given = builder.graph.call_module("refined", (given,))
        builder.values[known[name]] = given
    totals = []
    for equation in equations:
        total = builder.sum(equation.coefficients, equation.terms)
        if builder.dealias:
            total = builder.graph.call_module("coarsened", (total,))
        totals.append(total)
    builder.graph.output(tuple(totals))
    return torch.fx.GraphModule(builder.modules, builder.graph)


class _Spectrum(nn.Module):
    """Transform over the axes of the grid."""

    def __init__(self, n_axis: int) -> None:
        super().__init__()
        self.axes = list(range(-n_axis, 0))

    def forward(self, field: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.rfftn(field, dim=self.axes)
        return spectrum


class _Derivative(nn.Module):
    """Field of a spectrum, differentiated."""

    factor: Tensor

    def __init__(self, grid: PeriodicGrid, along: str) -> None:
        super().__init__()
        factor = torch.from_numpy(grid.derivative_factor(along).astype("complex128"))
        self.register_buffer("factor", factor)
        self.sizes, self.axes = list(grid.shape), list(range(-len(grid.shape), 0))

    def forward(self, spectrum: Tensor) -> Tensor:
        field: Tensor = torch.fft.irfftn(spectrum * self.factor, s=self.sizes, dim=self.axes)
        return field


class _Resampled(nn.Module):
    """Waves that a grid of other sizes has, at its points; as `PeriodicGrid.interpolate`."""

    def __init__(self, shape: tuple[int, ...], new: tuple[int, ...]) -> None:
        super().__init__()
        self.old, self.new = list(shape), list(new)
        self.axes = list(range(-len(shape), 0))

    def forward(self, field: Tensor) -> Tensor:
        for i, axis in enumerate(self.axes):
            old, new = self.old[i], self.new[i]
            if old != new:
                shortest = min(old, new)
                spectrum = torch.fft.rfft(field, dim=axis).narrow(axis, 0, shortest // 2 + 1)
                if shortest % 2 == 0:
                    # The shortest wave of one grid is a pair of waves on the finer one.
                    weight = torch.ones(shortest // 2 + 1, dtype=field.dtype, device=field.device)
                    weight[-1] = 0.5 if new > old else 2.0
                    spectrum = (spectrum.transpose(axis, -1) * weight).transpose(axis, -1)
                field = torch.fft.irfft(spectrum, n=new, dim=axis) * (new / old)
        return field


class _Builder:
    """Writes the forward that TorchScript compiles; what terms share is computed once."""

    def __init__(self, equations: Sequence[Equation], grid: PeriodicGrid) -> None:
        self.graph = torch.fx.Graph()
        self.modules: dict[str, nn.Module] = {"spectrum": _Spectrum(len(grid.shape))}
        self.fine, self.dealias = grid, equations[0].dealias
        if self.dealias:
            degree = max(equation.degree for equation in equations)
            self.fine = grid.refined(0.5 * (degree + 1))
            self.modules["refined"] = _Resampled(grid.shape, self.fine.shape)
            self.modules["coarsened"] = _Resampled(self.fine.shape, grid.shape)
        self.values: dict[Expression, torch.fx.Node] = {}
        self.spectra: dict[Expression, torch.fx.Node] = {}

    def value(self, expression: Expression) -> torch.fx.Node:
        if expression not in self.values:
            self.values[expression] = self._value(expression)
        return self.values[expression]

    def _value(self, expression: Expression) -> torch.fx.Node:
        match expression:
            case Derivative(argument=argument, along=along):
                name = f"derivative_{''.join(sorted(along))}"
                if name not in self.modules:
                    self.modules[name] = _Derivative(self.fine, along)
                return self.graph.call_module(name, (self.spectrum(argument),))
            case Power(base=base, exponent=1):
                return self.value(base)
            case Power(base=base, exponent=exponent):
                return self.product(self.value(Power(base, exponent - 1)), self.value(base))
            case Product(factors=factors):
                first, *others = (self.value(factor) for factor in factors)
                for other in others:
                    first = self.product(first, other)
                return first
            case Sum(parts=parts, weights=weights):
                return self.sum(weights, parts)
        raise TermsError(f"{expression.name}: expected an input of this name")

    def spectrum(self, expression: Expression) -> torch.fx.Node:
        if expression not in self.spectra:
            value = self.value(expression)
            self.spectra[expression] = self.graph.call_module("spectrum", (value,))
        return self.spectra[expression]

    def product(self, first: Any, second: Any) -> torch.fx.Node:
        return self.graph.call_function(operator.mul, (first, second))

    def sum(self, weights: tuple[float, ...], parts: tuple[Expression, ...]) -> torch.fx.Node:
        pairs = zip(weights, parts, strict=True)
        total, *others = (self.product(self.value(part), weight) for weight, part in pairs)
        for other in others:
            total = self.graph.call_function(operator.add, (total, other))
        return total
