"""One training of one candidate, and its scores in every climate."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from closures import atomic
from closures.ensemble_scores.detection import detection_auroc
from closures.ensemble_scores.scorer import EnsembleScorer
from closures.ensemble_scores.scores import Scores
from closures.multifidelity import (
    FeatureCount,
    FidelityEnsemble,
    NoiseNetwork,
    NoiseSizes,
    fit_ensemble,
    pooled,
)
from closures.training import Checkpoint
from hybrid.experiments.checkpoint import identity
from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.candidates import Candidate
from hybrid.experiments.multifidelity.settings import INPUT_LIMIT, Settings
from hybrid.experiments.multifidelity.shown import Shown

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

_BLOCK = 1536
_TRAINING_SHARE = 0.8

BY_LEVEL = ("r2", "crps", "coverage90", "spread_error", "truth_deviation", "rmse")
"""Scores by level that are kept for figures."""


@dataclass(frozen=True)
class Job:
    """One candidate on one test bed with one seed."""

    bed: str
    candidate: Candidate
    seed: int

    @property
    def name(self) -> str:
        """In file names and messages."""
        return f"{self.bed}_{self.candidate.name}_seed{self.seed}"


@dataclass(frozen=True)
class Scored:
    """What a job found.

    Parameters
    ----------
    pooled
        By climate, variable and score.
    by_level
        By climate and score, ``(n_output,)``; and ``ranks``.
    excluded
        Levels without R2 by climate and variable.
    auroc
        By warmer climate: of the members' spread as a detector of it.
    seconds
        Of the training.
    n_parameter
        Trainable parameters.
    """

    pooled: Mapping[str, Mapping[str, Mapping[str, float]]]
    by_level: Mapping[str, Mapping[str, Array]]
    excluded: Mapping[str, Mapping[str, list[int]]]
    auroc: Mapping[str, float]
    seconds: float
    n_parameter: int

    @classmethod
    def read(cls, folder: Path) -> "Scored":
        """Read what `do` wrote."""
        record = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        with np.load(folder / "levels.npz") as arrays:
            by_level: dict[str, dict[str, Array]] = {}
            for key in arrays.files:
                climate, score = key.split("/")
                by_level.setdefault(climate, {})[score] = arrays[key]
        return cls(by_level=by_level, **record)


def do(
    job: Job, on_progress: OnProgress, *, bed: Bed, data: Path, out: Path, settings: Settings
) -> None:
    """Train and score, unless that was done with these settings by the same sources.

    Parameters
    ----------
    job
        What to do.
    on_progress
        Called with the fraction done.
    bed
        Test bed.
    data
        Folder of its samples.
    out
        Folder of the results; ``scores.json``, ``levels.npz`` and ``network.pt`` are written.
    settings
        Sizes.
    """
    folder = out / job.name
    what = asdict(settings) | asdict(job.candidate) | {"seed": job.seed, "samples": data.name}
    asked = identity(what)
    done = folder / "asked.json"
    if not (done.is_file() and json.loads(done.read_text(encoding="utf-8")) == asked):
        tables = Tables.read(data)
        folder.mkdir(parents=True, exist_ok=True)
        # Named after the settings: a training with others does not go on from it.
        digest = sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
        checkpoint = folder / f"training-{digest}.checkpoint"
        _train_and_score(job, on_progress, bed, tables, folder, settings, checkpoint)
        atomic.write_text(done, json.dumps(asked, indent=1) + "\n")
    on_progress(1.0)


def shown(job: Job, bed: Bed, tables: Tables) -> Shown:
    """Return how samples are shown to the network of a job."""
    return Shown.of(bed, tables, job.candidate.inputs, INPUT_LIMIT)


def restored(job: Job, bed: Bed, folder: Path, settings: Settings) -> FidelityEnsemble:
    """Return the network that a job trained."""
    count = _count(job, bed)
    candidate = job.candidate
    noise = None if candidate.deterministic else NoiseNetwork(count, NoiseSizes(seed=job.seed))
    network = FidelityEnsemble(count, settings.ensemble(candidate, job.seed), noise)
    network.load_state_dict(torch.load(folder / job.name / "network.pt", weights_only=True))
    return network.eval()


def _train_and_score(
    job: Job,
    on_progress: OnProgress,
    bed: Bed,
    tables: Tables,
    folder: Path,
    settings: Settings,
    checkpoint: Path,
) -> None:
    candidate = job.candidate
    how = shown(job, bed, tables)
    correction = candidate.learned == "correction"
    high = how.samples(tables.high, correction=correction)
    low = how.samples(tables.low, correction=False)
    learned = {"low": low, "pooled": pooled(low, high) if candidate.learned == "pooled" else high}
    only = learned.get(candidate.learned, high)
    both = candidate.learned == "both"
    network, history = fit_ensemble(
        settings.ensemble(candidate, job.seed),
        _count(job, bed),
        settings.training(
            deterministic=candidate.deterministic,
            n_sample=max(len(low), len(high)) if both else len(only),
            n_low=len(low),
            seed=job.seed,
        ),
        high=only,
        low=low if both else None,
        checkpoint=Checkpoint(checkpoint, {"job": job.name}),
        on_progress=lambda fraction: on_progress(_TRAINING_SHARE * fraction),
    )
    torch.save(network.state_dict(), folder / "network.pt")
    found = {}
    for i, (climate, table) in enumerate(tables.tests.items()):
        found[climate] = _score(bed, tables, how, network, table, correction=correction)
        left = (1.0 - _TRAINING_SHARE) * (i + 1) / len(tables.tests)
        on_progress(_TRAINING_SHARE + left)
    record = _record(bed, found) | {
        "seconds": history.seconds,
        "n_parameter": sum(p.numel() for p in network.parameters() if p.requires_grad),
    }
    arrays = {
        f"{climate}/{name}": getattr(scores, name)
        for climate, scores in found.items()
        for name in (*BY_LEVEL, "ranks")
    }
    with atomic.replacing(folder / "levels.npz") as stream:
        np.savez(stream, **arrays)
    atomic.write_text(folder / "scores.json", json.dumps(record, indent=1) + "\n")
    checkpoint.unlink(missing_ok=True)


def _count(job: Job, bed: Bed) -> FeatureCount:
    n_output = sum(field.size for field in bed.spec.outputs)
    return FeatureCount(bed.inputs[job.candidate.inputs].n_feature, n_output)


def _score(
    bed: Bed,
    tables: Tables,
    how: Shown,
    network: FidelityEnsemble,
    table: Table,
    *,
    correction: bool,
) -> Scores:
    factor = np.empty(table.outputs.shape[1])
    for name, part in bed.parts.items():
        factor[part] = bed.units[name][1]
    outputs = bed.outputs(factor * tables.high.outputs.std(axis=0))
    scorer = EnsembleScorer(outputs, network.n_member, noise=network.has_noise)
    network.eval()
    for start in range(0, len(table), _BLOCK):
        rows = slice(start, start + _BLOCK)
        features = how.features(table.inputs[rows])
        with torch.no_grad():
            members = network.members(features).double().numpy()
            noise = network.deviation(features).double().numpy() if network.has_noise else None
        code = table.code[rows] if correction and table.code is not None else None
        scorer.add(
            table.outputs[rows] * factor,
            how.physical(members, code) * factor,
            None if noise is None else noise * how.outputs.spread * factor,
        )
    return scorer.scores()


def _record(bed: Bed, found: Mapping[str, Scores]) -> dict[str, Any]:
    names = list(bed.parts)
    spread = {climate: scores.column_epistemic for climate, scores in found.items()}
    present = spread["present"].mean(axis=0)
    varied = bool(present.max() > 0.0)
    return {
        "pooled": {
            climate: {name: scores.pooled(name) for name in names}
            for climate, scores in found.items()
        },
        "excluded": {
            climate: {name: list(scores.excluded[name]) for name in names}
            for climate, scores in found.items()
        },
        "auroc": {
            climate: detection_auroc(present, values.mean(axis=0))
            for climate, values in spread.items()
            if climate != "present" and varied
        },
    }
