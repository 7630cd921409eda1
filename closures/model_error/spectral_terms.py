"""Discovered terms as a closure: their sum, by spectral derivatives on a periodic grid."""

import operator
from typing import Any, Self

import torch
import torch.fx
from torch import Tensor, nn

from closures.base import Closure
from closures.model_error.discovery import ModelError
from closures.model_error.equation import Equation
from closures.model_error.equation_file import ENTRY, to_text
from closures.model_error.errors import TermsError
from closures.model_error.expressions import (
    Derivative,
    Expression,
    Power,
    Product,
    Sum,
)
from closures.model_error.grid import PeriodicGrid
from closures.model_error.term_units import coefficient_units
from closures.spec import ClosureSpec

MOST_AXES = 3


class SpectralTerms(Closure):
    r"""A tendency in closed form, :math:`\sum_j c_j T_j(u)`, on a periodic grid.

    The terms are those of the library that they were found in: derivatives by Fourier series, at
    the points of the grid, in float64. Its archive holds the equation as ``terms.json``; sums and
    multiples of closures do not.

    Parameters
    ----------
    equation
        Terms and coefficients.
    spec
        Contract: an input for each variable of the terms, one output, the tendency; all on the
        whole periodic grid, in float64, whose dims are the letters that terms are differentiated
        along.

    Raises
    ------
    TermsError
        If the equation and the contract do not fit each other.

    Examples
    --------
    >>> from closures import Field, Grid
    >>> from closures.model_error import Variable
    >>> u, shape = Variable("u"), (("x",), (64,), "float64")
    >>> spec = ClosureSpec(
    ...     "diffusion",
    ...     "1.0",
    ...     (Field("u", "m s-1", *shape),),
    ...     (Field("u_tendency", "m s-2", *shape),),
    ...     locality="grid",
    ...     grid=Grid((100.0,), ("periodic",)),
    ... )
    >>> closure = SpectralTerms.of_terms((Derivative(u, "xx"),), (5.0,), spec, length_units="m")
    >>> print(closure.equation, "", *closure.equation.units)
    u_t = ... + 5 u_xx  m2 s-1
    """

    def __init__(self, equation: Equation, spec: ClosureSpec) -> None:
        _check(equation, spec)
        super().__init__(spec)
        self.equation = equation
        self.graph_module = _compiled(equation, spec)

    @classmethod
    def of(
        cls,
        error: ModelError,
        spec: ClosureSpec,
        *,
        length_units: str = "1",
        dealias: bool = False,
    ) -> Self:
        """Make a closure of what was discovered, to be added to the model's tendency.

        Parameters
        ----------
        error
            What `closures.model_error.discover` returned.
        spec
            As in the class.
        length_units
            Units of the spacing of the grid: ``"m"``, or ``"1"`` for a nondimensional model.
        dealias
            As of the library that the terms were found in.

        Raises
        ------
        TermsError
            As in the class, and if units do not fit the terms.
        """
        return cls.of_terms(
            error.terms,
            error.coefficients,
            spec,
            covariance=error.covariance,
            length_units=length_units,
            dealias=dealias,
        )

    @classmethod
    def of_terms(
        cls,
        terms: tuple[Expression, ...],
        coefficients: Any,
        spec: ClosureSpec,
        *,
        covariance: Any = None,
        length_units: str = "1",
        dealias: bool = False,
    ) -> Self:
        """Make a closure of terms and coefficients.

        Parameters
        ----------
        terms, coefficients
            Expressions, and a number for each [units of the tendency / those of the term].
        spec
            As in the class.
        covariance
            Of the coefficients, shape ``(n, n)``; None where it is not known.
        length_units, dealias
            As in `of`.

        Raises
        ------
        TermsError
            As `of` does.
        """
        _check_fields(spec)
        output, known = spec.outputs[0], {field.name: field.units for field in spec.inputs}
        equation = Equation(
            output=output.name,
            axes="".join(spec.grid_dims),
            terms=tuple(terms),
            coefficients=tuple(float(coefficient) for coefficient in coefficients),
            units=tuple(
                coefficient_units(term, output.units, known, length_units) for term in terms
            ),
            covariance=None
            if covariance is None
            else tuple(tuple(float(entry) for entry in row) for row in covariance),
            dealias=dealias,
        )
        return cls(equation, spec)

    def forward(self, *tensors: Tensor) -> tuple[Tensor]:
        """Return the tendency for fields of shape ``(n, *shape)``."""
        result: tuple[Tensor] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the generated module, with an argument for each variable."""
        return self.graph_module

    def documents(self) -> dict[str, str]:
        """Return the equation, as ``terms.json``."""
        return {ENTRY: to_text(self.equation)}


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

    def __init__(self, equation: Equation, grid: PeriodicGrid) -> None:
        self.graph = torch.fx.Graph()
        self.modules: dict[str, nn.Module] = {"spectrum": _Spectrum(len(grid.shape))}
        self.grid, self.fine = grid, grid
        if equation.dealias:
            self.fine = grid.refined(0.5 * (equation.degree + 1))
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


def _compiled(equation: Equation, spec: ClosureSpec) -> torch.fx.GraphModule:
    builder = _Builder(equation, _grid(spec))
    known = {variable.symbol: variable for variable in equation.variables}
    for field in spec.inputs:
        given = builder.graph.placeholder(field.name)
        if equation.dealias:
            given = builder.graph.call_module("refined", (given,))
        builder.values[known[field.name]] = given
    total = builder.sum(equation.coefficients, equation.terms)
    if equation.dealias:
        total = builder.graph.call_module("coarsened", (total,))
    builder.graph.output((total,))
    return torch.fx.GraphModule(builder.modules, builder.graph)


def _grid(spec: ClosureSpec) -> PeriodicGrid:
    assert spec.grid is not None
    shape = tuple(spec.outputs[0].sizes)
    lengths = tuple(n * dx for n, dx in zip(shape, spec.grid.spacing, strict=True))
    return PeriodicGrid("".join(spec.grid_dims), shape, lengths)


def _check_fields(spec: ClosureSpec) -> None:
    grid = spec.grid
    if grid is None or set(grid.boundary) != {"periodic"} or len(spec.grid_dims) > MOST_AXES:
        raise TermsError(
            f"{spec.name}: expected a grid closure that is periodic along each of at most "
            f"{MOST_AXES} dims, got {'a column closure' if grid is None else grid.boundary}"
        )
    if any(len(dim) > 1 for dim in spec.grid_dims):
        raise TermsError(
            f"{spec.name}: expected a letter for each dim of the grid, as in derivatives, got "
            f"{spec.grid_dims}"
        )
    if len(spec.outputs) != 1 or spec.state or spec.noise:
        raise TermsError(f"{spec.name}: expected one output, no state and no noise")
    shape = spec.outputs[0].shape
    for field in spec.fields():
        fits = field.dims == spec.grid_dims and field.shape == shape and None not in shape
        if not fits or field.dtype != "float64":
            raise TermsError(
                f"{field.name}: expected a float64 field of dims {spec.grid_dims} and sizes that "
                f"are all given, as those of {spec.outputs[0].name}, got {field.dtype}, "
                f"{field.dims} and {field.shape}"
            )


def _check(equation: Equation, spec: ClosureSpec) -> None:
    _check_fields(spec)
    if equation.output != spec.outputs[0].name or equation.axes != "".join(spec.grid_dims):
        raise TermsError(
            f"{spec.name}: expected an equation of {spec.outputs[0].name} on axes "
            f"{''.join(spec.grid_dims)!r}, got one of {equation.output} on {equation.axes!r}"
        )
    inputs = {field.name for field in spec.inputs}
    symbols = {variable.symbol for variable in equation.variables}
    if inputs != symbols or len(equation.variables) != len(symbols):
        raise TermsError(
            f"{spec.name}: expected an input for each variable of the terms, "
            f"{', '.join(sorted(symbols))}, got {', '.join(sorted(inputs))}"
        )
