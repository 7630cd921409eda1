"""What a step of the moist columns costs, the rich scheme beside the cheap one."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.interleaved import FULL, Session, Work, on_processor
from benchmarks.step_cost import Case, StepCost, Variant, compare
from solvers.column_physics import Columns
from solvers.column_physics.constants import TIMESTEP
from solvers.column_physics.step import HIGH, LOW, PROFILES, SURFACE, step_columns

TITLE = "One step of the moist columns"
SIZES = (16, 384)
"""Columns of 60 levels that are stepped together."""


def _work(n_column: int) -> Callable[[int], Work]:
    columns = Columns()
    before = next(columns.run(100 * 86400.0, 1, 6)).before
    # Every so many, so that few columns are as different as many.
    chosen = np.linspace(0, before.sizes["column"] - 1, n_column).astype(int)
    before = before.isel(column=chosen)
    initial = np.stack([before[name].values for name in PROFILES], axis=1)
    surface = np.stack([before[name].values for name in SURFACE], axis=1)
    ozone, fluxes = before["ozone"].values, np.empty((n_column, 8))
    state = np.empty_like(initial)
    grid = columns.grid

    def steps(scheme: int) -> Work:
        def advance(n_step: int) -> None:
            for _ in range(n_step):
                # Left alone, the columns would come to rest and cost less.
                state[...] = initial
                step_columns(
                    1,
                    n_column,
                    scheme,
                    grid.hyai,
                    grid.hybi,
                    grid.n_inert,
                    TIMESTEP,
                    surface,
                    ozone,
                    state,
                    fluxes,
                )

        return on_processor(advance)

    return steps


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[StepCost]:
    """Time both schemes turn by turn; ``step_by_work`` is the time of a column [s]."""
    for n_column in sizes:
        steps = _work(n_column)
        variants = {name: Variant(steps(scheme)) for name, scheme in (("low", LOW), ("high", HIGH))}
        yield from compare(Case("moist columns", str(n_column), n_column), variants, {}, session)
