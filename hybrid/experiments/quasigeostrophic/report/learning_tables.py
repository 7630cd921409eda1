"""Tables and flat metrics of fits and trainings, and of what was trained in Fortran."""

from dataclasses import asdict

import numpy as np

from closures.quasigeostrophic.sparse_fit import WITHIN
from closures.quasigeostrophic.sparse_terms import TERMS, Term
from hybrid.experiments.quasigeostrophic.calibration.coefficients import (
    SixthOrderCoefficients,
)
from hybrid.experiments.quasigeostrophic.calibration.fit import Fitted
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.learning.offline import LAYERS
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.scores.similarity import WORST
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN
from hybrid.experiments.result import Table

_NAMES = {
    "c6": "c6",
    "exponent": "exponent",
    "returned": "energy returned",
    "cutoff": "filter from [pi / spacing]",
}
"""Coefficients that are fitted, and what tables call them."""


def term_metric(layer: str, term: Term) -> str:
    """Return the flat name of the coefficient of a term that sparse regression found."""
    return f"sparse_{layer}_{term.name.replace(' ', '_').replace('^', '').lower()}"


def learning_metrics(findings: Findings) -> dict[str, float]:
    """Return what fits and trainings found, and took, and scores in Fortran, in flat names."""
    metrics: dict[str, float] = {}
    for i, fitted in enumerate(findings.fits):
        metrics |= {f"fit_{i}_mean_{flow}": value for flow, value in fitted.mean.items()}
        metrics |= {f"fit_{i}_worst_{flow}": value for flow, value in fitted.worst.items()}
        metrics |= {f"fit_{i}_runs": float(fitted.n_run), f"fit_{i}_lost": float(fitted.n_lost)}
        for name, (value, spread) in _with_spread(fitted).items():
            metrics |= {f"fit_{i}_{name}": value, f"fit_{i}_{name}_spread": spread}
    for model, trained in findings.trained.items():
        metrics[f"training_weights_{model}"] = float(trained.n_parameter)
        metrics[f"training_samples_{model}"] = float(trained.n_sample)
        metrics[f"training_seconds_{model}"] = trained.history.seconds
        metrics[f"training_loss_{model}"] = min(trained.history.validation)
    for (layer, term), value in _terms(findings).items():
        metrics[term_metric(layer, term)] = value
    for model in findings.hosted:
        for kind, (_, hosted, difference) in findings.in_fortran(model).items():
            metrics[f"hosted_{kind}_{model}"] = hosted
            metrics[f"hosted_difference_{kind}_{model}"] = difference.value
            metrics[f"hosted_difference_{kind}_{model}_interval"] = difference.half
            metrics[f"hosted_floor_{kind}_{model}"] = 1.0 - findings.hosted_floor(model, kind)
    return metrics


def learning_tables(findings: Findings) -> tuple[Table, ...]:
    """Return these tables; some may have no rows."""
    hosted = (hosted_table(findings, model) for model in findings.hosted)
    learned = symbolic_table(findings), training_table(findings)
    return calibration_table(findings), *learned, *hosted


def calibration_table(findings: Findings) -> Table:
    """Return the coefficients that were fitted, round by round."""
    rows: dict[str, tuple[float | None, ...]] = {}
    flows = [flow for found in findings.fits[:1] for flow in found.mean]
    for i, found in enumerate(findings.fits):
        runs = float(found.n_run), float(found.n_lost)
        spreads = _with_spread(found)
        numbers = (number for name in _NAMES for number in spreads[name])
        scores = (value for flow in flows for value in (found.mean[flow], found.worst[flow]))
        rows[f"round {i + 1}"] = (*numbers, *scores, *runs)
    return Table(
        "Coefficients of Leith+E of sixth order with deconvolution",
        (
            *(text for name in _NAMES.values() for text in (name, "+-")),
            *(f"fitted {which}, {flow}" for flow in flows for which in ("mean", "worst")),
            *("runs", "lost"),
        ),
        rows,
        f"Fitted to runs of the coarse model in {' and '.join(flows)} alone, each with "
        "coefficients of its own, with truths and initial states that no other score is made with: "
        "distribution functions and spectra as quadratic functions of the coefficients, in each "
        f"flow. The best are those where these have most of the mean score and {WORST:g} of the "
        "worst, over all flows. The lower layer diffuses (H2 / H1)^exponent times as much as the "
        "upper one. The runs of each round fill half the range of those before, or as much where "
        "the best is at an end, and all are fitted together; what the last has found is the "
        "candidate. +-: standard deviation, from runs and truths drawn again. Scores of the "
        "functions do not compare with those of runs: noise that is left in them lowers them, and "
        "the choice of the best raises them.",
    )


def symbolic_table(findings: Findings) -> Table:
    """Return the terms that sparse regression found."""
    rows: dict[str, tuple[float | None, ...]] = {
        f"{layer} {term.name} [{term.units}]": (value,)
        for (layer, term), value in _terms(findings).items()
    }
    return Table(
        "Terms of the symbolic closure of sparse regression",
        ("coefficient",),
        rows,
        f"Found by the relevance vector machine in states of {CHOSEN_IN} alone that networks learn "
        f"from, among {len(TERMS)} candidates a layer: the fewest that leave no more than "
        f"{WITHIN:g} of the variance of the target more than all do, when waves of all lengths "
        "count alike. Candidates are Laplacians "
        "(lap) of potential and relative vorticity, of v and the gradient of q along x, and of "
        "what the flow advects once and twice, A f = div((u + U) f).",
    )


def training_table(findings: Findings) -> Table:
    """Return what the networks learned from, and how long."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for model, trained in findings.trained.items():
        history = trained.history
        rows[CANDIDATES[model].label] = (
            float(trained.n_parameter),
            float(trained.n_sample),
            float(len(history.validation)),
            float(history.best_epoch),
            history.validation[0],
            min(history.validation),
            history.seconds,
        )
    return Table(
        "Trainings of networks",
        ("weights", "samples", "epochs", "kept", "first loss", "least loss", "seconds"),
        rows,
        f"All on {CHOSEN_IN} alone, on one thread each, from runs of the truth that nothing is "
        "scored with. Samples are states, or trajectories of the truth for what is trained in "
        "runs; the losses are those of the last part of the times, which nothing is trained on, "
        "in units of the spread of the target among the others, or of the errors of the coarse "
        "model without closure.",
    )


def hosted_table(findings: Findings, model: str) -> Table:
    """Return the scores of a closure in the compiled loop and in Fortran."""
    rows: dict[str, tuple[float | None, ...]] = {
        kind: (here, hosted, *difference, 1.0 - findings.hosted_floor(model, kind))
        for kind, (here, hosted, difference) in findings.in_fortran(model).items()
    }
    n = len(findings.hosted[model])
    return Table(
        f"{CANDIDATES[model].label}, in Fortran: {CHOSEN_IN}",
        ("compiled loop", "Fortran", "difference", "+-", "floor"),
        rows,
        f"Runs from the same {n} initial states with the same archive, in the time loop of the "
        "solver and in the Fortran host, whose states part once rounding has grown. +-: half the "
        "95 % interval, from what comes out without each of the seeds. Floor: what one half of "
        "these runs of the truth lacks to a score of 1 beside the other, a mean over random "
        "halves.",
    )


def _terms(findings: Findings) -> dict[tuple[str, Term], float]:
    """Return the coefficients of the closure that was found, by layer and term."""
    if findings.symbolic is None:
        return {}
    return {
        (name, term): value
        for layer, name in enumerate(LAYERS)
        for term, value in findings.symbolic.coefficients(layer).items()
    }


def _with_spread(found: Fitted) -> dict[str, tuple[float, float]]:
    """Return the coefficients that were fitted with their standard deviations, by name."""
    ends = (np.array(found.place) + sign * np.array(found.spread) for sign in (-1.0, 1.0))
    low, high = (asdict(SixthOrderCoefficients.at(end)) for end in ends)
    values = asdict(SixthOrderCoefficients.at(found.place))
    return {name: (values[name], 0.5 * (high[name] - low[name])) for name in _NAMES}
