"""What a step of the coarse model costs with each closure, taken in turns in one process."""

from collections.abc import Mapping
from statistics import median
from time import process_time

from hybrid.experiments.smarl.climates import Array
from solvers.barotropic import Barotropic

_STEPS = 200


def step_costs(
    models: Mapping[str, Barotropic], initial: Array, beside: str, n_round: int
) -> dict[str, float]:
    """Return how many times as long as with another closure a step takes, by closure.

    Parameters
    ----------
    models
        The model with each closure.
    initial
        A state to begin with, shape ``(y, x)`` [1].
    beside
        The closure that the others are compared with.
    n_round
        Turns; the result is the median of their ratios.
    """
    runs = {name: model.start(initial[None]) for name, model in models.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(n_round + 1):
        for name, run in runs.items():
            before = process_time()
            run.advance(_STEPS)
            times[name].append(process_time() - before)
    # The first turn compiles.
    return {
        name: median(a / b for a, b in zip(taken[1:], times[beside][1:], strict=True))
        for name, taken in times.items()
    }
