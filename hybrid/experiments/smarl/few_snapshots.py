"""How skill depends on the number of states of the truth that a search has seen."""

import numpy as np

from hybrid.experiments.result import Table
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.findings import FEW_SCORES, Findings
from hybrid.experiments.smarl.settings import FEW


def few_snapshots_metrics(findings: Findings) -> dict[str, float]:
    """Return medians over seeds, by number of states; nothing where it is not asked for."""
    if not findings.few:
        return {}
    return {
        f"{name}_{FEW}_from_{n}": float(np.median(values))
        for n, found in findings.scores_of_few.items()
        for name, values in found.items()
    }


def few_snapshots_table(findings: Findings) -> Table:
    """Return medians and ranges over seeds, by number of states."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for n, found in findings.scores_of_few.items():
        ranges = (f(found[name]) for name in FEW_SCORES for f in (np.median, np.min, np.max))
        rows[f"{n} states"] = tuple(float(x) if np.isfinite(x) else None for x in ranges)
    return Table(
        f"{CANDIDATES[FEW].label}, from few states of the truth",
        ("spectrum error", "least", "most", "Wasserstein distance", "least", "most"),
        rows,
        "Medians and ranges over seeds, in the regime of the training. The states are evenly "
        "spaced over the trajectory of the training; runs of the search begin with them, and "
        "their mean is the spectrum that it is rewarded for.",
    )
