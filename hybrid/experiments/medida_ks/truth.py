"""Samples of the true trajectory: three states a model step apart, again and again."""

from dataclasses import dataclass

import numpy as np

from closures.model_error import Samples
from solvers import KuramotoSivashinsky

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
        between = KuramotoSivashinsky(nx=self.nx, length=self.length, dt=self.coarse_dt)
        within = KuramotoSivashinsky(nx=self.nx, length=self.length, dt=self.dt / 5)
        n_member = min(_MEMBERS, self.n_sample)
        spun_up = between.run(
            time=self.spin_up, save_every=self.spin_up, n_member=n_member, seed=seed
        )
        u, pieces = spun_up.u[-1].to_numpy(), []
        for _ in range(-(-self.n_sample // n_member)):
            u = between.run(time=self.gap, save_every=self.gap, initial=u).u[-1].to_numpy()
            run = within.run(steps=10, save_every=5, initial=u)
            pieces.append(run.u.transpose("time", "member", "x").to_numpy())
        states = np.concatenate(pieces, axis=1)[:, : self.n_sample]
        return Samples.of((states[0], states[1]), states[2], self.dt)
