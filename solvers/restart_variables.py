"""The variables of a dataset that a run is continued from, bit for bit."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

RESTART = "restart_"
"""What the names of restart variables begin with."""

CLOSURE = f"{RESTART}closure_"
"""What the names of restart variables of closures begin with."""


def restart_variable(dims: tuple[str, ...], array: NDArray[Any]) -> xr.Variable:
    """Return a copy of an array as a variable; complex values as pairs, which any file can hold."""
    pairs = np.iscomplexobj(array)
    values = array.view(array.real.dtype).reshape(*array.shape, 2) if pairs else array
    return xr.Variable(
        (*dims, "part") if pairs else dims,
        values.copy(),
        {"long_name": "for restarts" + (": real and imaginary part" if pairs else "")},
    )


def restart_step(dataset: xr.Dataset) -> int:
    """Return the number of steps done.

    Raises
    ------
    ValueError
        If it is not one number, or that of a run that was ended while it wrote.
    """
    name = f"{RESTART}step"
    values = restart_values(dataset, name)
    if values.shape != () or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"initial: {name}: expected one whole number, got {values.dtype} of shape "
            f"{values.shape}; continue what one run returned, the last one if several are joined"
        )
    if values < 0:
        raise ValueError(
            f"initial: {name}: expected the number of steps done, got {int(values)}: the run "
            "was ended while it wrote its restart variables; continue it with resume=True"
        )
    return int(values)


def restart_array(dataset: xr.Dataset, name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return what a dataset has for an array.

    Parameters
    ----------
    dataset
        What a run returned.
    name
        Name of the variable.
    array
        The array of the model, whose shape and type the values must have.

    Raises
    ------
    ValueError
        If the variable is missing or not finite, or has another shape or type.
    """
    values = restart_values(dataset, name)
    shape = (*array.shape, 2) if np.iscomplexobj(array) else array.shape
    if values.shape != shape or values.dtype != array.real.dtype:
        raise ValueError(
            f"initial: {name}: expected {array.real.dtype} of shape {shape}, "
            f"got {values.dtype} of shape {values.shape}; continue a run with the same "
            "model, members and precision"
        )
    return np.ascontiguousarray(values).view(array.dtype).reshape(array.shape)


def restart_values(dataset: xr.Dataset, name: str) -> NDArray[Any]:
    """Return the values of a variable; raise ValueError if it is missing or not finite."""
    if name not in dataset:
        raise ValueError(
            f"initial: expected a dataset with {name}, as run() returns it, "
            f"got variables {', '.join(map(str, dataset.variables))}"
        )
    values = np.asarray(dataset[name].to_numpy())
    if not np.isfinite(values).all():
        raise ValueError(
            f"initial: {name}: expected finite values, got {int((~np.isfinite(values)).sum())} "
            f"non-finite of {values.size}; continue a run whose last state is whole"
        )
    return values
