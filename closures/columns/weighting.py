"""How much each output counts in a loss."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from closures.constraints.ranges import FieldRanges
from closures.errors import SpecError

Array = NDArray[np.float64]
Weighting = Literal["std", "energy", "energy_by_variable"]


def feature_weights(
    ranges: FieldRanges,
    spread: Array,
    weighting: Weighting = "std",
    *,
    factors: Mapping[str, float] | None = None,
    energy: Array | None = None,
    power: int = 1,
) -> Array:
    """Return the weight of each normalised output, with mean 1 over those that vary.

    ``"std"``: each feature the same, so a profile counts with its number of levels. ``"energy"``:
    as it counts in scores [W m-2], ``(energy * spread)^power / n_level``: the loss is then, but for
    a constant, the sum over variables of their mean errors in W m-2 (or of their squares).
    ``"energy_by_variable"``: so within a variable, and all variables the same.

    Parameters
    ----------
    ranges
        Where the fields lie.
    spread
        Spread of each output ``(n_output,)``; one of 0 never varies and does not count.
    weighting
        One of the above.
    factors
        Further factors, by output.
    energy
        Energy flux that one unit of each output stands for [W m-2 per unit].
    power
        2 for a squared error, else 1.

    Raises
    ------
    SpecError
        If energies are needed and not given, a factor belongs to no output, or nothing counts.
    """
    weights = np.ones(ranges.n_output)
    if weighting != "std":
        if energy is None:
            raise SpecError(
                f"weights: expected the energy of each output for weighting {weighting!r}, got "
                "none; pass the grid of the levels, or choose 'std'"
            )
        weights = (energy * spread) ** power
        for part in ranges.outputs.values():
            total = part.stop - part.start if weighting == "energy" else weights[part].sum()
            weights[part] /= total if total > 0 else 1.0
    weights[spread <= 0.0] = 0.0
    for name, factor in (factors or {}).items():
        if name not in ranges.outputs or factor < 0.0:
            raise SpecError(
                f"weights: expected outputs out of {', '.join(ranges.outputs)} and factors >= 0, "
                f"got {name}={factor}"
            )
        weights[ranges.outputs[name]] *= factor
    if not weights.any():
        raise SpecError("weights: expected an output that varies and counts, got none")
    weights *= np.count_nonzero(spread > 0.0) / weights.sum()
    return weights
