"""Whether candidate terms can be told apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.gram import Gram

Array = NDArray[Any]

# Squares of a relative difference that is little more than rounding: of a constant column from its
# mean, and of a column from what the others make of it.
_CONSTANT = 1e-13
_COLLINEAR = 1e-11
# The share of a combination's largest coefficient above which a column belongs to it.
_PART_OF_IT = 1e-3


def check_columns(gram: Gram) -> None:
    """Raise if some columns cannot be told apart from others.

    Raises
    ------
    LibraryError
        If a column is 0 or constant, two are proportional, or several are collinear; the message
        names them.
    """
    names, n_row = gram.names, gram.n_row
    products = gram.moments().products
    squares = np.diag(products) / n_row
    zero = squares == 0.0
    _refuse("not 0 everywhere", names, zero, "leave them out")
    variance = squares - np.square(gram.means())
    constant = variance <= _CONSTANT * squares
    _refuse("that vary", names, constant, "remove the mean of the increments instead")
    scale = np.sqrt(np.diag(products))
    correlation = products / np.outer(scale, scale)
    for i, name in enumerate(names):
        same = np.flatnonzero(1.0 - np.square(correlation[i, :i]) < _COLLINEAR)
        if same.size:
            raise LibraryError(
                f"library: expected different columns, got {names[same[0]]} and {name}, which "
                "are proportional in these samples; leave one out"
            )
    values, vectors = np.linalg.eigh(correlation)
    if values[0] < _COLLINEAR:
        part = np.abs(vectors[:, 0])
        involved = [
            name for name, p in zip(names, part, strict=True) if p > _PART_OF_IT * part.max()
        ]
        raise LibraryError(
            f"library: expected linearly independent columns, got a combination of "
            f"{', '.join(involved)} that is 0 in these samples; leave one out"
        )


def _refuse(expected: str, names: Sequence[str], bad: Array, remedy: str) -> None:
    if bad.any():
        found = ", ".join(name for name, is_bad in zip(names, bad, strict=True) if is_bad)
        raise LibraryError(f"library: expected columns {expected}, got {found}; {remedy}")
