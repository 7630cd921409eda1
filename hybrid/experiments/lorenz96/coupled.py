"""Run the closures inside the Fortran model: climates and ensemble forecasts."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fortran_bridge.hosts import run_host
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96.settings import (
    CLOSURES,
    MODEL_STEP,
    SAVE_EVERY,
    SAVE_STEP,
    STOCHASTIC,
    Lorenz96Settings,
)
from hybrid.experiments.lorenz96.training import ClosureSet, Compiled
from hybrid.experiments.lorenz96.truth import Truth
from hybrid.experiments.netcdf import read_dataset, write_dataset

Array = NDArray[np.float64]

# The host is one thread; two at a time use the two cores that an experiment may count on.
_AT_ONCE = 2


@dataclass(frozen=True)
class HostRun:
    """One run of the Fortran model.

    Parameters
    ----------
    name
        Name of the folder of its files, and of its stage.
    closure
        Name of the closure, one of `CLOSURES`.
    compiled
        The closure, or None.
    x
        Initial states, shape ``(member, k)``.
    n_step
        Number of model steps.
    seed
        Seed of the closure's noise and of its initial state.
    """

    name: str
    closure: str
    compiled: Compiled | None
    x: Array
    n_step: int
    seed: int

    def run(
        self, folder: Path, forcing: float, on_progress: Callable[[float], None] | None = None
    ) -> Array:
        """Run the model and return X after the start, shape ``(time, member, k)``."""
        work = folder / self.name
        work.mkdir(parents=True, exist_ok=True)
        self._write_initial(work / "initial.nc")
        settings = {
            "archive": "" if self.compiled is None else str(self.compiled.archive.resolve()),
            "initial_file": "initial.nc",
            "output_file": "output.nc",
            "forcing": forcing,
            "dt": MODEL_STEP,
            "n_step": self.n_step,
            "save_every": SAVE_EVERY,
            "seed": self.seed,
        }
        run_host("lorenz96", {"settings": settings}, work, on_progress)
        return read_dataset(work / "output.nc")["x"].to_numpy()[1:]

    def _write_initial(self, path: Path) -> None:
        rng = np.random.default_rng(self.seed)
        names = () if self.compiled is None else self.compiled.state
        fields = {"x": self.x, **{name: rng.standard_normal(self.x.shape) for name in names}}
        initial = {name: (("member", "k"), x, {"units": "1"}) for name, x in fields.items()}
        write_dataset(path, xr.Dataset(initial))


def run_all(
    jobs: Sequence[HostRun],
    folder: Path,
    forcing: float,
    checkpoint: Checkpoint,
    on_progress: Callable[[float], None],
) -> list[Array]:
    """Run jobs, two at a time, and return X of each; a job is a stage of the checkpoint."""
    work = sum(job.n_step for job in jobs)
    done = [0.0] * len(jobs)

    def run(number: int) -> Array:
        job = jobs[number]

        def report(fraction: float) -> None:
            done[number] = fraction * job.n_step
            on_progress(sum(done) / work)

        def make() -> xr.Dataset:
            return xr.Dataset({"x": (("time", "member", "k"), job.run(folder, forcing, report))})

        x = checkpoint.arrays(job.name, make)["x"].to_numpy()
        report(1.0)
        return x

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, range(len(jobs))))


def climate_jobs(
    closures: ClosureSet, truth: Truth, settings: Lorenz96Settings, checkpoint: Checkpoint
) -> list[HostRun]:
    """Return the climate runs.

    Runs of one archive with several seeds are one job with several times the members: noise
    depends on the column, so that they are as independent as separate jobs.
    """
    n_step = round((settings.spin_up_time + settings.climate_time) / MODEL_STEP)
    states = truth.reference.reshape(-1, truth.reference.shape[-1])
    jobs = []
    for name in CLOSURES:
        archives: tuple[Compiled | None, ...] = closures.compiled[name] or (None,)
        n_member = settings.n_member * settings.n_seed // len(archives)
        for i, archive in enumerate(archives):
            job = f"climate_{name}_{i}"
            rng = checkpoint.generator(job)
            x = states[rng.choice(states.shape[0], n_member, replace=False)]
            jobs.append(HostRun(job, name, archive, x, n_step, _draw_seed(rng)))
    return jobs


def collect_climates(
    jobs: Sequence[HostRun], results: Sequence[Array], settings: Lorenz96Settings
) -> dict[str, Array]:
    """Return X after spin-up by closure, shape ``(seed, time, member, k)``."""
    first = round(settings.spin_up_time / SAVE_STEP)
    climates = {}
    for name in CLOSURES:
        parts = [x[first:] for job, x in zip(jobs, results, strict=True) if job.closure == name]
        members = np.concatenate(parts, axis=1)
        split = members.reshape(members.shape[0], settings.n_seed, settings.n_member, -1)
        climates[name] = np.moveaxis(split, 1, 0)
    return climates


def forecast_jobs(
    closures: ClosureSet, truth: Truth, settings: Lorenz96Settings, checkpoint: Checkpoint
) -> list[HostRun]:
    """Return the ensemble forecasts; a deterministic model needs one member a case."""
    jobs = []
    for name in CLOSURES:
        compiled = closures.compiled[name]
        n_member = settings.n_ensemble if name in STOCHASTIC else 1
        job = f"forecast_{name}"
        jobs.append(
            HostRun(
                job,
                name,
                compiled[0] if compiled else None,
                np.repeat(truth.cases.initial, n_member, axis=0),
                round(settings.forecast_time / MODEL_STEP),
                _draw_seed(checkpoint.generator(job)),
            )
        )
    return jobs


def collect_forecasts(
    jobs: Sequence[HostRun], results: Sequence[Array], truth: Truth
) -> dict[str, Array]:
    """Return X of the ensembles by closure, shape ``(lead, case, k, member)``."""
    n_case, n_k = truth.cases.initial.shape
    return {
        job.closure: np.moveaxis(x.reshape(x.shape[0], n_case, -1, n_k), 2, -1)
        for job, x in zip(jobs, results, strict=True)
    }


def _draw_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
