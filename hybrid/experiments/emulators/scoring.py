"""Scores of many archives on one split, whatever their variables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from closures.climsim.recipes import recipe
from closures.climsim.splits import SplitName
from closures.climsim.variables import variable_set
from hybrid.climsim_scores.scoring import HOURLY, MEAN, Part, ScoreRun, score_archives
from hybrid.climsim_scores.tables import GLOBE
from hybrid.experiments.emulators.trainings import Trained

LABELS = ("dT", "dq", "NETSW", "FLWDS", "PRECSC", "PRECC")
"""Variables of the tables: outputs that all variable sets have."""

N_SAMPLE = 32
"""Draws from emulators with random numbers, as in ClimSim's scores."""


@dataclass(frozen=True)
class Scored:
    """Scores of archives on the steps of one split.

    Parameters
    ----------
    runs
        One run of the scores a variable set, by its name.
    sets
        Variable set of each archive, by its name.
    """

    runs: Mapping[str, ScoreRun]
    sets: Mapping[str, str]

    def score(self, name: str, score: str, label: str) -> float:
        """Return one score of one archive over the globe, day and night."""
        return _value(self.runs[self.sets[name]].scores, name, score, label)

    def climatology(self, kind: str, score: str, label: str) -> float:
        """Return a score of the climatology `HOURLY` or `MEAN`."""
        return _value(next(iter(self.runs.values())).scores, kind, score, label)

    def n_member(self, name: str) -> int:
        """Return the number of predictions of an archive."""
        return int(self.runs[self.sets[name]].scores["members"].sel(model=name))


def score_all(
    trained: Sequence[Trained],
    data: Path,
    split: SplitName,
    part: Part,
    task: Callable[[str], Callable[[float], None]],
) -> Scored:
    """Score archives, those of the same variables in one pass.

    Parameters
    ----------
    trained
        Trainings.
    data
        Folder of ClimSim's files.
    split, part
        Which steps are scored.
    task
        Starts a stage under a name; returns what to call with the fraction done.
    """
    sets: dict[str, list[Trained]] = {}
    for each in trained:
        sets.setdefault(_variables(each), []).append(each)
    runs = {
        name: score_archives(
            [each.archive for each in chosen],
            data,
            split,
            N_SAMPLE,
            lambda stage, name=name: task(f"{split}, {name}: {stage}"),  # type: ignore[misc]
            part=part,
        )
        for name, chosen in sets.items()
    }
    return Scored(runs, {each.job.name: name for name, found in sets.items() for each in found})


def _variables(trained: Trained) -> str:
    return variable_set(recipe(trained.job.entry.model, trained.job.entry.settings).variables).name


def _value(scores: xr.Dataset, model: str, score: str, label: str) -> float:
    chosen = scores[score].sel(model=model, variable=label)
    return float(chosen.sel({k: v for k, v in GLOBE.items() if k in chosen.dims}))


__all__ = ["HOURLY", "LABELS", "MEAN", "Scored", "score_all"]
