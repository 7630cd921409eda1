"""Samples of the true trajectory: three states a model step apart, again and again."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import Samples
from solvers import KuramotoSivashinsky
from solvers.lyapunov import LyapunovExponent, largest_lyapunov_exponent

Array = NDArray[Any]

_MEMBERS = 10


@dataclass(frozen=True)
class Truth:
    """How samples of nature are made.

    The defaults are those of the published study, except that several trajectories of an ensemble
    stand in for a long one, and that the way between samples, of which nothing is kept, is covered
    in longer steps; within a sample they are `dt` / 5.

    Parameters
    ----------
    nx, length
        Grid points and length of the domain [1].
    dt
        Time between the states of a sample: the step of the imperfect models [1].
    n_sample
        Number of samples.
    gap
        Time between samples [1].
    spin_up
        Time before the first [1].
    coarse_dt
        Step between samples [1].
    """

    nx: int = 1024
    length: float = 100.0
    dt: float = 5e-3
    n_sample: int = 100
    gap: float = 10.0
    spin_up: float = 100.0
    coarse_dt: float = 0.05

    def samples(self, seed: int = 0) -> Samples:
        """Integrate nature by ETDRK4 and return samples without noise.

        Parameters
        ----------
        seed
            Of the initial states.
        """
        n_member = min(_MEMBERS, self.n_sample)
        u, pieces = self.states(n_member, seed), []
        for _ in range(-(-self.n_sample // n_member)):
            u = _run(self.coarse, u, self.gap, self.gap)[-1]
            pieces.append(_run(self.fine, u, 2.0 * self.dt, self.dt))
        states = np.concatenate(pieces, axis=1)[:, : self.n_sample]
        return Samples.of((states[0], states[1]), states[2], self.dt)

    @cached_property
    def coarse(self) -> KuramotoSivashinsky:
        """Nature in long steps."""
        return KuramotoSivashinsky(nx=self.nx, length=self.length, dt=self.coarse_dt)

    @cached_property
    def fine(self) -> KuramotoSivashinsky:
        """Nature in short steps."""
        return KuramotoSivashinsky(nx=self.nx, length=self.length, dt=self.dt / 5)

    def states(self, n_member: int, seed: int) -> Array:
        """Return independent states after the spin-up, shape ``(n_member, nx)`` [1]."""
        run = self.coarse.run(
            time=self.spin_up,
            save_every=self.spin_up,
            n_member=n_member,
            seed=seed,
            progress=False,
        )
        return np.asarray(run.u[-1].to_numpy())

    def forecast(self, initial: Array, time: float, every: float) -> Array:
        """Return states from some on, in short steps, shape ``(n_time, n_member, nx)`` [1].

        Parameters
        ----------
        initial
            Shape ``(n_member, nx)`` [1].
        time, every
            How long, and the time between states that are returned [1].
        """
        return _run(self.fine, initial, time, every)

    def climate(self, initial: Array, time: float, every: float) -> Array:
        """Return the same in long steps."""
        return _run(self.coarse, initial, time, every)

    def lyapunov_exponent(self, time: float, seed: int = 0) -> LyapunovExponent:
        """Return the largest Lyapunov exponent, averaged over some time [1]."""
        return largest_lyapunov_exponent(
            self.coarse, time=time, interval=1.0, spin_up=self.spin_up, seed=seed
        )


def _run(nature: KuramotoSivashinsky, initial: Array, time: float, every: float) -> Array:
    run = nature.run(time=time, save_every=every, initial=initial, progress=False)
    return np.asarray(run.u.transpose("time", "member", "x").to_numpy())
