"""Every emulator on both splits of ClimSim's files: trained, compiled, scored, compared."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from closures.climsim.splits import SplitName
from hybrid.climsim_scores.scoring import Part
from hybrid.experiments.climsim.settings import find_data
from hybrid.experiments.emulators.figures import learning_figure, split_figures
from hybrid.experiments.emulators.plan import Plan, plan
from hybrid.experiments.emulators.scoring import LABELS, Scored, score_all
from hybrid.experiments.emulators.tables import (
    ablation_table,
    best,
    bias_table,
    crps_table,
    descriptions,
    flat_metrics,
    score_table,
    seed_table,
    size_table,
)
from hybrid.experiments.emulators.trainings import Job, Trained, train_all
from hybrid.experiments.result import ExperimentResult, Figure, Request, Table


def run(request: Request) -> ExperimentResult:
    """Train and score the emulators of a preset.

    Data are the folder of the request, else that of the environment variable
    ``HYBRID_CLIMSIM_DATA``, else a generated sample; the headline says which. Trainings that are
    done, in the folder of the request, are not done again; settings that changed are refused.

    Raises
    ------
    closures.climsim.files.DataError
        If the data folder holds no ClimSim files.
    """
    return _Run(request).result()


class _Run:
    """One run under way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.plan: Plan = plan(request.preset)
        self.data = find_data(request, "emulators")
        self.n_process = 1 if request.preset == "test" else os.cpu_count() or 1

    def result(self) -> ExperimentResult:
        metrics: dict[str, float] = {}
        tables: list[Table] = []
        figures: list[Figure] = []
        archives: list[Path] = []
        choices: dict[str, str] = {"data": self.data.label}
        headline = ""
        everything = {split: self._trained(self._jobs(split), split) for split in self.plan.splits}
        for split, trained in everything.items():
            scored = self._scored(trained, split, "test")
            tables += self._tables(split, trained, scored)
            figures += split_figures(split, trained, scored)
            metrics |= flat_metrics(split, trained, scored)
            archives += [each.archive for each in trained]
            choices |= descriptions(trained, scored)
            choices |= {f"best_{x}_{split}": best(trained, scored, x) for x in LABELS}
            name = choices[f"best_dT_{split}"]
            headline += f"; split {split}: {name} is best in dT"
        for split in self.plan.study_splits:
            studies = self._studies(split)
            tables += studies.tables
            figures += studies.figures
            metrics |= studies.metrics
            choices |= studies.choices
        return ExperimentResult(
            name="emulators",
            headline=self._origin() + headline,
            metrics=metrics,
            settings={
                "data": self.data.label,
                "n_pair": len(self.data.pairs),
                "n_column": self.data.grid.n_column,
                "seed": self.request.seed,
            },
            choices=choices,
            tables=tuple(tables),
            figures=tuple(figures),
            archives=tuple(archives),
            generated_data=self.data.generated,
        )

    def _origin(self) -> str:
        if self.data.generated:
            return (
                "Generated sample, not ClimSim data: no data folder was given, so these scores "
                "say nothing about climate models"
            )
        return f"ClimSim low-resolution files, {len(self.data.pairs)} time steps"

    def _jobs(self, split: SplitName) -> list[Job]:
        seed = self.request.seed
        return [
            Job(entry, split, final=True, seed=seed + i)
            for entry in self.plan.emulators
            for i in range(entry.n_seed)
        ]

    def _trained(self, jobs: Sequence[Job], split: SplitName) -> list[Trained]:
        return train_all(
            jobs,
            self.data.folder,
            self.request.out,
            self.n_process,
            self.request.task(f"emulators: {len(jobs)} trainings, split {split}"),
        )

    def _scored(self, trained: Sequence[Trained], split: SplitName, part: Part) -> Scored:
        return score_all(trained, self.data.folder, split, part, self.request.task)

    def _tables(self, split: SplitName, trained: list[Trained], scored: Scored) -> list[Table]:
        found = [
            score_table(split, trained, scored, self.data.label),
            size_table(trained, scored),
            bias_table(split, trained, scored),
        ]
        seeds, crps = seed_table(split, trained, scored), crps_table(split, trained, scored)
        if seeds.rows:
            found.append(seeds)
        return found if crps is None else [*found, crps]

    def _studies(self, split: SplitName) -> "_Studies":
        found, seed = _Studies(), self.request.seed
        if self.plan.ablation:
            jobs = [Job(entry, split, final=False, seed=seed) for entry in self.plan.ablation]
            trained = self._trained(jobs, split)
            scored = self._scored(trained, split, "validation")
            found.tables.append(ablation_table(split, trained, scored))
            found.metrics |= flat_metrics(split, trained, scored, "ablation_")
            found.choices |= descriptions(trained, scored, "ablation_")
        if self.plan.learning:
            jobs = [
                Job(entry, split, final=False, seed=seed, share=share)
                for entry in self.plan.learning
                for share in self.plan.shares
            ]
            trained = self._trained(jobs, split)
            scored = self._scored(trained, split, "validation")
            found.figures.append(learning_figure(split, trained, scored, ("dT", "dq", "PRECC")))
            found.metrics |= flat_metrics(split, trained, scored, "learning_")
        return found


@dataclass
class _Studies:
    """What the ablation and the learning curve of a split found."""

    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
