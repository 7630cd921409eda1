"""Training of the networks of the experiment, each once, going on where it was interrupted."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from closures.quasigeostrophic.networks import NetworkClosure, fit_network
from closures.training import Checkpoint as TrainingCheckpoint
from closures.training import History
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.climate import OnProgress
from hybrid.experiments.quasigeostrophic.configurations import Configuration
from hybrid.experiments.quasigeostrophic.learning import Learning, Plan
from hybrid.experiments.quasigeostrophic.online import fit_online
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

    def states(self, number: int, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return states of a run of the truth, and what the coarse model misses there."""
        run = self.learning.states_run(self.flow, self.checkpoint.seed, number)
        return self.checkpoint.arrays(
            f"states_{number}", lambda: run.pairs(on_progress).sel(operator=OPERATOR)
        )

    def trajectories(self, number: int, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return trajectories of a run of the truth."""
        run = self.learning.trajectories_run(self.flow, self.checkpoint.seed, number)
        return self.checkpoint.arrays(
            f"trajectories_{number}", lambda: run.trajectories(on_progress)
        )

    def train(self, plan: Plan, on_progress: OnProgress = _nothing) -> Trained:
        """Train a network, unless it is trained, and return what that took."""
        values = self._values(plan, on_progress)
        on_progress(1.0)
        return Trained(values["n_sample"], values["n_parameter"], History(**values["history"]))

    def closure(self, plan: Plan, model: TwoLayerQG) -> NetworkClosure:
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
                return self._in_runs(plan, plan.begins_as, on_progress)

        return self.checkpoint.weights(f"network_{plan.name}", make)

    def _on_states(self, plan: Plan, on_progress: OnProgress) -> dict[str, Any]:
        training = replace(self.learning.trainings[plan.name], seed=self.checkpoint.seed)
        closure = plan.closure(self.flow.coarse, seed=training.seed)
        names = ["q", "u", "v", "q_tendency_total"]
        runs = [self.states(i)[names] for i in range(self.learning.n_run)]
        pairs = xr.concat(runs, "run", join="exact", combine_attrs="override")
        unfinished = self._unfinished(plan)
        history = fit_network(
            closure,
            pairs.rename(q_tendency_total="q_tendency"),
            training,
            held_out=self.learning.held_out,
            checkpoint=unfinished,
            on_progress=on_progress,
        )
        unfinished.path.unlink()
        n = pairs.sizes["run"] * pairs.sizes["time"]
        source = f"{n} states of {self.flow.name}, operator {OPERATOR}, S_tot"
        return _stored(closure, history, n, source)

    def _in_runs(self, plan: Plan, first: Plan, on_progress: OnProgress) -> dict[str, Any]:
        training = replace(self.learning.trainings[plan.name], seed=self.checkpoint.seed)
        closure = self.closure(first, self.flow.coarse)
        runs = [self.trajectories(i) for i in range(self.learning.n_trajectory_run)]
        q = np.stack([run.q.to_numpy() for run in runs], axis=1)
        # Those of all runs in the order of time, so that the last are the last of each.
        together = xr.Dataset(
            {"q": (runs[0].q.dims, q.reshape(-1, *q.shape[2:]))}, {"lead": runs[0].lead}
        )
        unfinished = self._unfinished(plan)
        history = fit_online(
            closure,
            self.flow.coarse,
            together,
            training,
            spectra=self.learning.spectra,
            held_out=self.learning.held_out,
            checkpoint=unfinished,
            on_progress=on_progress,
        )
        unfinished.path.unlink()
        n = together.sizes["trajectory"]
        source = f"{n} trajectories of {self.flow.name}, operator {OPERATOR}"
        return _stored(closure, history, n, source)

    def _unfinished(self, plan: Plan) -> TrainingCheckpoint:
        # Named after all that the run depends on: another run begins anew.
        path = self.folder / f"{plan.name}_{self.checkpoint.folder.name}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        return TrainingCheckpoint(path, {"plan": repr(plan)})


def _stored(
    closure: NetworkClosure, history: History, n_sample: int, source: str
) -> dict[str, Any]:
    return {
        "weights": closure.state_dict(),
        "provenance": {"weights": "fitted by gradients", "data": source},
        "n_sample": n_sample,
        "n_parameter": closure.n_parameter(),
        "history": vars(history),
    }
