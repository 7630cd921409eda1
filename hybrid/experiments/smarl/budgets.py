"""What closures, and the true subgrid term, do to energy and enstrophy."""

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.result import Table
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.findings import Findings
from hybrid.experiments.smarl.settings import TRAINED


def budgets(findings: Findings) -> Table:
    """Return what closures add to enstrophy and energy, beside what the truth's small scales do."""
    rows: dict[str, tuple[float | None, ...]] = {
        "truth, subgrid term": budget(findings.truths[TRAINED].transfer)
    }
    for name, runs in findings.climates[TRAINED].items():
        whole = [made for made in runs if "transfer" in made and not made.lost.any()]
        if whole:
            found = [budget(made.transfer.to_numpy()) for made in whole]
            rows[CANDIDATES[name].label] = tuple(np.median(found, axis=0).tolist())
    return Table(
        f"Budgets, {findings.regimes[TRAINED].label}",
        ("enstrophy taken", "enstrophy given back", "energy taken", "energy given back"),
        rows,
        "Of all wavenumbers that lose, and of all that gain, in unit time [1]; medians over seeds. "
        "Forcing, friction and viscosity of the model itself are no part of it.",
    )


def budget(transfer: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return the enstrophy taken and given back, and the energy [1].

    Parameters
    ----------
    transfer
        What is added to the enstrophy of each wavenumber, the first of which is 1, shape
        ``(wavenumber,)`` [1].
    """
    energy = transfer / np.arange(1, len(transfer) + 1) ** 2
    return (*_sides(transfer), *_sides(energy))


def _sides(transfer: NDArray[np.float64]) -> tuple[float, float]:
    return float(-np.minimum(transfer, 0.0).sum()), float(np.maximum(transfer, 0.0).sum())
