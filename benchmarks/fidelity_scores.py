"""Decisions and scores of closures with a confidence, on test columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks.fidelity_closures import TrainedClosures, by_field
from benchmarks.fidelity_columns import PROFILES, scored_outputs
from closures.ensemble_scores import EnsembleScorer
from hybrid.runtime import CompiledClosure

Array = NDArray[np.float64]

_CENTRAL = float(ndtri(0.95))


@dataclass(frozen=True)
class FidelityScores:
    """How a closure decides, and how good its distribution is.

    Parameters
    ----------
    flagged
        Share of the columns that it flags.
    agreement, agreement_trusted, agreement_flagged
        Share of all columns, and of those that all members together trust or flag, of which it
        decides the same.
    crps
        Mean over variables of the mass-weighted CRPS of its normal distribution, in units of the
        outputs' spread, by climate.
    coverage90
        Share of the outputs within its central 90 % interval, by climate.
    """

    flagged: float
    agreement: float
    agreement_trusted: float
    agreement_flagged: float
    crps: Mapping[str, float]
    coverage90: Mapping[str, float]


def fidelity_scores(
    made: TrainedClosures, compiled: Mapping[str, CompiledClosure], reference: str
) -> dict[str, FidelityScores]:
    """Return the scores of compiled closures by name.

    Parameters
    ----------
    made
        What they were made from.
    compiled
        With standard deviations and confidence.
    reference
        The one whose decisions are right.
    """
    columns = by_field(made.test.inputs)
    results = {name: closure.evaluate(columns) for name, closure in compiled.items()}
    flagged = {
        name: found["confidence"] < np.float32(_least(compiled[name]))
        for name, found in results.items()
    }
    right = flagged[reference]
    climates = {"present": ~made.is_warm, "p4k": made.is_warm}
    scores = {}
    for name, found in results.items():
        same = flagged[name] == right
        quality = {climate: _quality(made, found, rows) for climate, rows in climates.items()}
        scores[name] = FidelityScores(
            float(flagged[name].mean()),
            float(same.mean()),
            float(same[~right].mean()),
            float(same[right].mean()),
            {climate: crps for climate, (crps, _) in quality.items()},
            {climate: covered for climate, (_, covered) in quality.items()},
        )
    return scores


def _least(closure: CompiledClosure) -> float:
    least = closure.spec.outputs[-1].valid_min
    assert isinstance(least, float)
    return least


def _quality(
    made: TrainedClosures, found: Mapping[str, NDArray[np.float32]], rows: NDArray[np.bool_]
) -> tuple[float, float]:
    scale = made.scaling.outputs.scale
    mean, deviation = (
        np.concatenate([found[f"{name}_tendency{end}"][rows] for name in PROFILES], axis=1)
        for end in ("", "_std")
    )
    truth = made.test.outputs[rows]
    centred = made.scaling.outputs.normalize(mean.astype(np.float64))
    spread = deviation.astype(np.float64) * scale
    target = made.scaling.outputs.normalize(truth)
    outputs = scored_outputs(made.scaling.outputs.spread)
    scorer = EnsembleScorer(outputs, 1, noise=True)
    scorer.add(target, centred[np.newaxis], spread)
    scores = scorer.scores()
    crps = np.mean([scores.pooled(name)["crps"] for name in outputs.parts])
    inside = np.abs(target - centred) <= _CENTRAL * spread
    covered = np.mean([outputs.column_mean(inside.mean(axis=0), name) for name in outputs.parts])
    return float(crps), float(covered)
