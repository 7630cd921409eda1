"""Multi-fidelity closures on every test bed: trained, and scored in climates never seen."""

from dataclasses import dataclass, field
from pathlib import Path

from hybrid.experiments.multifidelity.beds import Opened, Sizes, open_bed
from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.figures import all_figures
from hybrid.experiments.multifidelity.hosted import compiled, hosted
from hybrid.experiments.multifidelity.leads import lead_metrics, lead_table
from hybrid.experiments.multifidelity.online import online_findings
from hybrid.experiments.multifidelity.settings import PRESETS, Plan, Settings
from hybrid.experiments.multifidelity.spread_maps import spread_maps
from hybrid.experiments.multifidelity.stated import Stated, bed_settings
from hybrid.experiments.multifidelity.tables import flat_metrics, labels, score_tables
from hybrid.experiments.multifidelity.trainings import TRAININGS, jobs_of, trained_findings
from hybrid.experiments.result import ExperimentResult, Figure, Request, Table
from solvers.column_physics import generated_grid


@dataclass
class _Found:
    """What the beds have given so far."""

    beds: list[str] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    settings: Stated = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    headlines: list[str] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)


def run(request: Request) -> ExperimentResult:
    """Train and score the candidates of a preset on its test beds.

    The bed of real columns needs ClimSim's files: the data folder of the request, else that of the
    environment variable ``HYBRID_CLIMSIM_DATA``. Without them it is left out, and the headline
    says so.
    """
    plan = PRESETS[request.preset]
    found = _Found()
    for sizes, settings in plan.beds:
        opened = open_bed(sizes, request)
        if opened is None:
            found.headlines.append("ClimSim's columns: left out, as no data folder was given")
        else:
            _add(found, request, plan, (sizes, settings), opened)
    return ExperimentResult(
        name="multifidelity",
        headline="; ".join(found.headlines),
        metrics=found.metrics,
        settings={"n_seed": plan.n_seed, "beds": ", ".join(found.beds), **found.settings},
        choices=found.choices,
        tables=tuple(found.tables),
        figures=tuple(found.figures),
        archives=tuple(found.archives),
        generated_data=True,
    )


def _add(
    found: _Found,
    request: Request,
    plan: Plan,
    how: tuple[Sizes, Settings],
    opened: Opened,
) -> None:
    bed = opened.bed
    sizes, settings = how
    jobs = jobs_of(bed.name, plan.candidates, plan.n_seed, request.seed)
    findings = trained_findings(request, settings, opened, jobs)
    best = findings.best()
    online = plan.online if bed.name == "lorenz96" else None
    found.beds.append(bed.name)
    found.settings |= bed_settings(opened, sizes, settings, jobs, online)
    found.metrics |= flat_metrics(findings)
    found.choices |= labels(findings) | {f"best_{bed.name}": best}
    for climate in findings.climates:
        found.tables += score_tables(findings, climate)
    if plan.n_seed > 1:
        for climate in bed.shifted:
            found.tables.append(lead_table(findings, climate))
            found.metrics |= lead_metrics(findings, climate)
    found.figures += all_figures(findings)
    where = "in the climates never seen" if len(bed.shifted) > 1 else "in the climate never seen"
    found.headlines.append(f"{bed.title}: {by_name(best).label} has the least CRPS {where}")
    if bed.name == "columns":
        recommended = [job for job in jobs if job.candidate is jobs[0].candidate]
        found.figures.append(
            spread_maps(opened, recommended, request.out / TRAININGS, settings, generated_grid())
        )
        archive = request.out / "multifidelity_columns.pt"
        first = jobs[0]
        threshold = compiled(first, opened, request.out / TRAININGS, settings, archive)
        metrics, table = hosted(archive, opened, request.task(f"{bed.title}: in a host"))
        found.metrics |= metrics | {"spread_threshold": threshold}
        found.tables.append(table)
        found.archives.append(archive)
    if online is not None:
        folder = request.out / TRAININGS
        task = request.task(f"{bed.title}: coupled runs")
        metrics, table = online_findings(opened, jobs, folder, settings, online, task)
        found.metrics |= metrics
        found.tables.append(table)
