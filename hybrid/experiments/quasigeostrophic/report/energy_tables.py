"""Tables and flat metrics of what closure and filter do to the energy of runs."""

from collections.abc import Mapping, Sequence

import xarray as xr

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.job import TRUTH
from hybrid.experiments.quasigeostrophic.learning.exchange import rates
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.runs.rings import Rings
from hybrid.experiments.result import Table
from solvers.spectral import SpectralGrid

_RATES = ("generation", "drag", "given", "taken")


def run_rates(runs: Sequence[xr.Dataset]) -> dict[str, float]:
    """Return the rates at which the energy of runs changes, of all runs together [m2 s-3].

    Parameters
    ----------
    runs
        Climates of one model, all of them finite.

    Returns
    -------
    dict
        ``generation`` from the mean shear; ``drag``, what bottom drag takes; ``given`` and
        ``taken``, what closure and filter together put in and take out, each on the rings of
        wavenumbers on which they do so.
    """
    terms = ("available_potential_energy_generation", "bottom_drag", "filter", "parameterization")
    budget = xr.concat([run[list(terms)] for run in runs], "run", join="exact").mean("run")
    size = (runs[0].attrs[name] for name in ("nx", "ny", "length_x", "length_y"))
    rings = Rings(SpectralGrid(*size))
    generation, drag, smoothed, closed = (rings.totals(budget[name].to_numpy()) for name in terms)
    # A closure that undoes a part of the filter gives what that takes: only both tell something.
    both = smoothed + closed
    found = {"generation": generation, "drag": -drag, "given": both.clip(min=0.0)}
    found["taken"] = found["given"] - both
    return {name: float(each.sum()) for name, each in found.items()}


def energy_metrics(findings: Findings, where: str) -> dict[str, float]:
    """Return these rates of the truth and of all models in flat names."""
    return {
        f"energy_{where}_{name}_{model}": value
        for model, found in [*_rates(findings, where).items(), ("target", _target(findings, where))]
        for name, value in found.items()
    }


def energy_table(findings: Findings, where: str) -> Table:
    """Return these rates of the truth and of all models, and those of the subgrid tendency."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for model, found in _rates(findings, where).items():
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


def _rates(findings: Findings, where: str) -> dict[str, dict[str, float]]:
    """Return the rates of the truth, and of all models that lost no run, by name."""
    models = findings.climates[where]
    kept = {TRUTH: findings.truths[where]}
    kept |= {name: runs for name, runs in models.items() if not findings.n_lost(where, name)}
    return {name: run_rates(runs) for name, runs in kept.items()}
