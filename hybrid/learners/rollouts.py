"""Runs of a coarse model under many policies at once, from the same states."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.environments.ensemble import RUNAWAY, started, visited
from hybrid.environments.reference import Array, Shells, moments_of
from hybrid.environments.rewards import Reward
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import LinearPolicy


class Statistics(NamedTuple):
    """Mean statistics of policies, pooled over their runs.

    Parameters
    ----------
    spectra
        Enstrophy by ring, shape ``(policy, ring)`` [1 / time2].
    moments
        Mean squares and fourth powers of the vorticity, shape ``(policy, 2)``.
    n_lost
        Runs that did not reach their end, shape ``(policy,)``; their policy's statistics mean
        nothing.
    """

    spectra: Array
    moments: Array
    n_lost: NDArray[np.int64]

    def rewards(self, reward: Reward, lost: float) -> Array:
        """Return the reward of each policy, `lost` for one that lost a run."""
        fine = self.n_lost == 0
        rewards = np.full(len(self.n_lost), lost)
        rewards[fine] = reward(self.spectra[fine], self.moments[fine])
        return rewards


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """A way to run policies: each from several states, with statistics after a spin-up.

    Parameters
    ----------
    model
        The coarse model; its eddy viscosity is a `LinearPolicy`, whose bounds, scale and limiter
        hold for all.
    initial
        Vorticities of the truth to begin with, shape ``(n, ny, nx)`` [1 / time].
    n_run
        Runs of each policy.
    time, spin_up
        Length of a run that counts, and that is left out before [time].
    save_every
        Time between the states that statistics are of [time].
    n_thread
        Threads that share the runs.

    Raises
    ------
    ValueError
        If the model has no `LinearPolicy`, or there are fewer states than runs.
    """

    model: Barotropic
    initial: Array
    n_run: int = 2
    time: float = 8.0
    spin_up: float = 0.0
    save_every: float = 0.25
    n_thread: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.model.eddy_viscosity, LinearPolicy):
            raise ValueError(  # noqa: TRY004 -- of a model, which is of the right type
                "model: expected a LinearPolicy as eddy_viscosity, "
                f"got {type(self.model.eddy_viscosity).__name__}"
            )
        if not 1 <= self.n_run <= len(self.initial):
            raise ValueError(
                f"n_run: expected 1 to {len(self.initial)}, the number of states, got {self.n_run}"
            )

    @property
    def steps_a_policy(self) -> int:
        """Steps of the coarse model that a policy takes."""
        return self.n_run * self._interval * (self._n_spin_up + self._n_saved)

    def starts(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the numbers of the states that runs begin with."""
        return rng.choice(len(self.initial), self.n_run, replace=False)

    def run(self, weights: Array, starts: Sequence[int] | NDArray[np.int64]) -> Statistics:
        """Run policies.

        Parameters
        ----------
        weights
            Weights of c2 and of c4 of each policy, shape ``(policy, 2, 6)`` [1].
        starts
            Numbers of the states to begin with, the same for all policies.
        """
        shape = (len(weights), len(starts), -1)
        spectra, moments, lost = self._sums(weights, starts)
        return Statistics(
            spectra.reshape(shape).mean(axis=1) / self._n_saved,
            moments.reshape(shape).mean(axis=1) / self._n_saved,
            lost.reshape(shape).sum(axis=(1, 2)),
        )

    def each_run(self, weights: Array, starts: Sequence[int] | NDArray[np.int64]) -> Statistics:
        """Run one policy, and return each run's own statistics, shapes ``(run, ...)``.

        Parameters
        ----------
        weights
            Weights of c2 and of c4, shape ``(2, 6)`` [1].
        starts
            Numbers of the states to begin with.
        """
        spectra, moments, lost = self._sums(weights[np.newaxis], starts)
        return Statistics(spectra / self._n_saved, moments / self._n_saved, lost.astype(np.int64))

    def _sums(
        self, weights: Array, starts: Sequence[int] | NDArray[np.int64]
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return sums over the saved states, and what was lost, for each run of each policy."""
        n_policy, n_run = len(weights), len(starts)
        initial = np.tile(self.initial[starts], (n_policy, 1, 1))
        integration = started(self.model, initial, self.n_thread)
        integration.eddy.weights[...] = np.repeat(weights, n_run, axis=0)
        spectra = np.zeros((n_policy * n_run, self._shells.n_ring))
        moments = np.zeros((n_policy * n_run, 2))
        lost = np.zeros(n_policy * n_run, dtype=np.bool_)
        n, largest = self._n_spin_up + self._n_saved, RUNAWAY * float(self.initial.std())
        states = visited(integration, self._interval, n, largest)
        for i, (fields, lost_so_far) in enumerate(states):
            lost = lost_so_far
            if i >= self._n_spin_up:
                spectra += self._shells.enstrophy(fields)
                moments += moments_of(fields)
        return spectra, moments, lost

    @cached_property
    def _shells(self) -> Shells:
        return Shells(self.model.grid)

    @property
    def _interval(self) -> int:
        return max(1, round(self.save_every / self.model.dt))

    @property
    def _n_spin_up(self) -> int:
        return round(self.spin_up / self.save_every)

    @property
    def _n_saved(self) -> int:
        return max(1, round(self.time / self.save_every))
