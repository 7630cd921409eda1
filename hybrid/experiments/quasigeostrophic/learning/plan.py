"""Networks of the experiment: what they learn from, and how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from closures.quasigeostrophic.networks import (
    Architecture,
    NetworkClosure,
    StochasticNetwork,
)
from closures.training import Training
from hybrid.experiments.quasigeostrophic.learning.pairs import PairsRun
from hybrid.experiments.quasigeostrophic.learning.trajectories import TrajectoriesRun
from hybrid.experiments.quasigeostrophic.runs.climate import ENVELOPE
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    HOUR,
    SEEDS_OF_A_RUN,
    Configuration,
)
from solvers.quasigeostrophic import TwoLayerQG

# Far from seeds of runs that are scored, offline or online, and of fits, of requests with seeds
# below a thousand.
_STATES_SEED = 3_000_000
_TRAJECTORIES_SEED = 4_000_000
_MISSED_SEED = 5_000_000


DataKind = Literal["states", "trajectories", "missed"]
"""What a run of the truth gives: states, trajectories, or states so close in time that what
networks miss has a memory."""


@dataclass(frozen=True)
class Plan:
    """A network, and how it comes to its weights.

    Parameters
    ----------
    name
        That of the candidate, by which `Learning.trainings` knows it.
    architecture
        The network.
    begins_as
        The plan whose weights it begins with; None: it is trained on states.
    noise
        Whether it stays as that is and gets noise for what that misses, instead of being trained
        in runs.
    """

    name: str
    architecture: Architecture
    begins_as: "Plan | None" = None
    noise: bool = False

    @property
    def in_runs(self) -> bool:
        """Whether it is trained in runs."""
        return self.begins_as is not None and not self.noise

    def closure(
        self, model: TwoLayerQG, provenance: Mapping[str, str] | None = None, seed: int = 0
    ) -> NetworkClosure | StochasticNetwork:
        """Return the closure for a coarse model, untrained, with the weights of a seed."""
        network = self.network(model, provenance, seed)
        return StochasticNetwork(network, model.dt, seed=seed) if self.noise else network

    def network(
        self, model: TwoLayerQG, provenance: Mapping[str, str] | None = None, seed: int = 0
    ) -> NetworkClosure:
        """Return it without noise, likewise."""
        return NetworkClosure(
            (model.grid.dy, model.grid.dx),
            self.architecture,
            seed=seed,
            largest=ENVELOPE,
            provenance=provenance,
        )


def trainings(n_states: int, n_runs: int) -> dict[str, Training]:
    """Return trainings of so many epochs, on states and in runs."""
    return {
        "fcnn": Training(n_states, 8, 1e-3, weight_decay=0.0),
        "gated": Training(n_states, 8, 5e-3, weight_decay=0.0),
        "gated_online": Training(n_runs, 8, 2e-3, weight_decay=0.0, clip=1.0),
        "gated_noise": Training(n_states, 8, 5e-3, weight_decay=0.0),
        "unet": Training(n_states, 8, 2e-3, weight_decay=0.0),
    }


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How networks learn, from a single configuration.

    Parameters
    ----------
    n_run
        Runs of the truth that states come from.
    years
        Their length [years].
    every
        Time between states [s].
    n_trajectory_run, n_trajectory
        Runs of the truth that trajectories come from, and trajectories of each.
    spin_up
        Before the first trajectory of a run [years].
    n_saved, lead
        States of a trajectory after its first, and the time between them [s].
    spectra
        Weight of spectra in training on trajectories.
    missed_years, missed_spin_up
        Length of a run of the truth that tells what a network misses, and its part before the
        first state [years].
    missed_every
        Time between its states, so short that what is missed is remembered [s].
    held_out
        Part of the times, the last, that epochs are compared on.
    trainings
        Epochs, batches and rates by the name of the candidate.
    """

    n_run: int = 12
    years: float = 10.0
    every: float = 1000.0 * HOUR
    n_trajectory_run: int = 2
    n_trajectory: int = 64
    spin_up: float = 2.0
    n_saved: int = 4
    lead: float = 12.0 * HOUR
    spectra: float = 1.0
    missed_years: float = 2.5
    missed_spin_up: float = 2.0
    missed_every: float = 12.0 * HOUR
    held_out: float = 0.2
    trainings: Mapping[str, Training] = field(
        default_factory=lambda: trainings(n_states=30, n_runs=10)
    )

    def states_run(self, flow: Configuration, seed: int, number: int) -> PairsRun:
        """Return a run of the truth that gives states and targets."""
        return PairsRun(flow, _STATES_SEED + SEEDS_OF_A_RUN * seed + number, self.years, self.every)

    def trajectories_run(self, flow: Configuration, seed: int, number: int) -> TrajectoriesRun:
        """Return a run of the truth that gives trajectories."""
        return TrajectoriesRun(
            configuration=flow,
            seed=_TRAJECTORIES_SEED + SEEDS_OF_A_RUN * seed + number,
            spin_up=self.spin_up,
            n_trajectory=self.n_trajectory,
            n_saved=self.n_saved,
            every=self.lead,
        )

    def missed_run(self, flow: Configuration, seed: int, number: int) -> PairsRun:
        """Return the run of the truth that tells what a network misses; its number is 0."""
        return PairsRun(
            flow,
            _MISSED_SEED + SEEDS_OF_A_RUN * seed + number,
            self.missed_years,
            self.missed_every,
            self.missed_spin_up,
        )
