"""Coupled runs of Lorenz-96 with every trained candidate."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid.experiments.multifidelity.bed import Tables
from hybrid.experiments.multifidelity.beds import Opened
from hybrid.experiments.multifidelity.job import Job, restored, shown
from hybrid.experiments.multifidelity.lorenz96 import code
from hybrid.experiments.multifidelity.lorenz96_online import (
    Climate,
    OnlineSizes,
    online_scores,
    reference_scores,
)
from hybrid.experiments.multifidelity.settings import Settings
from hybrid.experiments.result import Table

Array = NDArray[np.float64]

_REFERENCES = {"floor": "truth against truth", "none": "no closure", "code": "LF code alone"}


def online_findings(
    opened: Opened,
    jobs: Sequence[Job],
    folder: Path,
    settings: Settings,
    sizes: OnlineSizes,
    on_progress: Callable[[float], None],
) -> tuple[dict[str, float], Table]:
    """Run the coarse model with each training at the forcings that none has seen.

    Parameters
    ----------
    opened
        The test bed.
    jobs
        The trainings, which are done.
    folder
        Where they are.
    settings
        How they were trained.
    sizes
        How long the runs are.
    on_progress
        Called with the fraction done.

    Returns
    -------
    metrics, table
        Hellinger distances of the distributions of X, means over seeds.
    """
    tables = Tables.read(opened.data)
    forcings = [int(name[1:]) for name in opened.bed.shifted]
    climates = {forcing: Climate.of(forcing, sizes) for forcing in forcings}
    rows: dict[str, list[list[float]]] = {}
    metrics: dict[str, float] = {}
    references = {f: reference_scores(climate, sizes) for f, climate in climates.items()}
    for name, label in _REFERENCES.items():
        rows[label] = [[references[f][name]["hellinger"] for f in forcings]]
        for forcing, value in zip(forcings, rows[label][0], strict=True):
            metrics[f"lorenz96_hellinger_f{forcing}_reference_{name}"] = value
    for i, job in enumerate(jobs):
        predict = _predictor(job, opened, tables, folder, settings)
        distances = [
            online_scores(predict, climates[f], sizes, job.seed)["hellinger"] for f in forcings
        ]
        rows.setdefault(job.candidate.label, []).append(distances)
        on_progress((i + 1) / len(jobs))
    for job in jobs:
        mean = np.mean(rows[job.candidate.label], axis=0)
        for forcing, value in zip(forcings, mean, strict=True):
            metrics[f"lorenz96_hellinger_f{forcing}_{job.candidate.name}"] = float(value)
    return metrics, Table(
        title=f"Coupled runs: {opened.bed.title}",
        columns=tuple(f"{text}F = {f}" for f in forcings for text in ("", "s.d. of seeds, ")),
        rows={label: _row(np.array(values)) for label, values in rows.items()},
        note=(
            "Hellinger distance [1] of the distribution of X from the truth's; means over seeds, "
            "with the closures' own noise."
        ),
    )


def _row(values: Array) -> tuple[float | None, ...]:
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else [None] * values.shape[1]
    pairs = zip(values.mean(axis=0), spread, strict=True)
    return tuple(entry for mean, deviation in pairs for entry in (float(mean), deviation))


def _predictor(
    job: Job, opened: Opened, tables: Tables, folder: Path, settings: Settings
) -> Callable[[Array], tuple[Array, Array | None]]:
    how = shown(job, opened.bed, tables)
    network = restored(job, opened.bed, folder, settings)
    is_correction = job.candidate.learned == "correction"

    def predict(inputs: Array) -> tuple[Array, Array | None]:
        features = how.features(inputs)
        with torch.inference_mode():
            mean = network(features).double().numpy()
            noise = network.deviation(features).double().numpy() if network.has_noise else None
        tendency = how.physical(mean, code(inputs) if is_correction else None)[:, 0]
        return tendency, None if noise is None else noise[:, 0] * how.outputs.spread[0]

    return predict
