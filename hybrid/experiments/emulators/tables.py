"""Scores of emulators as tables for people and as flat metrics for programs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from closures.climsim.recipes import recipe
from hybrid.experiments.emulators.plan import Entry
from hybrid.experiments.emulators.scoring import HOURLY, LABELS, MEAN, Scored
from hybrid.experiments.emulators.trainings import Trained
from hybrid.experiments.result import Table

SCORES = ("mae", "rmse", "bias", "r2_pooled", "crps")
"""Scores among the metrics."""

R2_LABELS = ("dT", "dq", "PRECC")
CRPS_LABELS = ("dT", "dq", "NETSW", "PRECC")

_Key = TypeVar("_Key")
_VARIABLES = (
    "dT, dq: heating and moistening, means over levels; NETSW: net sunlight at the surface; FLWDS: "
    "longwave downwards; PRECSC, PRECC: snow and precipitation. W m-2, weighted by area."
)
_SPLITS = {
    "interleaved": "Tested on every fourth time step of each month, trained on steps at least 12 h "
    "away from those.",
    "season": "Trained on January to August, tested on October and November.",
}


def by_entry(trained: Sequence[Trained]) -> dict[Entry, list[Trained]]:
    """Return the trainings of each entry, one a seed."""
    return _grouped(trained, lambda each: each.job.entry)


def _grouped(
    trained: Sequence[Trained], key: Callable[[Trained], _Key]
) -> dict[_Key, list[Trained]]:
    found: dict[_Key, list[Trained]] = {}
    for each in trained:
        found.setdefault(key(each), []).append(each)
    return found


def score_columns(
    score: Callable[[str, str], float],
) -> tuple[float, ...]:
    """Return MAE of all variables, then pooled R2 of some.

    Parameters
    ----------
    score
        Maps the name of a score and a variable to its value.
    """
    return (
        *(score("mae", label) for label in LABELS),
        *(score("r2_pooled", label) for label in R2_LABELS),
    )


COLUMNS = (*LABELS, *(f"R2 {label}" for label in R2_LABELS))
"""Columns of `score_columns`."""


def score_table(split: str, trained: Sequence[Trained], scored: Scored, data: str) -> Table:
    """Return errors of all emulators on the test steps of a split, means over seeds."""
    rows: dict[str, tuple[float | None, ...]] = {
        kind: score_columns(partial(scored.climatology, kind)) for kind in (MEAN, HOURLY)
    }
    for entry, each in by_entry(trained).items():
        rows[_label(entry, each, scored)] = mean_scores(each, scored)
    return Table(
        title=f"MAE [W m-2] and pooled R2 [1] on split {split} ({data})",
        columns=COLUMNS,
        rows=rows,
        note=f"{_SPLITS[split]} {_VARIABLES} In brackets the variable set. Where several seeds "
        "were trained, means over them.",
    )


def mean_scores(trained: Sequence[Trained], scored: Scored) -> tuple[float, ...]:
    """Return `score_columns`, each the mean over trainings."""
    return tuple(float(value) for value in _by_seed(trained, scored).mean(axis=0))


def _by_seed(trained: Sequence[Trained], scored: Scored) -> NDArray[np.float64]:
    """Return `score_columns` of each training, a row each."""
    return np.array([score_columns(partial(scored.score, each.job.name)) for each in trained])


def seed_table(split: str, trained: Sequence[Trained], scored: Scored) -> Table:
    """Return the range over seeds of the emulators that have several."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for entry, each in by_entry(trained).items():
        if len(each) == 1:
            continue
        found = _by_seed(each, scored)
        rows[f"{entry.label}: least"] = tuple(float(value) for value in found.min(axis=0))
        rows[f"{entry.label}: most"] = tuple(float(value) for value in found.max(axis=0))
    return Table(f"Least and most over seeds, split {split}", COLUMNS, rows)


def bias_table(split: str, trained: Sequence[Trained], scored: Scored) -> Table:
    """Return mean errors of all emulators on the test steps of a split."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for entry, each in by_entry(trained).items():
        name = each[0].job.name
        rows[entry.label] = tuple(scored.score(name, "bias", label) for label in LABELS)
    return Table(
        f"Bias [W m-2], split {split}",
        LABELS,
        rows,
        "Prediction minus truth, first seed. A network that minimises absolute errors predicts "
        "medians, which lie below the mean where a quantity is mostly near zero.",
    )


def crps_table(split: str, trained: Sequence[Trained], scored: Scored) -> Table | None:
    """Return CRPS of the emulators that make several predictions; None if there are none."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for entry, each in by_entry(trained).items():
        name = each[0].job.name
        if scored.n_member(name) > 1:
            crps = [scored.score(name, "crps", label) for label in CRPS_LABELS]
            mae = [scored.score(name, "mae", label) for label in CRPS_LABELS]
            rows[entry.label] = (*crps, *(c / m for c, m in zip(crps, mae, strict=True)))
    if not rows:
        return None
    return Table(
        f"Fair CRPS [W m-2] of ensembles and its ratio to the MAE of their mean, split {split}",
        (*CRPS_LABELS, *(f"ratio {label}" for label in CRPS_LABELS)),
        rows,
        "A single prediction has ratio 1; 0.71 is that of a normal distribution whose spread is "
        "right everywhere.",
    )


def size_table(trained: Sequence[Trained], scored: Scored) -> Table:
    """Return what each emulator and its training cost."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for entry, each in by_entry(trained).items():
        first = each[0]
        rows[_label(entry, each, scored)] = (
            first.n_parameter,
            first.archive.stat().st_size / 1024,
            max(one.seconds for one in each) / 60,
            first.n_train,
        )
    return Table(
        "Size and training",
        ("parameters", "archive [KiB]", "training [min]", "columns"),
        rows,
        "One thread; several trainings ran at once.",
    )


def ablation_table(split: str, trained: Sequence[Trained], scored: Scored) -> Table:
    """Return errors on validation steps of the recipe and of what differs from it in one thing."""
    rows: dict[str, tuple[float | None, ...]] = {
        entry.label: mean_scores(each, scored) for entry, each in by_entry(trained).items()
    }
    return Table(
        f"What earns it: MLP on validation steps, split {split}",
        COLUMNS,
        rows,
        "Each line but the first differs from the recipe in one thing. Choices were made by "
        f"scores such as these, on validation steps alone. {_VARIABLES}",
    )


def flat_metrics(
    split: str, trained: Sequence[Trained], scored: Scored, prefix: str = ""
) -> dict[str, float]:
    """Return ``mae_dT_NAME_SPLIT`` and so on, means over seeds, and those of climatology.

    Parameters
    ----------
    split
        Name of the split.
    trained
        Trainings; those with another share of the steps count as other names.
    scored
        Their scores.
    prefix
        Stands before each name.
    """
    metrics: dict[str, float] = {}
    for each in _grouped(trained, plain_name).values():
        name = prefix + plain_name(each[0])
        for score in SCORES:
            for label in LABELS:
                values = [scored.score(one.job.name, score, label) for one in each]
                metrics[f"{score}_{label}_{name}_{split}"] = float(np.mean(values))
        metrics[f"parameters_{name}_{split}"] = float(each[0].n_parameter)
        metrics[f"archive_bytes_{name}_{split}"] = float(each[0].archive.stat().st_size)
        metrics[f"training_seconds_{name}_{split}"] = max(one.seconds for one in each)
        metrics[f"n_seed_{name}_{split}"] = float(len(each))
        metrics[f"n_train_{name}_{split}"] = float(each[0].n_train)
    for key, kind in (("climatology", MEAN), ("climatology_hourly", HOURLY)):
        for label in LABELS:
            for score in ("mae", "r2_pooled"):
                metrics[f"{score}_{label}_{prefix}{key}_{split}"] = scored.climatology(
                    kind, score, label
                )
    return metrics


def plain_name(trained: Trained) -> str:
    """Return the name of an archive without its seed."""
    return trained.job.name.rsplit("_seed", 1)[0]


def descriptions(trained: Sequence[Trained], scored: Scored, prefix: str = "") -> dict[str, str]:
    """Return label, model, preset and variable set of each name in the metrics."""
    found: dict[str, str] = {}
    for each in trained:
        name, entry = prefix + plain_name(each), each.job.entry
        chosen = recipe(entry.model, entry.settings)
        found |= {
            f"label_{name}": entry.label,
            f"model_{name}": entry.model,
            f"preset_{name}": chosen.preset,
            f"variables_{name}": scored.sets[each.job.name],
        }
    return found


def best(trained: Sequence[Trained], scored: Scored, label: str) -> str:
    """Return the label of the entry with the lowest mean absolute error of a variable."""
    grouped: Mapping[Entry, list[Trained]] = by_entry(trained)
    return min(
        grouped,
        key=lambda entry: np.mean(
            [scored.score(each.job.name, "mae", label) for each in grouped[entry]]
        ),
    ).label


def _label(entry: Entry, trained: Sequence[Trained], scored: Scored) -> str:
    return f"{entry.label} ({scored.sets[trained[0].job.name]})"
