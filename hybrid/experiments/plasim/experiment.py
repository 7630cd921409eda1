"""Download, build, record, train, run with closures, score: every stage can be gone on from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import xarray as xr

import hybrid
from closures.radiation import FluxEmulator
from closures.training import Training
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.plasim.building import Host, ensure_host
from hybrid.experiments.plasim.columns import read_columns
from hybrid.experiments.plasim.figures import cross_section, zonal_means
from hybrid.experiments.plasim.findings import Findings, collect
from hybrid.experiments.plasim.jobs import Work, all_jobs
from hybrid.experiments.plasim.offline import Offline, flat, score_offline
from hybrid.experiments.plasim.running import RESTART, Run, run_model
from hybrid.experiments.plasim.settings import PRESETS, TEST_PART, Settings
from hybrid.experiments.plasim.source import VERSION, plasim_folder
from hybrid.experiments.plasim.tables import climate_table, cost_table, offline_table
from hybrid.experiments.plasim.training import (
    SCHEMES,
    restored,
    split_in_time,
    stored,
    train_emulator,
)
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.threads import one_thread

STEPS_A_DAY = 48


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
    folder = plasim_folder()
    host = ensure_host(folder, request.task("plasim: downloading and compiling"))
    spin_up = _spin_up(host, settings, folder, request)
    n_stage = len(settings.schemes)
    depends_on = {"experiment": "plasim", "settings": asdict(settings), "host": host.key}
    checkpoint = Checkpoint.open(request, depends_on, n_stage)
    trained = {
        name: _trained(name, spin_up, settings, checkpoint, request) for name in settings.schemes
    }
    archives = {name: _exported(each.emulator, request.out) for name, each in trained.items()}
    work = Work(host, request.out / "runs")
    jobs = all_jobs(settings, spin_up / RESTART, archives)
    run_jobs(request, work, jobs, "plasim: runs of the model")
    findings = collect(work, settings)
    offline = {name: each.scores for name, each in trained.items()}
    return ExperimentResult(
        name="plasim",
        headline=_headline(settings, findings),
        metrics={**findings.metrics(), **flat(offline)},
        settings=_settings(settings, host, request),
        choices={"host": f"ExoPlaSim {VERSION}", **findings.endings},
        tables=(
            climate_table(findings, settings),
            cost_table(findings, settings),
            offline_table(offline),
        ),
        figures=(
            (zonal_means(findings, settings), cross_section(findings, settings))
            if findings.closure
            else ()
        ),
        archives=tuple(archives.values()),
    )


def _spin_up(host: Host, settings: Settings, folder: Path, request: Request) -> Path:
    """Return the folder of the run from a cold start, which records columns on its way."""
    dump = {"mode": "dump", "interval": settings.interval, "stride": settings.stride}
    schemes = dict.fromkeys(SCHEMES, dump)
    # A seed of 0 would mean the time of day.
    run = Run(settings.n_spin_up, schemes, seed=request.seed + 1)
    name = f"spin-up-{settings.n_spin_up}-{settings.stride}-{request.seed}-{host.key}"
    return run_model(host, run, folder / name, request.task("plasim: spin-up"))


@dataclass(frozen=True)
class Trained:
    """An emulator, and how it does on later columns."""

    emulator: FluxEmulator
    scores: Offline


def _trained(
    name: str, spin_up: Path, settings: Settings, checkpoint: Checkpoint, request: Request
) -> Trained:
    on_progress = request.task(f"plasim: training, {name}")
    earlier, later = split_in_time(_columns(name, spin_up, settings), TEST_PART)
    training = Training(
        settings.n_epoch, batch_size=512, learning_rate=3e-3, weight_decay=1e-4, seed=request.seed
    )
    provenance = {
        "host": f"ExoPlaSim {VERSION}, T21, 10 levels",
        "days": f"{settings.n_left_out} to {settings.n_spin_up} after a cold start, the last "
        f"{TEST_PART:.0%} left out",
    }

    def make() -> dict[str, object]:
        with one_thread():
            return stored(
                train_emulator(earlier, name, settings.widths, training, provenance, on_progress)
            )

    emulator = restored(checkpoint.weights(name, make), name, settings.widths)
    on_progress(1.0)
    return Trained(emulator, score_offline(emulator, later, name))


def _columns(name: str, spin_up: Path, settings: Settings) -> xr.Dataset:
    columns = read_columns(spin_up, name, settings.stride)
    late = columns["step"].to_numpy() >= settings.n_left_out * STEPS_A_DAY
    return columns.isel(column=late)


def _exported(emulator: FluxEmulator, out: Path) -> Path:
    """Write the archive; a closure gives the same bytes each time, so finished runs are kept."""
    path = out / f"{emulator.spec.name}.pt"
    hybrid.export(emulator, path)
    return path


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
    plain = {
        key: value if isinstance(value, int | float | str) else "-".join(map(str, value))
        for key, value in asdict(settings).items()
    }
    return {**plain, "host_build": host.key, "seed": request.seed}
