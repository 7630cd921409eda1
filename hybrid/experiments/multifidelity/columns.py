"""Test bed of generated columns: a cheap scheme in many climates, a rich one in the present."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.moist_columns import joined, moist_bed, stacked, tendencies
from solvers.column_physics import Columns, ColumnSettings, Scheme, generated_grid
from solvers.column_physics.constants import DAY, TIMESTEP, YEAR

OnProgress = Callable[[float], None]

_HOURS = int(DAY / TIMESTEP)


@dataclass(frozen=True)
class ColumnSizes:
    """How many moments, of 384 columns each.

    Parameters
    ----------
    low
        Of the cheap scheme, spread over the climates.
    high
        Of the rich scheme in the present climate.
    test
        Of the rich scheme in each tested climate.
    warmings
        Climates of the cheap scheme [K].
    tested
        Warmer climates of the tests [K].
    n_spin_up
        Steps before each moment.
    test_seed
        Seed of the tests' weather; settings were chosen in the same climates with other weather.
    """

    low: int
    high: int
    test: int
    warmings: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
    tested: tuple[int, ...] = (2, 4, 8)
    n_spin_up: int = 12
    test_seed: int = 100


def column_bed() -> Bed:
    """Return the contract and scores of heating and moistening of columns."""
    return moist_bed(
        "columns",
        "generated columns",
        "Heating and moistening of columns, from two fidelities of their physics",
        generated_grid(),
        ("p4k",),
        {
            "low_fidelity": "scheme low of the column physics",
            "high_fidelity": "scheme high of the column physics, in the present alone",
        },
    )


def column_tables(sizes: ColumnSizes, on_progress: OnProgress) -> Tables:
    """Generate the samples.

    Weather, moments and the times of day of low fidelity, high fidelity and tests have seeds of
    their own, whatever the seed of the trainings is.
    """
    total = sizes.low + sizes.high + (1 + len(sizes.tested)) * sizes.test
    done = 0

    def some(scheme: Scheme, warmings: tuple[float, ...], n_moment: int, seed: int) -> Table:
        nonlocal done
        parts = []
        for part in _moments(scheme, warmings, n_moment, seed, sizes.n_spin_up):
            parts.append(part)
            done += 1
            on_progress(done / total)
        return joined(parts)

    return Tables(
        some("low", sizes.warmings, sizes.low, 1),
        some("high", (0.0,), sizes.high, 2),
        {"present": some("high", (0.0,), sizes.test, sizes.test_seed)}
        | {
            f"p{w}k": some("high", (float(w),), sizes.test, sizes.test_seed + w)
            for w in sizes.tested
        },
    )


def _moments(
    scheme: Scheme, warmings: tuple[float, ...], n_moment: int, seed: int, n_spin_up: int
) -> Iterator[Table]:
    rng = np.random.default_rng(seed)
    for index in range(n_moment):
        columns = Columns(ColumnSettings(scheme, warmings[index % len(warmings)], seed))
        day = int(YEAR * (index + 0.5) / n_moment)
        time = day * DAY + int(rng.integers(_HOURS)) * TIMESTEP
        before = next(columns.run(time, 1, n_spin_up)).before
        code = tendencies(columns, before, "low")
        outputs = code if scheme == "low" else tendencies(columns, before, scheme)
        n = before.sizes["column"]
        yield Table(stacked(before), outputs, np.full(n, index), code)
