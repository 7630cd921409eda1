"""The experiments: from truth to a scored run inside a model, one module each.

A module defines ``run(request: Request) -> ExperimentResult``. It is imported when it runs, so
that listing the experiments costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from hybrid.experiments.result import ExperimentResult, Preset, Request

__all__ = ["EXPERIMENTS", "Experiment", "UnknownExperimentError", "run_experiment", "run_until"]


class UnknownExperimentError(ValueError):
    """No experiment has this name."""


@dataclass(frozen=True)
class Experiment:
    """Entry of the registry.

    Parameters
    ----------
    module
        Where its ``run`` is.
    summary
        One line for people.
    durations
        How long each preset takes on 2 cores, said before it starts.
    in_demo
        Whether the demo runs it.
    stages
        Names of the parts after which it can be told to stop; its module has ``run_until``.
    """

    module: str
    summary: str
    durations: Mapping[str, str]
    in_demo: bool = True
    stages: tuple[str, ...] = ()


EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        "lorenz96": Experiment(
            "hybrid.experiments.lorenz96",
            "Two-scale Lorenz-96: stochastic closures inside a Fortran model",
            {"test": "15 seconds", "quick": "1 to 2 minutes", "full": "20 minutes (estimated)"},
        ),
        "climsim": Experiment(
            "hybrid.experiments.climsim",
            "ClimSim: an emulator of cloud-resolving columns, called from Fortran",
            {"test": "15 seconds", "quick": "1 minute", "full": "5 minutes"},
        ),
        "emulators": Experiment(
            "hybrid.experiments.emulators",
            "ClimSim: every emulator on both splits, compiled, scored and compared",
            {"test": "20 seconds", "quick": "10 minutes", "full": "2 hours"},
            in_demo=False,
        ),
        "multifidelity": Experiment(
            "hybrid.experiments.multifidelity",
            "Multi-fidelity ensembles: columns of a warmer climate that training never saw",
            {"test": "20 seconds", "quick": "6 minutes", "full": "2 hours"},
            in_demo=False,
        ),
        "medida-ks": Experiment(
            "hybrid.experiments.medida_ks",
            "MEDIDA: what a Kuramoto-Sivashinsky model lacks, found as an equation and put right",
            {"test": "20 seconds", "quick": "3 minutes", "full": "1.5 hours"},
            in_demo=False,
        ),
        "medida-qg": Experiment(
            "hybrid.experiments.medida_qg",
            "Model error of a two-layer jet as equations, from every point and from sensors",
            {
                "test": "20 seconds",
                "quick": "3 minutes",
                "full": "15 minutes",
            },
            in_demo=False,
        ),
        "smarl": Experiment(
            "hybrid.experiments.smarl",
            "Turbulence closures learned in the running model, beside well-tuned constants",
            {"test": "20 seconds", "quick": "3 minutes", "full": "2 hours (estimated)"},
            in_demo=False,
        ),
        "plasim": Experiment(
            "hybrid.experiments.plasim",
            "PlaSim, a climate model in Fortran, downloaded and run with learned physics",
            {
                "test": "2 minutes",
                "quick": "22 minutes",
                "full": "6 hours (estimated)",
            },
            in_demo=False,
            stages=("dump", "train", "export", "couple"),
        ),
        "quasigeostrophic": Experiment(
            "hybrid.experiments.quasigeostrophic",
            "Closures of two-layer flow in the benchmark of Ross et al. (2023), online and offline",
            {
                "test": "half a minute",
                "quick": "5 minutes",
                "full": "10 to 15 hours (estimated), half of them for the published network",
            },
            in_demo=False,
            stages=("now", "published", "classical", "calibration", "networks"),
        ),
    }
)
"""The experiments by name, as in ``hybrid run NAME``."""


def find(name: str) -> Experiment:
    """Return the registry entry of an experiment.

    Raises
    ------
    UnknownExperimentError
        If there is none; the message names those there are.
    """
    try:
        return EXPERIMENTS[name]
    except KeyError:
        raise UnknownExperimentError(
            f"experiment: expected one of {', '.join(EXPERIMENTS)}; got {name!r}"
        ) from None


def run_until(
    name: str,
    preset: "Preset",
    out: Path,
    stage: str,
    seed: int = 0,
    data: Path | None = None,
    progress: "Progress | None" = None,
) -> "ExperimentResult | None":
    """Do the first stages of an experiment; later calls go on from there.

    Some experiments report what they have by then, into the files of `run_experiment`.

    Parameters
    ----------
    stage
        The last one to be done, of those of the experiment.
    name, preset, out, seed, data, progress
        As of `run_experiment`.

    Returns
    -------
    ExperimentResult or None
        The report; None if there is none before the last stage.

    Raises
    ------
    UnknownExperimentError
        If there is no such experiment, or it has no such stage.
    """
    stages = find(name).stages
    if stage not in stages:
        expected = f"one of {', '.join(stages)}" if stages else "none, as it runs as a whole"
        raise UnknownExperimentError(f"stage of {name}: expected {expected}; got {stage!r}")
    module = import_module(find(name).module)
    request = _request(preset, out, seed, data, progress)
    result: ExperimentResult | None = module.run_until(request, stage)
    if result is not None:
        _write(result, name, preset, out, seed, data, stage)
    return result


def _request(
    preset: "Preset", out: Path, seed: int, data: Path | None, progress: "Progress | None"
) -> "Request":
    from rich.console import Console
    from rich.progress import Progress

    from hybrid.experiments.result import Request

    out.mkdir(parents=True, exist_ok=True)
    quiet = Progress(disable=True, console=Console(quiet=True))
    return Request(preset, out, seed, quiet if progress is None else progress, data)


def run_experiment(
    name: str,
    preset: "Preset",
    out: Path,
    seed: int = 0,
    data: Path | None = None,
    progress: "Progress | None" = None,
) -> "ExperimentResult":
    """Run an experiment and write ``results.json`` and ``report.html`` into `out`.

    A run that was interrupted goes on with the stages that it finished, see `checkpoint`. One
    that ended leaves no stages behind; runs of PlaSim and trainings of multi-fidelity closures
    stay in its folder, and the same call with the same sources takes them from there.

    Parameters
    ----------
    name
        Key of `EXPERIMENTS`.
    preset
        ``"test"``, ``"quick"`` or ``"full"``.
    out
        Folder for everything the run writes; created if needed.
    seed
        Seed of every random choice.
    data
        Folder of input data, for experiments that read any.
    progress
        Running progress display; none is shown if None.

    Raises
    ------
    UnknownExperimentError
        If there is no experiment `name`.
    """
    from hybrid.experiments import checkpoint

    module = import_module(find(name).module)
    result: ExperimentResult = module.run(_request(preset, out, seed, data, progress))
    _write(result, name, preset, out, seed, data)
    checkpoint.discard(out)
    return result


def _write(
    result: "ExperimentResult",
    name: str,
    preset: "Preset",
    out: Path,
    seed: int,
    data: Path | None,
    stage: str | None = None,
) -> None:
    from hybrid.report import Run, write_report
    from hybrid.results import Results, write_results

    record = Results(
        experiment=name,
        preset=preset,
        seed=seed,
        headline=result.headline,
        metrics=result.metrics,
        settings=result.settings,
        choices=result.choices,
    )
    write_results(out / "results.json", record)
    options = f"{f' --until {stage}' if stage else ''}{' --data DIR' if data else ''}"
    command = f"hybrid run {name} --preset {preset} --seed {seed}{options}"
    write_report(out / "report.html", [result], Run(command, preset, seed))
