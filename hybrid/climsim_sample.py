"""The small generated sample that stands in where no ClimSim folder is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cftime
import numpy as np

from closures.climsim.errors import DataError
from hybrid.climsim_generator import STEPS_OF_DAY, YEAR_OF_FILES, Generation, generate


@dataclass(frozen=True)
class SampleConfig:
    """Size of a sample.

    Parameters
    ----------
    n_per_month
        Pairs a month, each on a day of its own; at least 3, so that the interleaved split has
        test pairs.
    months
        Months of the year; the default lets both splits find what they need.
    seed
        Seed of times and weather.
    """

    n_per_month: int = 4
    months: tuple[int, ...] = (1, 2, 4, 5, 7, 8, 10, 11)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 3 <= self.n_per_month <= 28:
            raise DataError(
                f"sample: expected 3 to 28 pairs a month, got {self.n_per_month}: fewer leave "
                "no test pair, more do not fit one a day"
            )

    @property
    def starts(self) -> tuple[tuple[int, int], ...]:
        """Moments of the pairs: (day of the year, step of the day)."""
        rng = np.random.default_rng(self.seed)
        starts: list[tuple[int, int]] = []
        for month in self.months:
            first = cftime.DatetimeNoLeap(YEAR_OF_FILES, month, 1).dayofyr
            days = np.sort(rng.choice(28, size=self.n_per_month, replace=False))
            starts += [(first + int(day), int(rng.integers(STEPS_OF_DAY))) for day in days]
        return tuple(starts)


def write_sample(
    folder: Path,
    config: SampleConfig | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write mli and mlo files of scheme high and a grid file below `folder`.

    Parameters
    ----------
    folder
        Root of the sample; laid out as ClimSim's low-resolution data.
    config
        Size and seed.
    on_progress
        Called with the fraction done.

    Raises
    ------
    DataError
        If the folder holds other pairs.
    """
    chosen = config or SampleConfig()
    generate(folder, Generation(chosen.starts, seed=chosen.seed), on_progress)
