"""Runs of the experiment that processes share: the truth, and each model beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.coupling import CoupledClosure
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.medida_qg import job
from hybrid.experiments.medida_qg.cases import imperfect
from hybrid.experiments.medida_qg.corrected import closure_of, compiled, envelope, forecast
from hybrid.experiments.medida_qg.online import (
    SAVED,
    Summary,
    density,
    distance,
    growth,
    is_lost,
    summary,
)
from hybrid.experiments.medida_qg.scores import named
from hybrid.experiments.medida_qg.settings import RECOMMENDED, Settings
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

NO_ERROR = "no_error"
"""The model that lacks nothing: what is left is the error of its time step."""

MODELS: Mapping[str, str] = {
    "uncorrected": "",
    "corrected": job.EVERYWHERE,
    "corrected_sparse": RECOMMENDED,
}
"""Models of a case, and what the terms that are added were found from."""

_STATE = ("member", "layer", "y", "x")


@dataclass(frozen=True)
class OnlineJob:
    """Forecasts and climates of the models of a case, or of the one that lacks nothing."""

    case: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"online_{self.case}"


def lyapunov(checkpoint: Checkpoint, settings: Settings, on_progress: OnProgress) -> xr.Dataset:
    """Return states of nature on the grid of the runs, and its largest Lyapunov exponent."""
    seed = int(checkpoint.generator("online").integers(2**31))
    online = settings.online

    def make() -> xr.Dataset:
        starts = online.starts(seed)
        on_progress(0.3)
        exponent = online.exponent(starts[: online.n_member], seed)
        return xr.Dataset(
            {
                "starts": (_STATE, starts),
                "exponent": ((), exponent.value),
                "standard_error": ((), exponent.standard_error),
            }
        )

    return checkpoint.arrays("lyapunov", make)


def beside(checkpoint: Checkpoint, settings: Settings, on_progress: OnProgress) -> xr.Dataset:
    """Return what models are compared with.

    Returns
    -------
    Dataset
        ``start`` of forecasts and climates; ``forecast`` and ``fine``: what nature makes of it, in
        steps of the models and in fine ones; ``values`` and ``spectra``: climates of nature.
    """

    def make() -> xr.Dataset:
        online, known = settings.online, lyapunov(checkpoint, settings, on_progress)
        every, n = online.every(float(known.exponent)), online.n_member
        starts = known.starts.to_numpy()
        time = every * online.n_forecast
        runs = {
            name: forecast(model, None, starts[:n], time, every, online.n_thread)
            for name, model in (("forecast", online.nature), ("fine", online.in_fine_steps()))
        }
        on_progress(0.6)
        states = forecast(
            online.nature, None, starts[n:], sum(online.climate), SAVED, online.n_thread
        )
        assert states is not None
        kept = summary(online.nature, states, online.climate[1])
        on_progress(1.0)
        dims = ("time", *_STATE)
        return xr.Dataset(
            {
                "start": (_STATE, starts[:n]),
                **{name: (dims, states) for name, states in runs.items()},
                "values": (("replica", "layer", "value"), kept.values),
                "spectra": (("replica", "layer", "wave"), kept.spectra),
            },
            attrs={"every": every},
        )

    return checkpoint.arrays("beside", make)


def archive(out: Path, case: str, model: str) -> Path:
    """Return where the closure of a corrected model is."""
    return out / f"{model}_{case}.pt"


def do(
    work: OnlineJob,
    on_progress: OnProgress,
    *,
    checkpoint: Checkpoint,
    settings: Settings,
    out: Path,
) -> None:
    """Do a job; what is done is not done again."""
    run(work, on_progress, checkpoint=checkpoint, settings=settings, out=out)


def run(
    work: OnlineJob, on_progress: OnProgress, *, checkpoint: Checkpoint, settings: Settings,
    out: Path,
) -> xr.Dataset:  # fmt: skip
    """Return what the runs of a job gave; what is done is not done again.

    Returns
    -------
    Dataset
        Over ``model``: ``growth`` of the error against nature in the steps of the models, and
        ``fine`` in fine ones, by ``time``; of climates ``distance``, ``density`` and ``spectrum``.
        NaN where a run was lost or not asked for.
    """

    def make() -> xr.Dataset:
        truth = beside(checkpoint, settings, on_progress)
        models = {}
        for i, (name, model, closure) in enumerate(_models(work, checkpoint, settings, out)):
            found = _forecast(model, closure, truth)
            found |= _climate(work, settings, model, closure, truth)
            models[name] = xr.Dataset(found)
            on_progress((i + 1) / len(MODELS))
        return xr.concat(list(models.values()), "model").assign_coords(model=list(models))

    return checkpoint.arrays(work.name, make)


Found = dict[str, tuple[tuple[str, ...], Array] | float]


def _models(
    work: OnlineJob, checkpoint: Checkpoint, settings: Settings, out: Path
) -> list[tuple[str, RelaxedJetQG, CoupledClosure | None]]:
    nature = settings.online.nature
    if work.case == NO_ERROR:
        return [("uncorrected", nature, None)]
    model, models = imperfect(nature, work.case), []
    for name, way in MODELS.items():
        closure = None
        if way:
            found = job.discoveries(checkpoint, settings, way)
            if named(found, work.case):
                q = job.truth(checkpoint, settings, lambda _fraction: None)
                bounds = envelope(settings.truth.nature, q)
                closure = compiled(
                    closure_of(nature, work.case, found, bounds), archive(out, work.case, name)
                )
        models.append((name, model, closure))
    return models


def _forecast(model: RelaxedJetQG, closure: CoupledClosure | None, truth: xr.Dataset) -> Found:
    every, n_time = float(truth.attrs["every"]), truth.sizes["time"]
    start = truth.start.to_numpy()
    states = forecast(model, closure, start, every * (n_time - 1), every)
    lost = is_lost(states, float(start.std()))
    return {
        name: (
            ("time",),
            np.full(n_time, np.nan)
            if lost or states is None
            else growth(states, truth[against].to_numpy()),
        )
        for name, against in (("growth", "forecast"), ("fine", "fine"))
    }


def _climate(
    work: OnlineJob,
    settings: Settings,
    model: RelaxedJetQG,
    closure: CoupledClosure | None,
    truth: xr.Dataset,
) -> Found:
    online, reference = (
        settings.online,
        Summary(truth["values"].to_numpy(), truth.spectra.to_numpy()),
    )
    others = reference.values[online.n_member :]
    states = None
    if work.case in online.climate_cases:
        start = truth.start.to_numpy()
        states = forecast(model, closure, start, sum(online.climate), SAVED)
    if states is None or is_lost(states, float(others.std())):
        nothing = np.full_like(density(others, others), np.nan)
        spectrum = np.full_like(reference.spectra[0], np.nan)
        return {
            "distance": np.nan,
            "density": (("layer", "bin"), nothing),
            "spectrum": (("layer", "wave"), spectrum),
        }
    kept = summary(online.nature, states, online.climate[1])
    return {
        "distance": distance(kept.values, others),
        "density": (("layer", "bin"), density(kept.values, reference.values)),
        "spectrum": (("layer", "wave"), kept.spectra.mean(axis=0)),
    }
