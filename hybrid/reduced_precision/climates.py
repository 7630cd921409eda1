"""How far climates are from each other, by the Wasserstein distance of each variable.

With x_i the values of a variable in float32 run i, y_i in the bf16 run of the same seed,

    d_ij = W(x_i, x_j) for i < j,    e_ij = W(y_i, x_j) for i != j:

were rounding of no consequence, e and d would be drawn from the same distribution. A variable
passes if the mean of e is no larger than the largest d. Runs that are too short have so large a d
that anything would pass: the largest d must be a small part of the variable's standard deviation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hybrid.reduced_precision.errors import PrecisionError

Climate = Mapping[str, NDArray[np.float64]]
"""Name of a variable, with units, to its values in a run, of any shape."""

COARSEST = 0.1
"""Largest spread of float32 runs with which a test says something [standard deviations]."""
LEAST_RUNS = 3
"""Fewest runs of each precision: with two there is one distance, and no spread."""


@dataclass(frozen=True)
class Compared:
    """One variable.

    Parameters
    ----------
    name
        Its name, with units.
    standard_deviation
        Of all float32 runs together [unit of the variable].
    full
        Distances of float32 runs from each other, two by two [unit of the variable].
    reduced
        Distances of each bf16 run from each float32 run of another seed; infinite for a run that
        does not stay finite [unit of the variable].
    """

    name: str
    standard_deviation: float
    full: tuple[float, ...]
    reduced: tuple[float, ...]

    @property
    def spread(self) -> float:
        """What float32 runs differ by at most."""
        return max(self.full)

    @property
    def distance(self) -> float:
        """What bf16 runs differ from them by, on average."""
        return float(np.mean(self.reduced))

    @property
    def is_undecided(self) -> bool:
        """Whether runs are too short to tell; where it fails nevertheless, it is not."""
        is_within = self.distance <= self.spread
        return is_within and self.spread > COARSEST * self.standard_deviation

    @property
    def problem(self) -> str:
        """Why it does not pass; empty if it does."""
        if not np.isfinite(self.distance):
            return f"{self.name}: a run in bf16 does not stay finite"
        if not self.distance <= self.spread:
            return (
                f"{self.name}: runs in bf16 are {self.distance:.3g} from those in float32, which "
                f"are at most {self.spread:.3g} from each other"
            )
        if self.is_undecided:
            share = self.spread / self.standard_deviation
            return (
                f"{self.name}: runs in float32 differ by {share:.2g} of its standard deviation, "
                f"more than {COARSEST:g}: too short to tell"
            )
        return ""


def compare(full: Sequence[Climate], reduced: Sequence[Climate]) -> tuple[Compared, ...]:
    """Compare climates variable by variable.

    Parameters
    ----------
    full, reduced
        Runs in float32 and in bf16, of the same seeds in the same order.

    Raises
    ------
    PrecisionError
        If there are too few runs, they do not have the same variables, a float32 run is not
        finite, or runs of all seeds, or of both precisions, are the same.
    """
    if len(full) != len(reduced) or len(full) < LEAST_RUNS:
        raise PrecisionError(
            f"runs: expected as many in bf16 as in float32, at least {LEAST_RUNS}, got "
            f"{len(reduced)} and {len(full)}"
        )
    names = list(full[0])
    for climate in (*full, *reduced):
        if list(climate) != names or not names:
            raise PrecisionError(
                f"runs: expected the same variables of each, {', '.join(names) or 'at least one'}, "
                f"got {', '.join(climate) or 'none'}"
            )
    variables = tuple(_compared(name, full, reduced) for name in names)
    if all(variable.spread == 0.0 for variable in variables):
        raise PrecisionError(
            "runs: expected those of different seeds to differ, got the same values; begin from "
            "another state for another seed"
        )
    pairs = [(x[name], y[name]) for x, y in zip(full, reduced, strict=True) for name in names]
    if all(np.array_equal(x, y) for x, y in pairs):
        raise PrecisionError(
            "runs: expected those in bf16 to differ from those in float32, got the same values; "
            "load the archive that is given, in the precision that is given"
        )
    return variables


def _compared(name: str, full: Sequence[Climate], reduced: Sequence[Climate]) -> Compared:
    by_seed = [_values(name, climate) for climate in full]
    if not all(values.size and np.isfinite(values).all() for values in by_seed):
        raise PrecisionError(
            f"{name}: expected finite values of every run in float32; a closure that its host does "
            "not survive is no measure of rounding"
        )
    in_bf16 = [_values(name, climate) for climate in reduced]
    numbers = range(len(by_seed))
    return Compared(
        name,
        float(np.std(np.concatenate(by_seed))),
        tuple(_distance(x, y) for x, y in combinations(by_seed, 2)),
        tuple(_distance(in_bf16[i], by_seed[j]) for i, j in permutations(numbers, 2)),
    )


def _distance(values: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    if not (values.size and np.isfinite(values).all()):
        return float("inf")
    return float(wasserstein_distance(values, others))


def _values(name: str, climate: Climate) -> NDArray[np.float64]:
    return np.asarray(climate[name], np.float64).ravel()
