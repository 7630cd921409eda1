"""Tables and flat metrics of the multi-fidelity experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.multifidelity.bed import Bed
from hybrid.experiments.multifidelity.candidates import Candidate
from hybrid.experiments.multifidelity.job import Scored
from hybrid.experiments.result import Table

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Findings:
    """Scores of all candidates on one test bed.

    Parameters
    ----------
    bed
        Test bed.
    scored
        By candidate, one a seed.
    """

    bed: Bed
    scored: Mapping[str, Sequence[Scored]]
    candidates: Sequence[Candidate]

    @property
    def prefix(self) -> str:
        """In front of the names of metrics: the name of the bed, unless it is the first one."""
        return "" if self.bed.name == "columns" else f"{self.bed.name}_"

    @property
    def climates(self) -> list[str]:
        """Names of the tested climates, the present first."""
        return list(next(iter(self.scored.values()))[0].pooled)

    def seeds(self, name: str, climate: str, variable: str, score: str) -> Array:
        """Return a score by seed."""
        return np.array([one.pooled[climate][variable][score] for one in self.scored[name]])

    def mean(self, name: str, climate: str, variable: str, score: str) -> float:
        """Return the mean of a score over seeds."""
        return float(self.seeds(name, climate, variable, score).mean())

    def levels(self, name: str, climate: str, score: str) -> Array:
        """Return a score by output, the mean over seeds."""
        levels = np.array([one.by_level[climate][score] for one in self.scored[name]])
        mean: Array = levels.mean(axis=0)
        return mean

    def auroc(self, name: str, climate: str) -> float | None:
        """Return how well the spread detects a climate, the mean over seeds."""
        found = [one.auroc.get(climate) for one in self.scored[name]]
        known = [value for value in found if value is not None]
        return float(np.mean(known)) if known else None

    def best(self) -> str:
        """Return the candidate with the least CRPS in the climates that count."""
        return min(self.scored, key=self._crps)

    def _crps(self, name: str) -> float:
        return sum(
            self.mean(name, climate, variable, "crps") / self.bed_size(variable, climate)
            for climate in self.bed.shifted
            for variable in self.bed.parts
        )

    def bed_size(self, variable: str, climate: str) -> float:
        """Return the mean deviation of the truth, by which variables are made comparable."""
        first = next(iter(self.scored.values()))[0]
        part = self.bed.parts[variable]
        return float(first.by_level[climate]["truth_deviation"][part].mean())


def score_tables(findings: Findings, climate: str) -> list[Table]:
    """Return the scores of every candidate in one climate, and how calibrated it is."""
    variables = list(findings.bed.parts)
    scores, calibration = {}, {}
    for candidate in findings.candidates:
        name = candidate.name

        def mean(variable: str, score: str, name: str = name) -> float | None:
            value = findings.mean(name, climate, variable, score)
            return value if np.isfinite(value) else None

        scores[candidate.label] = tuple(
            mean(v, s) for v in variables for s in ("r2_pooled", "r2_lowest", "crps", "mae")
        )
        if not candidate.deterministic:
            calibration[candidate.label] = (
                *(mean(v, s) for v in variables for s in ("coverage50", "coverage90", "width90")),
                *(
                    findings.mean(name, climate, v, s) ** 0.5
                    for v in variables
                    for s in ("epistemic_variance", "aleatoric_variance")
                ),
                None if climate == "present" else findings.auroc(name, climate),
            )
    where = f"{findings.bed.title}, {climate_label(climate)}"
    return [
        Table(
            title=f"Scores: {where}",
            columns=tuple(
                f"{text} {v}" for v in variables for text in ("R2", "lowest R2", "CRPS", "MAE")
            ),
            rows=scores,
            note=(
                "R2 of the whole column, squares weighted by mass; lowest R2: of the level where "
                f"it is least ({_excluded(findings, climate)}). CRPS and MAE in "
                f"{units_label(findings)}, mass-weighted over levels; a deterministic network's "
                f"CRPS is its MAE. {_seeds(findings)}"
            ),
        ),
        Table(
            title=f"Calibration: {where}",
            columns=(
                *(f"{t} {v}" for v in variables for t in ("in 50 %", "in 90 %", "width 90 %")),
                *(f"{t} {v}" for v in variables for t in ("epistemic", "aleatoric")),
                "detects",
            ),
            rows=calibration,
            note=(
                "Share of the truth inside central intervals [1]; their width and the root mean "
                f"variances of members and of noise in {units_label(findings)}. Detects: area "
                "under the ROC curve of the members' spread telling this climate from the present. "
                f"{_seeds(findings)}"
            ),
        ),
    ]


def flat_metrics(findings: Findings) -> dict[str, float]:
    """Return flat metrics."""
    prefix = findings.prefix
    metrics = {}
    for name, scored in findings.scored.items():
        for climate in findings.climates:
            for variable in findings.bed.parts:
                for score, label in _FLAT.items():
                    value = findings.mean(name, climate, variable, score)
                    if np.isfinite(value):
                        metrics[f"{prefix}{label}_{variable}_{climate}_{name}"] = value
            auroc = findings.auroc(name, climate)
            if auroc is not None and climate != "present":
                metrics[f"{prefix}ood_auroc_{climate}_{name}"] = auroc
        metrics[f"{prefix}training_seconds_{name}"] = max(one.seconds for one in scored)
        metrics[f"{prefix}parameters_{name}"] = float(scored[0].n_parameter)
    recommended = findings.candidates[0].name
    shifted = findings.bed.shifted[0]
    for climate in ("present", shifted):
        covered = [findings.mean(recommended, climate, v, "coverage90") for v in findings.bed.parts]
        metrics[f"{prefix}coverage90_{climate}"] = float(np.mean(covered))
    auroc = findings.auroc(recommended, shifted)
    if auroc is not None:
        metrics[f"{prefix}ood_auroc"] = auroc
    return metrics


def labels(findings: Findings) -> dict[str, str]:
    """Return the candidates' names for people, as choices."""
    return {f"label_{each.name}": each.label for each in findings.candidates}


_FLAT = {
    "r2_pooled": "r2",
    "r2_lowest": "r2_lowest",
    "mae": "mae",
    "crps": "crps",
    "crps_published": "crps_published",
    "coverage50": "coverage50",
    "coverage90": "coverage90",
    "width90": "width90",
    "spread_error": "spread_error",
}


def climate_label(climate: str) -> str:
    """Return a climate's name for people."""
    if climate.startswith("p") and climate.endswith("k") and climate[1:-1].isdigit():
        return f"+{climate[1:-1]} K"
    if climate.startswith("f") and climate[1:].isdigit():
        return f"F = {climate[1:]}"
    return climate


def units_label(findings: Findings) -> str:
    """Return the units of scores that have any."""
    return ", ".join(dict.fromkeys(units for units, _ in findings.bed.units.values()))


def _seeds(findings: Findings) -> str:
    n = n_seed(findings)
    return "One seed." if n == 1 else f"Means over {n} seeds."


def n_seed(findings: Findings) -> int:
    """Return the number of trainings of each candidate."""
    return len(next(iter(findings.scored.values())))


def _excluded(findings: Findings, climate: str) -> str:
    excluded = next(iter(findings.scored.values()))[0].excluded[climate]
    parts = [
        f"{name}: levels {', '.join(map(str, levels))}"
        for name, levels in excluded.items()
        if levels
    ]
    if not parts:
        return "no level left out"
    return f"left out, as the truth hardly varies there: {'; '.join(parts)}"
