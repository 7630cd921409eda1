"""Pieces of work of the experiment, each kept in a file when it is done."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from closures import atomic
from hybrid.experiments.medida_ks.cases import CASES, NATURE, Coefficients
from hybrid.experiments.medida_ks.corrected import CorrectedModel
from hybrid.experiments.medida_ks.detection import detect
from hybrid.experiments.medida_ks.noise_free import scores
from hybrid.experiments.medida_ks.noisy import Found, Observations, find_as_published
from hybrid.experiments.medida_ks.online import SAVED, Summary, climate, error_growth, summary
from hybrid.experiments.medida_ks.settings import LEVELS, Settings

Array = NDArray[Any]
OnProgress = Callable[[float], None]
Kind = Literal["noise_free", "noisy", "online"]
Corrections = Mapping[str, Sequence[Mapping[str, float]]]
"""Terms found, by how they were observed, one set a seed."""

NO_ERROR = "no_error"
"""Subject of the online job whose model is right: what is left is the error of its time step."""

# Added to the seeds of initial states, so that forecasts do not begin where samples do.
_OTHER_SEED = 1_000_000

RECORDS = "records"
"""Folder of what jobs found, below that of the experiment."""


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Parameters
    ----------
    kind
        ``"noise_free"``: all cases with a form of the library; ``"noisy"``: all cases with the
        samples and noise of a seed; ``"online"``: runs of a case and its corrections.
    subject
        Form of the library, seed or case.
    seed
        Of the samples.
    """

    kind: Kind
    subject: str
    seed: int

    @property
    def name(self) -> str:
        """In file names and messages."""
        return f"{self.kind}_{self.subject}"

    def file(self, out: Path, settings: Settings, used: str = "") -> Path:
        """Return where its record is kept, named after all that it depends on."""
        asked = json.dumps([asdict(settings), asdict(self), used], sort_keys=True)
        digest = sha256(asked.encode()).hexdigest()[:12]
        return out / RECORDS / f"{self.name}-{digest}.json"


def read(path: Path) -> dict[str, Any]:
    """Read a record."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def discover_all(job: Job, on_progress: OnProgress, *, out: Path, settings: Settings) -> None:
    """Do a job of discovery, unless it was done with these settings.

    Parameters
    ----------
    job
        What to do.
    on_progress
        Called with the fraction done.
    out
        Folder of the experiment.
    settings
        Sizes.
    """
    path = job.file(out, settings)
    if not path.is_file():
        found = (
            _noise_free(job, settings)
            if job.kind == "noise_free"
            else _noisy(job, settings, on_progress)
        )
        _write(path, found)
    on_progress(1.0)


def run_online(
    job: Job,
    on_progress: OnProgress,
    *,
    out: Path,
    settings: Settings,
    corrections: Mapping[str, Corrections],
    truth: Path,
    every: float,
) -> None:
    """Run a case and its corrections, unless that was done.

    Parameters
    ----------
    job
        The case.
    on_progress
        Called with the fraction done.
    out
        Folder of the experiment.
    settings
        Sizes.
    corrections
        Terms found, by case and by how they were observed, one a seed.
    truth
        File of `write_truth`.
    every
        Time between the states of a forecast [1].
    """
    case = job.subject
    path = job.file(out, settings, used(corrections[case], truth))
    if not path.is_file():
        wrong = NATURE if case == NO_ERROR else CASES[case]
        models = {
            name: [CorrectedModel(wrong, terms, settings.truth) for terms in found]
            for name, found in {"uncorrected": [{}], **corrections[case]}.items()
        }
        with np.load(truth) as arrays:
            start, forecast = arrays["start"], arrays["forecast"]
            reference = Summary(arrays["values"], arrays["spectra"])
        record: dict[str, Any] = {"growth": {}, "climate": {}}
        for i, (name, variants) in enumerate(models.items()):
            record["growth"][name] = [error_growth(v, start, forecast, every) for v in variants]
            if case in settings.long_runs:
                record["climate"][name] = climate(variants[0], start, reference, settings.climate)
            on_progress((i + 1) / len(models))
        _write(path, record)
    on_progress(1.0)


def used(corrections: Corrections, truth: Path) -> str:
    """Return what an online job depends on beside its settings."""
    return json.dumps([corrections, truth.name], sort_keys=True)


def _noise_free(job: Job, settings: Settings) -> dict[str, Any]:
    samples = settings.truth.samples(job.seed)
    return {
        score.case: {
            "before": score.before,
            "percent": score.after,
            "right": score.right,
            "terms": score.error.named,
        }
        for score in scores(settings.truth, samples, job.subject)
        if score.case in settings.cases
    }


def _noisy(job: Job, settings: Settings, on_progress: OnProgress) -> dict[str, Any]:
    truth = settings.truth
    samples = truth.samples(job.seed)
    record: dict[str, Any] = {}
    for i, (suffix, level) in enumerate(LEVELS.items()):
        observations = Observations.of(truth, samples, level, np.random.default_rng([job.seed, i]))
        for known in (True, False):
            analysed = observations.analysed(known=known)
            record[suffix if known else f"{suffix}_unknown"] = {
                case: _record(analysed.find(CASES[case]), CASES[case]) for case in settings.cases
            }
        record[f"{suffix}_published"] = {
            case: _record(find_as_published(observations, CASES[case]), CASES[case])
            for case in settings.cases
        }
        on_progress((i + 1) / (len(LEVELS) + 1))
    most = max(settings.weak.n_sample)
    if most > truth.n_sample:
        # The first of more samples of the same seed are those samples.
        samples = replace(truth, n_sample=most).samples(job.seed)
    record["map"] = {
        name: {"right": found.right, "strength": found.strength}
        for name, found in detect(truth, samples, settings.weak, job.seed)
    }
    return record


def _record(found: Found, coefficients: Coefficients) -> dict[str, Any]:
    return asdict(found) | {"deviations": found.deviations(coefficients)}


def write_truth(path: Path, settings: Settings, seed: int, every: float) -> None:
    """Run the truth that online jobs compare with, unless that was done.

    Parameters
    ----------
    path
        File to write.
    settings
        Sizes.
    seed
        Of the initial states.
    every
        Time between the states of a forecast [1].
    """
    if path.is_file():
        return
    truth, n = settings.truth, settings.n_member
    start = truth.states(n * (settings.n_replica + 1), seed + _OTHER_SEED)
    forecast = truth.forecast(start[:n], settings.n_forecast * every, every)
    long = truth.climate(start[n:], settings.climate[0] + settings.climate[1], SAVED)
    kept = summary(long, settings.climate[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as stream:
        np.savez(stream, start=start[:n], forecast=forecast, **kept._asdict())


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, json.dumps(record) + "\n")
