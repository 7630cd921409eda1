"""A Fortran module that computes the equation of a closure, without the bridge and its archive."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from closures import ClosureSpec
from closures.model_error import Derivative, Equation, Expression, Variable
from hybrid.emit.fortran import Kind
from hybrid.emit.fortran_expressions import as_product, derivatives, formula, leaves, named
from hybrid.emit.names import LONGEST, check_name
from hybrid.emit.source import WIDTH, Emission, render
from hybrid.errors import EmitError
from hybrid.versions import own_version

MOST_AXES = 2
_PROCEDURES = ("prepare", "pointwise", "tendency")
_LONGEST_ENDING = len("_pointwise")
RESERVED = (
    *("coarsened", "derivative_matrix", "matmul", "operators", "operators_t", "real", "real32"),
    *("real64", "resampling_matrix", "transpose", "two_pi", "wp"),
)


@dataclass(frozen=True)
class _Axis:
    """An axis of the grid as the emitted module has it."""

    letter: str
    points: int
    spacing: float
    orders: tuple[int, ...]
    is_last: bool

    def matrix(self, order: int) -> str:
        return f"along_{self.letter * order}"

    def applied(self, matrix: str, field: str) -> str:
        """Return the product of a matrix of this axis with a field."""
        first, second = f"operators%{matrix}", field
        return f"matmul({second}, {first})" if self.is_last else f"matmul({first}, {second})"


@dataclass(frozen=True)
class _Coefficient:
    name: str
    value: str
    meaning: str


def equation_modules(
    equations: Sequence[Equation], spec: ClosureSpec, *, name: str = "", kind: Kind = "real64"
) -> Emission:
    """Write a module for each equation of a closure; see `equation_module`.

    Of several, the name of each ends in the name of its output.
    """
    degree = max(equation.degree for equation in equations)
    if len(equations) == 1:
        return equation_module(equations[0], spec, name=name, kind=kind)
    files: dict[str, str] = {}
    for equation in equations:
        own = f"{name or spec.name}_{equation.output}"
        emission = equation_module(equation, spec, name=own, kind=kind, degree=degree)
        files |= emission.files
    return Emission(files)


def equation_module(
    equation: Equation,
    spec: ClosureSpec,
    *,
    name: str = "",
    kind: Kind = "real64",
    degree: int | None = None,
) -> Emission:
    """Write a self-contained module with the equation of a closure.

    It has an elemental function for hosts with derivatives of their own, and for others a
    subroutine on a periodic grid, whose derivatives are products with matrices: the same Fourier
    derivatives as those of the closure, without a transform.

    Parameters
    ----------
    equation, spec
        What the archive holds.
    name
        Name of the module; empty is the closure's with ``_terms``.
    kind
        Kind of the host's reals.
    degree
        Number of factors that products are dealiased for; by default those of the longest.

    Returns
    -------
    Emission
        ``NAME.f90``.

    Raises
    ------
    EmitError
        If the grid has more than two axes, or an option cannot be used.
    """
    name = name or f"{spec.name[: LONGEST - _LONGEST_ENDING - len('_terms')]}_terms"
    check_name("module", name, LONGEST - _LONGEST_ENDING)
    if kind not in ("real32", "real64"):
        raise EmitError(f"kind: expected real32 or real64, got {kind!r}")
    if len(equation.axes) > MOST_AXES:
        raise EmitError(
            f"{spec.name}: expected a grid of at most {MOST_AXES} axes, got {equation.axes!r}; "
            "--form coupling writes a module that calls the archive, whatever its grid"
        )
    axes = _axes(equation, spec)
    taken = {*RESERVED, name, *(f"{name}_{verb}" for verb in _PROCEDURES)}
    for axis in axes:
        taken |= {f"n_{axis.letter}", f"d{axis.letter}", f"m_{axis.letter}"}
    output = named([Variable(equation.output)], taken)[Variable(equation.output)]
    coefficients = named(equation.terms, {*taken, output}, "c_")
    fields = named(
        (*equation.variables, *derivatives(equation.terms)),
        {*taken, output, *coefficients.values()},
    )
    # Fields before what is made of them.
    arguments = sorted(leaves(equation.terms), key=lambda leaf: isinstance(leaf, Derivative))
    on_grid = dict(fields)
    if equation.dealias:
        fine = named(equation.variables, {*taken, output, *fields.values()}, "fine_")
        on_grid |= fine
    values = {
        "spec": spec,
        "equation": equation,
        "name": name,
        "version": own_version(),
        "kind": kind,
        "axes": axes,
        "output": output,
        "coefficients": list(_coefficients(equation, coefficients)),
        "arguments": [(fields[leaf], leaf.name) for leaf in arguments],
        "inputs": [fields[variable] for variable in equation.variables],
        "interpolated": [
            _statement(on_grid[v], _interpolated("refine", fields[v], axes), 4)
            for v in equation.variables
        ]
        if equation.dealias
        else [],
        "locals": [on_grid[v] for v in equation.variables if equation.dealias]
        + [fields[node] for node in derivatives(equation.terms)],
        "derivatives": [
            _statement(fields[node], _derivative(node, on_grid, axes), 4)
            for node in derivatives(equation.terms)
        ],
        "signature": _wrapped(
            f"elemental function {name}_pointwise"
            f"({', '.join(fields[leaf] for leaf in arguments)}) result({output})",
            2,
        ),
        "sum": _sum(equation, output, coefficients, fields),
        "result": _result(equation, name, output, [on_grid[leaf] for leaf in arguments], axes),
        "spacings": [axis for axis in axes if axis.orders],
        "has_matrices": any(axis.orders for axis in axes),
        "factor": (degree or equation.degree) + 1,
    }
    return Emission({f"{name}.f90": render("equation.f90.j2", **values)})


def _axes(equation: Equation, spec: ClosureSpec) -> tuple[_Axis, ...]:
    assert spec.grid is not None
    orders: dict[str, set[int]] = {letter: set() for letter in equation.axes}
    for node in derivatives(equation.terms):
        for letter in set(node.along):
            orders[letter].add(node.along.count(letter))
    sizes = dict(zip(spec.grid_dims, spec.outputs[0].sizes, strict=True))
    spacing = dict(zip(spec.grid_dims, spec.grid.spacing, strict=True))
    # Fortran's first axis is the one that lies together in memory.
    letters = equation.axes[::-1]
    return tuple(
        _Axis(letter, sizes[letter], spacing[letter], tuple(sorted(orders[letter])), number == 1)
        for number, letter in enumerate(letters)
    )


def _coefficients(equation: Equation, names: Mapping[Expression, str]) -> Iterator[_Coefficient]:
    rows = zip(
        equation.terms,
        equation.coefficients,
        equation.standard_errors,
        equation.units,
        strict=True,
    )
    for term, value, error, units in rows:
        known = "standard error not known" if error is None else f"standard error {error:.2g}"
        yield _Coefficient(names[term], f"{value!r}_wp", f"{term.name} [{units}], {known}")


def _derivative(node: Derivative, names: Mapping[Expression, str], axes: tuple[_Axis, ...]) -> str:
    text = formula(node.argument, names)
    for axis in axes:
        order = node.along.count(axis.letter)
        if order:
            text = axis.applied(axis.matrix(order), text)
    return text


def _interpolated(verb: str, field: str, axes: tuple[_Axis, ...]) -> str:
    for axis in axes:
        field = axis.applied(f"{verb}_{axis.letter}", field)
    return field


def _sum(
    equation: Equation,
    output: str,
    coefficients: Mapping[Expression, str],
    names: Mapping[Expression, str],
) -> str:
    products = [f"{coefficients[term]}*{as_product(term, names)}" for term in equation.terms]
    return _statement(output, " + ".join(products), 4)


def _result(
    equation: Equation, name: str, output: str, arguments: list[str], axes: tuple[_Axis, ...]
) -> str:
    value = f"{name}_pointwise({', '.join(arguments)})"
    if equation.dealias:
        value = _interpolated("coarsen", value, axes)
    return _statement(output, value, 4)


def _statement(left: str, right: str, indent: int) -> str:
    """Return an assignment, on as many lines as it needs."""
    return _wrapped(f"{left} = {right}", indent)


def _wrapped(text: str, indent: int) -> str:
    # Products are written without blanks, but may end a line.
    loose = re.sub(r"(?<=[^*\s])\*(?=[^*\s])", " * ", text)
    width = WIDTH - indent - 4
    wrapped = textwrap.wrap(loose, width, break_long_words=False, break_on_hyphens=False)
    lines = [line.replace(" * ", "*") for line in wrapped]
    blanks = " " * indent
    return " &\n".join(f"{blanks}{'  ' if i else ''}{line}" for i, line in enumerate(lines))
