"""How far a program may be from a closure whose own rounding is large.

Where forward subtracts nearly equal numbers, float32 itself is many eps from what forward means,
and so is any other order of sums: a program may then be as far away on another side.
"""

import copy

import numpy as np
import torch

from closures.base import Closure
from closures.spec import ClosureSpec
from hybrid.archive import Reference
from hybrid.comparison import BOUNDS, largest_difference, output_scales
from hybrid.threads import one_thread

SIDES = 2.0
"""Two roundings of one number may be on either side of it."""

LARGEST_BOUND = 512.0
"""Beyond it a difference is no rounding [eps]: a threshold was met on one side alone, say."""


def bound_for(closure: Closure, spec: ClosureSpec, reference: Reference) -> float:
    """Return how far a program of a closure may be from it [eps on scaled outputs].

    That is the bound of the native engine, or twice the closure's own rounding where this is more
    and can be known: where the closure is all of float32 and runs in float64 as well.

    Parameters
    ----------
    closure
        The closure, in evaluation mode.
    spec
        Its contract.
    reference
        Columns and what the closure made of them.
    """
    rounding = own_rounding(closure, spec, reference)
    bound = BOUNDS["native"]
    if rounding is None or SIDES * rounding > LARGEST_BOUND:
        return bound
    return max(bound, SIDES * rounding)


def own_rounding(closure: Closure, spec: ClosureSpec, reference: Reference) -> float | None:
    """Return how far a closure in float32 is from itself in float64 [eps on scaled outputs].

    None where there is no wider type, or forward does not run in it.
    """
    given = [reference.arguments[a.name] for a in spec.arguments]
    if any(array.dtype != np.float32 for array in (*given, *reference.largest.values())):
        return None
    try:
        wide = copy.deepcopy(closure).double()
        with one_thread(), torch.no_grad():
            results = wide(*(torch.from_numpy(array.astype(np.float64)) for array in given))
    # A forward may hold float32 by name, and torch raises what it likes when types meet.
    except Exception:  # noqa: BLE001
        return None
    exact = {f.name: result.numpy() for f, result in zip(spec.results, results, strict=True)}
    scales = output_scales(spec, reference.largest)
    return largest_difference(exact, reference.largest, scales)
