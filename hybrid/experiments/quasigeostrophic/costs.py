"""What a step of a model costs, taken in turns in one process."""

from collections.abc import Mapping
from statistics import median
from time import process_time

from hybrid.experiments.quasigeostrophic.candidates import NONE
from solvers.integration import Integration

_STEPS = 50


def step_costs(runs: Mapping[str, Integration], n_round: int) -> dict[str, tuple[float, float]]:
    """Return what a step costs, by name.

    Processor time, so that other processes matter little. Of every number the median over turns is
    taken, in each of which every run makes as many steps.

    Parameters
    ----------
    runs
        Runs under way, that of `NONE` among them.
    n_round
        Turns.

    Returns
    -------
    dict
        Time [s], and how many times as long as without a closure [1].
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(n_round + 1):
        for name, run in runs.items():
            before = process_time()
            run.advance(_STEPS)
            times[name].append((process_time() - before) / _STEPS)
    # The first turn compiles.
    kept = {name: taken[1:] for name, taken in times.items()}
    return {
        name: (
            median(taken),
            median(a / b for a, b in zip(taken, kept[NONE], strict=True)),
        )
        for name, taken in kept.items()
    }
