"""The runs of moist convection: which there are, and what comes before them."""

from pathlib import Path

from closures.convection import ConvectionEmulator
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.columns import kept_columns
from hybrid.experiments.plasim.convection.offline import ConvectionScores, score_convection
from hybrid.experiments.plasim.convection.training import restored, train_convection
from hybrid.experiments.plasim.jobs import GUARDED, SHADOW, Job
from hybrid.experiments.plasim.learning import provenance_of, stored, training_of
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE, Run
from hybrid.experiments.plasim.running import RESTART, run_model
from hybrid.experiments.plasim.schemes import split_in_time
from hybrid.experiments.plasim.settings import N_SEASON, TEST_PART, Settings
from hybrid.experiments.result import Request
from hybrid.threads import one_thread

CONVECTION = "convection"

LEARNED = f"{CLOSURE}_{CONVECTION}"
"""The run with the closure."""

N_NATIVE = 2
"""Native runs beside it, which go on from the same state."""


def native_name(member: int) -> str:
    """Return the name of a native run."""
    return f"{CONVECTION}_{NATIVE}_{member}"


def short_name(kind: str) -> str:
    """Return the name of a short run, ``shadow`` or ``guarded``."""
    return f"{CONVECTION}_{kind}"


def record(host: Host, settings: Settings, spin_up: Path, folder: Path, request: Request) -> Path:
    """Return the folder of the run that records columns, which goes on from the common restart.

    Parameters
    ----------
    host
        The build with the hook of convection.
    settings
        Sizes.
    spin_up
        Folder of the run up to the common restart.
    folder
        Where runs that are kept for all experiments are.
    request
        The run.
    """
    run = Run(settings.n_convection, {CONVECTION: dump_of(settings)}, spin_up / RESTART)
    name = f"{CONVECTION}-{settings.n_convection}-{settings.stride}-{request.seed}-{host.key}"
    return run_model(host, run, folder / name, request.task("plasim: columns of convection"))


def dump_of(settings: Settings) -> dict[str, str | int | bool]:
    """Return what the hook is told to record columns, and what all schemes make of them."""
    return {
        "mode": "dump",
        "interval": settings.interval,
        "stride": settings.stride,
        "varied": True,
    }


def trained_convection(
    recorded: Path, settings: Settings, checkpoint: Checkpoint, request: Request
) -> tuple[ConvectionEmulator, ConvectionScores]:
    """Return the emulator and its scores on columns of days that were left out of the training.

    Parameters
    ----------
    recorded
        Folder of `record`.
    settings
        Sizes.
    checkpoint
        Where a finished one is kept.
    request
        The run.
    """
    on_progress = request.task("plasim: training, convection")
    columns = kept_columns(recorded, CONVECTION, settings.stride)
    earlier, later = split_in_time(columns, TEST_PART, N_SEASON)
    widths = settings.convection_widths
    training = training_of(settings.n_epoch, request.seed)
    provenance = provenance_of(settings.n_spin_up, settings.n_spin_up + settings.n_convection)

    def make() -> dict[str, object]:
        with one_thread():
            return stored(train_convection(earlier, widths, training, provenance, on_progress))

    emulator = restored(checkpoint.weights(CONVECTION, make), widths)
    on_progress(1.0)
    return emulator, score_convection(emulator, later)


def convection_jobs(settings: Settings, restart: Path, archive: Path) -> list[Job]:
    """Return the native runs, that with the closure, and short ones in the shadow and guarded.

    Parameters
    ----------
    settings
        Sizes.
    restart
        Where they go on from: the end of the run that recorded columns.
    archive
        The closure.
    """
    learned = {"mode": "closure", "archive": str(archive)}
    kinds = {SHADOW: {**learned, "mode": "shadow"}, GUARDED: {**learned, "policy": "host"}}
    return [
        *(
            Job(native_name(i), Run(settings.n_convection, {}, restart, member=i))
            for i in range(N_NATIVE)
        ),
        Job(LEARNED, Run(settings.n_convection, {CONVECTION: learned}, restart), True),
        *(
            Job(short_name(kind), Run(settings.n_timing, {CONVECTION: each}, restart), True)
            for kind, each in kinds.items()
        ),
    ]
