"""How close two evaluations of a closure are, in units of float rounding."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.spec import ClosureSpec

Arrays = Mapping[str, NDArray[Any]]

BOUNDS = {"torchscript": 4.0, "aoti": 16.0, "native": 64.0}
"""Engine to the largest difference from eager [eps on scaled outputs].

The native engine has one accumulator a sum, whose order is fixed so that bits are; libraries have
many, and their sums round less.
"""


def output_scales(spec: ClosureSpec, reference: Arrays) -> dict[str, NDArray[np.float64]]:
    """Return the size of each result element: its largest magnitude.

    Rounding inside a network is relative to the size of its scaled outputs, not to a value that
    happens to be near zero, so differences are measured against the training range of each
    element (`valid_min`, `valid_max`) or what the reference columns reached, if that is larger.

    Parameters
    ----------
    spec
        Closure contract.
    reference
        Field name to array of shape ``(n, ...)`` [units of the field].

    Returns
    -------
    dict
        Field name to array of shape ``(...)``; an element that is always zero has scale zero and
        is then compared exactly.
    """
    scales = {}
    for field in spec.results:
        largest = np.max(np.abs(reference[field.name].astype(np.float64)), axis=0)
        for bound in (field.valid_min, field.valid_max):
            if bound is not None:
                size = np.abs(np.asarray(bound, dtype=np.float64))
                largest = np.maximum(largest, size.reshape(largest.shape) if size.ndim else size)
        scales[field.name] = largest
    return scales


def largest_difference(found: Arrays, reference: Arrays, scales: Arrays) -> float:
    """Return the largest ``|found - reference| / scale`` over all fields [eps of the field].

    Infinite where a value is not finite, or differs where the scale is zero.
    """
    largest = 0.0
    for name, expected in reference.items():
        eps = float(np.finfo(expected.dtype).eps)
        difference = np.abs(np.asarray(found[name], dtype=np.float64) - expected)
        scale = np.broadcast_to(scales[name], difference.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(difference == 0.0, 0.0, difference / scale)
        worst = float(np.max(np.where(np.isfinite(ratio), ratio, np.inf), initial=0.0))
        largest = max(largest, worst / eps)
    return largest
