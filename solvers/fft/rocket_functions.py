"""Calls of rocket-fft, to be compiled; apart, because importing the library takes time."""

import numpy as np
import rocket_fft
from numba.np.numpy_support import carray

_LAST_AXIS = np.array([1])
_FIRST_AXIS = np.array([0])


# One axis at a time, in place where it can be: with both axes at once the library allocates a
# work array at every call, whose page faults cost more than the arithmetic.
def forward(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Transform a field to its spectrum; addresses of the sizes, of the field, of the spectrum."""
    n_y, n_x = carray(sizes, 2)
    field, spectrum = carray(source, (n_y, n_x)), carray(target, (n_y, n_x // 2 + 1))
    rocket_fft.r2c(field, spectrum, _LAST_AXIS, True, 1.0, 1)
    if n_y > 1:
        rocket_fft.c2c(spectrum, spectrum, _FIRST_AXIS, True, 1.0, 1)


def inverse(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Transform a spectrum, which is destroyed, to its field."""
    n_y, n_x = carray(sizes, 2)
    spectrum, field = carray(source, (n_y, n_x // 2 + 1)), carray(target, (n_y, n_x))
    if n_y > 1:
        rocket_fft.c2c(spectrum, spectrum, _FIRST_AXIS, False, 1.0, 1)
    rocket_fft.c2r(spectrum, field, _LAST_AXIS, False, 1.0, 1)


def forward_truncated(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Transform a field to the first columns of its spectrum."""
    n_y, n_x = sizes[0], sizes[1]
    field, spectrum = carray(source, (n_y, n_x)), carray(target, (n_y, n_x // 2 + 1))
    kept = spectrum[:, : sizes[2]]
    rocket_fft.r2c(field, spectrum, _LAST_AXIS, True, 1.0, 1)
    rocket_fft.c2c(kept, kept, _FIRST_AXIS, True, 1.0, 1)


def inverse_truncated(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Transform the first columns of a spectrum, which is destroyed, to its field."""
    n_y, n_x = sizes[0], sizes[1]
    spectrum, field = carray(source, (n_y, n_x // 2 + 1)), carray(target, (n_y, n_x))
    kept = spectrum[:, : sizes[2]]
    rocket_fft.c2c(kept, kept, _FIRST_AXIS, False, 1.0, 1)
    rocket_fft.c2r(spectrum, field, _LAST_AXIS, False, 1.0, 1)
