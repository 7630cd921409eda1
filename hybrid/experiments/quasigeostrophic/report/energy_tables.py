"""Tables and flat metrics of what closure and filter do to the energy of runs."""

from collections.abc import Mapping

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.job import TRUTH
from hybrid.experiments.quasigeostrophic.learning.exchange import rates
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.result import Table

_RATES = ("generation", "drag", "given", "taken")


def energy_metrics(findings: Findings, where: str) -> dict[str, float]:
    """Return these rates of the truth and of all models in flat names."""
    rates_of = {**findings.energies[where], "target": _target(findings, where)}
    return {
        f"energy_{where}_{name}_{model}": value
        for model, found in rates_of.items()
        for name, value in found.items()
    }


def energy_table(findings: Findings, where: str) -> Table:
    """Return these rates of the truth and of all models, and those of the subgrid tendency."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for model, found in findings.energies[where].items():
        label = "truth" if model == TRUTH else CANDIDATES[model].label
        rows[label] = (*(1e12 * found[name] for name in _RATES), _net(found))
    target = _target(findings, where)
    work = (1e12 * target[name] for name in ("given", "taken"))
    rows["subgrid tendency of the truth, offline"] = (None, None, *work, _net(target))
    return Table(
        f"What closure and filter do to the energy of runs: {where}",
        (*_RATES, "given - taken"),
        rows,
        "Rates in 1e-12 m2 s-3, both layers, means over all runs: generation from the mean shear, "
        "what bottom drag takes, and the energy that closure and filter together give where they "
        "give and take where they take, by wavenumber. A closure that undoes a part of the filter "
        "is counted with what is left of that. The last row is what the truth's own subgrid "
        "tendency does on the coarse grid, in the second half of the run that the states of the "
        "offline scores are from.",
    )


def _target(findings: Findings, where: str) -> dict[str, float]:
    return rates(findings.late_targets[where])


def _net(found: Mapping[str, float]) -> float:
    return 1e12 * (found["given"] - found["taken"])
