"""What the experiment learns from data, each once: networks, and a formula."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from closures.quasigeostrophic import SparseSymbolic, fit_sparse_symbolic
from closures.quasigeostrophic.networks import (
    NetworkClosure,
    StochasticNetwork,
    fit_network,
    fit_spread,
)
from closures.training import Checkpoint as TrainingCheckpoint
from closures.training import History
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.job import DataJob, RegressionJob, TrainingJob
from hybrid.experiments.quasigeostrophic.learning.online import fit_online
from hybrid.experiments.quasigeostrophic.learning.plan import DataKind, Learning, Plan
from hybrid.experiments.quasigeostrophic.runs.climate import ENVELOPE, OnProgress
from hybrid.experiments.quasigeostrophic.runs.configurations import HOUR, Configuration
from hybrid.experiments.quasigeostrophic.settings import OPERATOR
from hybrid.threads import one_thread
from solvers.quasigeostrophic import TwoLayerQG


def _nothing(_fraction: float) -> None:
    pass


@dataclass(frozen=True)
class Trained:
    """What a training took.

    Parameters
    ----------
    n_sample
        States, or trajectories, with those that epochs were compared on.
    n_parameter
        Weights.
    history
        Losses by epoch.
    """

    n_sample: int
    n_parameter: int
    history: History


@dataclass(frozen=True)
class Learner:
    """Trains the networks of a run of the experiment.

    Parameters
    ----------
    checkpoint
        Where trained networks, and the data that they learn from, are kept.
    learning
        Sizes.
    flow
        The configuration that all of them learn from.
    folder
        Of trainings under way.
    """

    checkpoint: Checkpoint
    learning: Learning
    flow: Configuration
    folder: Path

    def data(
        self,
        kind: DataKind,
        number: int,
        on_progress: OnProgress = _nothing,
    ) -> xr.Dataset:
        """Return what a run of the truth gives: pairs of states and targets, or trajectories."""
        flow, seed = self.flow, self.checkpoint.seed

        def make() -> xr.Dataset:
            if kind == "trajectories":
                trajectories = self.learning.trajectories_run(flow, seed, number)
                return trajectories.trajectories(on_progress)
            of_kind = self.learning.states_run if kind == "states" else self.learning.missed_run
            return of_kind(flow, seed, number).pairs(on_progress).sel(operator=OPERATOR)

        return self.checkpoint.arrays(DataJob(kind, number).name, make)

    def symbolic(
        self, job: RegressionJob, model: TwoLayerQG, on_progress: OnProgress = _nothing
    ) -> SparseSymbolic:
        """Return the symbolic closure that a sparse regression finds, for a coarse model."""

        def make() -> dict[str, Any]:
            with one_thread():
                states = self._states()
                source = self._source(states)
                found = fit_sparse_symbolic(states.assign_attrs(source=source), whiten=job.whiten)
            return {"weights": found.weights, "provenance": dict(found.spec.provenance)}

        values = self.checkpoint.weights(job.name, make)
        on_progress(1.0)
        return SparseSymbolic(
            (model.grid.dy, model.grid.dx),
            values["weights"].numpy(),
            mean_flow=(model.u1, model.u2),
            largest=ENVELOPE,
            provenance=values["provenance"],
        )

    def train(self, plan: Plan, on_progress: OnProgress = _nothing) -> Trained:
        """Train a network, unless it is trained, and return what that took."""
        values = self._values(plan, on_progress)
        on_progress(1.0)
        return Trained(values["n_sample"], values["n_parameter"], History(**values["history"]))

    def closure(self, plan: Plan, model: TwoLayerQG) -> NetworkClosure | StochasticNetwork:
        """Return a trained network as a closure of a coarse model."""
        values = self._values(plan, _nothing)
        closure = plan.closure(model, values["provenance"])
        closure.load_state_dict(values["weights"])
        return closure.eval()

    def _values(self, plan: Plan, on_progress: OnProgress) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            with one_thread():
                if plan.begins_as is None:
                    return self._on_states(plan, on_progress)
                if plan.noise:
                    return self._noise(plan, plan.begins_as, on_progress)
                return self._in_runs(plan, plan.begins_as, on_progress)

        return self.checkpoint.weights(TrainingJob(plan).name, make)

    def _on_states(self, plan: Plan, on_progress: OnProgress) -> dict[str, Any]:
        closure = plan.network(self.flow.coarse, seed=self.checkpoint.seed)
        pairs = self._states()
        history = self._fitted(plan, fit_network, closure, pairs, on_progress=on_progress)
        n = pairs.sizes["run"] * pairs.sizes["time"]
        return _stored(closure, history, n, self._source(pairs))

    def _states(self) -> xr.Dataset:
        runs = [_pairs(self.data("states", i)) for i in range(self.learning.n_run)]
        return xr.concat(runs, "run", join="exact", combine_attrs="override")

    def _source(self, states: xr.Dataset) -> str:
        n = states.sizes["run"] * states.sizes["time"]
        return f"{n} states of {self.flow.name}, operator {OPERATOR}, S_tot"

    def _noise(self, plan: Plan, first: Plan, on_progress: OnProgress) -> dict[str, Any]:
        network = self._begun(first)
        closure = StochasticNetwork(network, self.flow.coarse.dt, seed=self.checkpoint.seed)
        pairs = _pairs(self.data("missed", 0))
        history = self._fitted(plan, fit_spread, closure, pairs, on_progress=on_progress)
        n = pairs.sizes["time"]
        hours = closure.correlation_time / HOUR
        source = (
            f"{network.spec.provenance['data']}; noise: {n} states, memory of {hours:.3g} hours"
        )
        return _stored(closure, history, n, source)

    def _begun(self, first: Plan) -> NetworkClosure:
        closure = self.closure(first, self.flow.coarse)
        assert isinstance(closure, NetworkClosure)
        return closure

    def _in_runs(self, plan: Plan, first: Plan, on_progress: OnProgress) -> dict[str, Any]:
        closure = self._begun(first)
        runs = [self.data("trajectories", i) for i in range(self.learning.n_trajectory_run)]
        q = np.stack([run.q.to_numpy() for run in runs], axis=1)
        # Those of all runs in the order of time, so that the last are the last of each.
        together = xr.Dataset(
            {"q": (runs[0].q.dims, q.reshape(-1, *q.shape[2:]))}, {"lead": runs[0].lead}
        )
        history = self._fitted(
            plan,
            partial(fit_online, spectra=self.learning.spectra),
            closure,
            self.flow.coarse,
            together,
            on_progress=on_progress,
        )
        n = together.sizes["trajectory"]
        source = f"{n} trajectories of {self.flow.name}, operator {OPERATOR}"
        return _stored(closure, history, n, source)

    def _fitted(
        self, plan: Plan, fit: Callable[..., History], *what: object, on_progress: OnProgress
    ) -> History:
        """Train in place, going on where an earlier call was interrupted."""
        unfinished = self._unfinished(plan)
        history = fit(
            *what,
            replace(self.learning.trainings[plan.name], seed=self.checkpoint.seed),
            held_out=self.learning.held_out,
            checkpoint=unfinished,
            on_progress=on_progress,
        )
        unfinished.path.unlink()
        return history

    def _unfinished(self, plan: Plan) -> TrainingCheckpoint:
        # Named after all that the run depends on: another run begins anew.
        path = self.folder / f"{plan.name}_{self.checkpoint.folder.name}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        return TrainingCheckpoint(path, {"plan": repr(plan)})


def _pairs(states: xr.Dataset) -> xr.Dataset:
    """Return states with the one target that networks learn."""
    names = ["q", "u", "v", "q_tendency_total"]
    return states[names].rename(q_tendency_total="q_tendency")


def _stored(
    closure: NetworkClosure | StochasticNetwork, history: History, n_sample: int, source: str
) -> dict[str, Any]:
    return {
        "weights": closure.state_dict(),
        "provenance": {"weights": "fitted by gradients", "data": source},
        "n_sample": n_sample,
        "n_parameter": sum(weight.numel() for weight in closure.parameters()),
        "history": vars(history),
    }
