"""Download, build, record, train, run with closures, score: every stage can be gone on from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.plasim.building import Host, ensure_host
from hybrid.experiments.plasim.collection import collect
from hybrid.experiments.plasim.convection.figures import convection_figure
from hybrid.experiments.plasim.convection.findings import ConvectionFindings, convection_table
from hybrid.experiments.plasim.convection.study import ConvectionStudy
from hybrid.experiments.plasim.drift import drift_figure
from hybrid.experiments.plasim.emulators import LINEAR, Trained, exported, names, trained
from hybrid.experiments.plasim.fidelities.study import FidelityResult, FidelityStudy
from hybrid.experiments.plasim.figures import cross_sections, maps, rain, zonal_means
from hybrid.experiments.plasim.findings import Findings
from hybrid.experiments.plasim.first_days import first_days_table
from hybrid.experiments.plasim.jobs import Work, all_jobs
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.offline import flat
from hybrid.experiments.plasim.running import RESTART, run_model
from hybrid.experiments.plasim.schemes import SCHEMES
from hybrid.experiments.plasim.settings import PRESETS, Settings
from hybrid.experiments.plasim.shadow import shadow_table
from hybrid.experiments.plasim.source import VERSION, plasim_folder
from hybrid.experiments.plasim.tables import (
    climate_table,
    cost_table,
    offline_table,
    rank_table,
    response_table,
    zonal_table,
)
from hybrid.experiments.plasim.timed import timed_jobs
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import ExperimentResult, Figure, Request


@dataclass(frozen=True)
class _Made:
    """What the stages before the scores have made."""

    host: Host
    trained: Mapping[str, Mapping[str, Trained]]
    archives: Mapping[str, Mapping[str, Path]]
    work: Work
    convection: tuple[Path, ConvectionFindings] | None
    fidelities: Sequence[FidelityResult]


def run(request: Request) -> ExperimentResult:
    """Run PlaSim with learned radiation and compare its climate with its own.

    Source, builds and the run from a cold start to the common restart are kept in the cache folder
    and not made again.

    Raises
    ------
    SourceError, HostBuildError, HostRunError
        If the model cannot be had, compiled or run.
    """
    settings = PRESETS[request.preset]
    made = _until(request, settings, "couple")
    assert made is not None
    findings = collect(made.work, settings, made.archives["0"])
    offline = {
        f"{scheme}{'_linear' if name == LINEAR else ''}": each.scores
        for scheme, of_scheme in made.trained.items()
        for name, each in of_scheme.items()
        if name in {"0", LINEAR}
    }
    convection = [made.convection] if made.convection else []
    return ExperimentResult(
        name="plasim",
        headline=_headline(settings, findings),
        metrics={
            **findings.metrics(),
            **flat(offline),
            **{name: value for _, each in convection for name, value in each.metrics().items()},
            **{name: value for each in made.fidelities for name, value in each.metrics.items()},
        },
        settings=_settings(settings, made.host, request),
        choices={
            "host": f"ExoPlaSim {VERSION}",
            **findings.endings,
            **(findings.responses.choices() if findings.responses else {}),
            **{name: text for _, each in convection for name, text in each.endings.items()},
            **{name: text for each in made.fidelities for name, text in each.choices.items()},
        },
        tables=(
            climate_table(findings, settings),
            zonal_table(findings),
            *([shadow_table(findings.shadow, settings.n_timing)] if findings.shadow else []),
            first_days_table(findings.first_days),
            cost_table(findings, settings),
            *([rank_table(findings.ranked)] if findings.ranked else []),
            *([response_table(findings.responses, settings)] if findings.responses else []),
            offline_table(offline),
            *(convection_table(each, settings) for _, each in convection),
            *(table for each in made.fidelities for table in each.tables),
        ),
        figures=(
            *_climate_figures(findings),
            *(convection_figure(each) for _, each in convection),
            *(figure for each in made.fidelities for figure in each.figures),
        ),
        archives=(
            *(path for each in made.archives.values() for path in each.values()),
            *(path for path, _ in convection),
        ),
    )


def run_until(request: Request, stage: str) -> None:
    """Do the stages up to one; what is finished stays, and a later call goes on from there.

    Parameters
    ----------
    request
        The run.
    stage
        ``dump``, ``train``, ``export`` or ``couple``.

    Raises
    ------
    SourceError, HostBuildError, HostRunError
        As of `run`.
    """
    _until(request, PRESETS[request.preset], stage)


def _until(request: Request, settings: Settings, last: str) -> _Made | None:
    folder = plasim_folder()
    hosts = {
        n_rank: ensure_host(folder, request.task(_building(n_rank)), n_rank)
        for n_rank in {1, *settings.ranks}
    }
    host = hosts[1]
    spin_up = _spin_up(host, settings, folder, request)
    study, fidelities = None, None
    if settings.n_convection:
        study = ConvectionStudy.begin(spin_up, folder, settings, request)
        if settings.fidelities:
            fidelities = FidelityStudy.begin(study, spin_up, folder, settings.fidelities)
    if last == "dump":
        return None
    depends_on = {"experiment": "plasim", "settings": asdict(settings), "host": host.key}
    n_stage = len(settings.schemes) * len(names(settings))
    if study:
        depends_on["convection_host"] = study.host.key
        n_stage += 1
    checkpoint = Checkpoint.open(request, depends_on, n_stage)
    emulators = trained(spin_up, settings, checkpoint, request)
    if last == "train":
        if study:
            study.run(checkpoint, last)
        if fidelities:
            fidelities.run()
        return None
    archives = exported(emulators, request.out)
    work = Work(hosts, request.out / "runs")
    if last == "couple":
        closures = [archives[name] for name in archives if name != LINEAR]
        restart = spin_up / RESTART
        jobs = all_jobs(settings, restart, closures)
        timed = timed_jobs(settings, restart, archives["0"], archives[LINEAR])
        single, parallel = ([job for job in jobs if (job.n_rank > 1) is on] for on in (False, True))
        run_jobs(request, work, single, "plasim: runs of the model")
        # Processes of one run wait for each other, and on busy cores for everything else.
        run_jobs(request, work, parallel, "plasim: runs of several processes", alone=True)
        run_jobs(request, work, timed, "plasim: runs that are timed", alone=True)
    convection = study.run(checkpoint, last) if study else None
    results = fidelities.run() if fidelities and last == "couple" else []
    return _Made(host, emulators, archives, work, convection, results)


def _building(n_rank: int) -> str:
    return "plasim: downloading and compiling" + (f", {n_rank} ranks" if n_rank > 1 else "")


def _spin_up(host: Host, settings: Settings, folder: Path, request: Request) -> Path:
    """Return the folder of the run from a cold start, which records columns on its way."""
    dump = {
        "mode": "dump",
        "interval": settings.interval,
        "stride": settings.stride,
        "varied": True,
    }
    schemes = dict.fromkeys(SCHEMES, dump)
    # A seed of 0 would mean the time of day.
    run = Run(settings.n_spin_up, schemes, seed=request.seed + 1)
    name = f"spin-up-{settings.n_spin_up}-{settings.stride}-{request.seed}-{host.key}"
    return run_model(host, run, folder / name, request.task("plasim: spin-up"))


def _climate_figures(findings: Findings) -> tuple[Figure, ...]:
    if not findings.closure:
        return ()
    return (
        *drift_figure(findings.drift),
        zonal_means(findings),
        *cross_sections(findings),
        *maps(findings),
        rain(findings),
    )


def _headline(settings: Settings, findings: Findings) -> str:
    schemes = " and ".join(settings.schemes)
    if not findings.closure:
        return f"PlaSim with learned {schemes} radiation: no run came to its end"
    of = findings.differences
    return (
        f"PlaSim (ExoPlaSim {VERSION}, T21) with learned {schemes} radiation, days "
        f"{settings.n_adjusting} to {settings.n_coupled}: surface {of['Ts'].difference:+.2f} K, "
        f"outgoing longwave {of['OLR'].difference:+.2f} W m-2 from the native model"
    )


def _settings(settings: Settings, host: Host, request: Request) -> Mapping[str, str | int | float]:
    return {**_flat(asdict(settings)), "host_build": host.key, "seed": request.seed}


def _flat(settings: Mapping[str, Any]) -> dict[str, str | int | float]:
    flat: dict[str, str | int | float] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}_{name}": each for name, each in _flat(value).items()}
        elif value is not None:
            is_plain = isinstance(value, int | float | str)
            flat[key] = value if is_plain else "-".join(map(str, value))
    return flat
