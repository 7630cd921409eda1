"""Tables of the experiment."""

from collections.abc import Iterator

import numpy as np

from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.settings import LEVELS
from hybrid.experiments.result import Table

_EXACT = {"operator": "noise-free, operator", "black_box": "noise-free, black box"}
_NOISY = {
    **{suffix: f"{100 * level:g} %" for suffix, level in LEVELS.items()},
    "n1_unknown": "1 %, unknown",
    "n1_published": "1 %, as published",
}


def all_tables(findings: Findings) -> Iterator[Table]:
    """Yield the tables of the report."""
    yield coefficients(findings)
    yield detection(findings)
    yield calibration(findings)
    yield forecasts(findings)
    if findings.settings.long_runs:
        yield climates(findings)


def coefficients(findings: Findings) -> Table:
    """Return the errors of coefficients."""
    return Table(
        title="Error of coefficients [%]",
        columns=(
            "uncorrected",
            *_EXACT.values(),
            *_NOISY.values(),
        ),
        rows={
            case: (
                findings.before(case),
                *(findings.exact[form][case]["percent"] for form in _EXACT),
                *(findings.median_error(case, way) for way in _NOISY),
            )
            for case in findings.settings.cases
        },
        note=(
            "Norm of the errors of all coefficients relative to those of nature; with noise, "
            f"medians over {_seeds(findings)}. Noise in percent of the standard deviation of the "
            "truth, of known level but where it says unknown; three snapshots a sample. As "
            "published: terms at the end of the step, from observations without a filter."
        ),
    )


def detection(findings: Findings) -> Table:
    """Return how often exactly the right terms are found."""
    return Table(
        title="Right terms",
        columns=(
            *_EXACT.values(),
            *_NOISY.values(),
            "coefficient / standard error, 1 %",
        ),
        rows={
            case: (
                *(float(findings.exact[form][case]["right"]) for form in _EXACT),
                *(findings.detection(case, way) for way in _NOISY),
                findings.strength(case, "n1"),
            )
            for case in findings.settings.cases
        },
        note=(
            f"Share of {_seeds(findings)} in which the terms are exactly those that the model "
            "lacks [1]. Last: the smallest true coefficient in standard errors of the "
            "least-squares fit of the right terms, median over seeds [1]."
        ),
    )


def calibration(findings: Findings) -> Table:
    """Return whether coefficients scatter as their covariance says."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for level in LEVELS:
        for known in (True, False):
            z = findings.deviations(level if known else f"{level}_unknown")
            label = f"{_NOISY[level]}, {'known' if known else 'unknown'}"
            rows[label] = (
                (float(z.mean()), float(np.sqrt(np.mean(z**2))), float(np.mean(np.abs(z) < 2.0)))
                if z.size
                else (None, None, None)
            )
    return Table(
        title="Calibration of standard errors",
        columns=("mean z", "rms z", "|z| < 2"),
        rows=rows,
        note=(
            "z: error of a coefficient in its posterior standard errors, all cases and seeds with "
            f"the right terms; 0, 1 and 0.95 if calibrated [1]. {_seeds(findings)}, of which all "
            "cases share the observations."
        ),
    )


def forecasts(findings: Findings) -> Table:
    """Return the errors of forecasts after a Lyapunov time."""
    return Table(
        title="Forecast error after a Lyapunov time, relative to the uncorrected model",
        columns=("noise-free", "1 %"),
        rows={
            case: tuple(
                None if ratio is None or not np.isfinite(ratio) else ratio
                for ratio in (findings.error_ratio(case, m) for m in ("corrected", "corrected_n1"))
            )
            for case in findings.settings.cases
        },
        note=(
            "Root mean square errors of forecasts from the same true states [1]; 1 %: median over "
            f"{findings.settings.n_online} seeds. Uncorrected models that damp no short waves are "
            "ill-posed and not counted: "
            f"{', '.join(findings.ill_posed) or 'none'}. Empty, too, where a run did not stay "
            "finite."
        ),
    )


def climates(findings: Findings) -> Table:
    """Return the distances of climates."""
    models = ("uncorrected", "corrected", "corrected_n1")
    rows: dict[str, tuple[float | None, ...]] = {}
    for case in findings.settings.long_runs:
        found = [findings.climate(case, model) for model in models]
        rows[case] = tuple(None if one is None else one["distance"] for one in found)
    return Table(
        title="Distance of climates",
        columns=("uncorrected", "corrected, noise-free", "corrected, 1 %"),
        rows=rows,
        note=(
            "Wasserstein distance of the distribution of u to that of the truth, in standard "
            f"deviations of the truth [1]. Chance alone makes up to {findings.floor:.3g}: mean "
            f"and three standard deviations of {findings.settings.n_replica} runs of the truth as "
            "long, each against the others. Empty: the run did not stay finite."
        ),
    )


def _seeds(findings: Findings) -> str:
    return f"{findings.settings.n_seed} seeds"
