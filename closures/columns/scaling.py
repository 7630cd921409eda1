"""How the features of columns are normalised, field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from closures.constraints.ranges import FieldRanges
from closures.errors import SpecError
from closures.normalization import Normalization, normalization_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Normalisation of inputs and outputs: mean 0 and standard deviation 1, and exceptions.

    Parameters
    ----------
    floors
        Input to the least spread of each level, as a fraction of the mean's magnitude.
    raw
        Inputs that are taken as they are, such as relative humidity, of order 1 where it matters.
    prune
        Input to its first level and the one after its last that the network does not see.
    clip_inputs
        Largest magnitude of a normalised input, also in the archive; None for no limit.
    clip_targets
        Largest magnitude of a normalised target in training: a handful of columns would dominate
        the loss.

    Raises
    ------
    ValueError
        If a limit is not positive.
    """

    floors: Mapping[str, float] = field(default_factory=dict)
    raw: tuple[str, ...] = ()
    prune: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    clip_inputs: float | None = None
    clip_targets: float = 20.0

    def __post_init__(self) -> None:
        limits = (1.0 if self.clip_inputs is None else self.clip_inputs, self.clip_targets)
        if min(limits) <= 0.0 or min(self.floors.values(), default=0.0) < 0.0:
            raise ValueError(
                "scaling: expected floors >= 0, clip_inputs > 0 and clip_targets > 0, got "
                f"{dict(self.floors)}, {self.clip_inputs} and {self.clip_targets}"
            )

    def with_defaults(self, floors: Mapping[str, float], raw: Iterable[str]) -> "Scaling":
        """Return this scaling with floors and raw inputs where it has none of its own."""
        known = {**self.floors, **dict.fromkeys(self.raw, 0.0)}
        return replace(
            self,
            floors={**{k: v for k, v in floors.items() if k not in known}, **self.floors},
            raw=(*self.raw, *(name for name in raw if name not in known)),
        )

    def inputs(self, mean: Array, std: Array, ranges: FieldRanges) -> Normalization:
        """Return the normalisation of inputs with these statistics.

        Parameters
        ----------
        mean, std
            Of each feature ``(n_input,)``.
        ranges
            Where the fields lie.

        Raises
        ------
        SpecError
            If a field is unknown, or has not these levels.
        """
        floor = np.zeros(ranges.n_input)
        for name, value in self.floors.items():
            floor[_part(ranges, name)] = value
        found = normalization_of(mean, std, floor)
        centre, spread = found.mean.copy(), found.spread.copy()
        for name in self.raw:
            part = _part(ranges, name)
            centre[part], spread[part] = 0.0, 1.0
        for name, (first, last) in self.prune.items():
            part = _part(ranges, name)
            n = part.stop - part.start
            if not 0 <= first < last <= n:
                raise SpecError(
                    f"prune: expected levels of {name} within 0 and {n}, got {first} to {last}"
                )
            # Features without spread are zero to the network.
            spread[part.start + first : part.start + last] = 0.0
        return Normalization(centre, spread)


def _part(ranges: FieldRanges, name: str) -> slice:
    if name not in ranges.inputs:
        raise SpecError(
            f"scaling: expected inputs out of {', '.join(ranges.inputs)}, got {name!r}; leave it "
            "out, or choose variables that have it"
        )
    return ranges.inputs[name]
