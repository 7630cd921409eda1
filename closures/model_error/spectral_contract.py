"""What a closure of discovered terms demands of its contract."""

from collections.abc import Sequence

from closures.model_error.equation import Equation
from closures.model_error.errors import TermsError
from closures.model_error.grid import PeriodicGrid
from closures.spec import ClosureSpec

MOST_AXES = 3


def grid_of(spec: ClosureSpec) -> PeriodicGrid:
    """Return the grid of a contract that `check_fields` has passed."""
    assert spec.grid is not None
    shape = tuple(spec.outputs[0].sizes)
    lengths = tuple(n * dx for n, dx in zip(shape, spec.grid.spacing, strict=True))
    return PeriodicGrid("".join(spec.grid_dims), shape, lengths)


def check_fields(spec: ClosureSpec) -> None:
    """Raise `TermsError` unless all fields are in float64 on a whole periodic grid."""
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
    if not spec.outputs or spec.state or spec.noise:
        raise TermsError(f"{spec.name}: expected outputs, no state and no noise")
    shape = spec.outputs[0].shape
    for field in spec.fields():
        fits = field.dims == spec.grid_dims and field.shape == shape and None not in shape
        if not fits or field.dtype != "float64":
            raise TermsError(
                f"{field.name}: expected a float64 field of dims {spec.grid_dims} and sizes that "
                f"are all given, as those of {spec.outputs[0].name}, got {field.dtype}, "
                f"{field.dims} and {field.shape}"
            )


def check(equations: Sequence[Equation], spec: ClosureSpec) -> None:
    """Raise `TermsError` unless equations and contract fit each other."""
    check_fields(spec)
    axes, outputs = "".join(spec.grid_dims), [field.name for field in spec.outputs]
    given = [equation.output for equation in equations]
    if given != outputs or any(equation.axes != axes for equation in equations):
        raise TermsError(
            f"{spec.name}: expected an equation of {_listed(outputs)} on axes {axes!r}, got one of "
            f"{_listed(given)} on {', '.join(repr(equation.axes) for equation in equations)}"
        )
    if len({equation.dealias for equation in equations}) > 1:
        raise TermsError(f"{spec.name}: expected all equations dealiased or none, got some")
    variables = {variable for equation in equations for variable in equation.variables}
    inputs, symbols = {field.name for field in spec.inputs}, {v.symbol for v in variables}
    if inputs != symbols or len(variables) != len(symbols):
        raise TermsError(
            f"{spec.name}: expected an input for each variable of the terms, "
            f"{_listed(sorted(symbols))}, got {_listed(sorted(inputs))}"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
