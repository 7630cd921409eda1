"""Samples of the true trajectory: three states a model step apart, again and again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[Any]
OnProgress = Callable[[float], None]

_FINER = 8


@dataclass(frozen=True)
class Truth:
    """How samples of nature are made.

    Within a sample, nature takes steps of an eighth of the model's and no time filter, so that
    samples are those of the equations and not of a scheme that the models share. It begins on a
    coarser grid, where the jet becomes turbulent at a small part of the cost.

    Parameters
    ----------
    nature
        The true equations on the grid and with the time step of the imperfect models.
    coarse
        Nature on the grid of the spin-up.
    n_sample
        Number of samples.
    spin_up, settling, gap
        Time on the coarse grid, then on the fine one, and between samples [1].
    """

    nature: RelaxedJetQG
    coarse: RelaxedJetQG
    n_sample: int
    spin_up: float = 200.0
    settling: float = 20.0
    gap: float = 20.0

    def states(self, seed: int, on_progress: OnProgress) -> Array:
        """Return potential vorticity, shape ``(3, n_sample, 2, ny, nx)`` [1].

        Parameters
        ----------
        seed
            Of the initial disturbances.
        on_progress
            Called with the fraction done.
        """
        run = self.coarse.run(time=self.spin_up, save_every=self.spin_up, seed=seed)
        q = run.q[-1].to_numpy()
        for axis, n in ((-2, self.nature.ny), (-1, self.nature.nx)):
            q = resample(q, n, axis=axis)
        starts = []
        for i in range(self.n_sample):
            time = self.gap if i else self.settling
            q = self.nature.run(time=time, save_every=time, initial=q).q[-1].to_numpy()
            starts.append(q[0])
            on_progress((i + 1) / self.n_sample)
        within = replace(self.nature, dt=self.nature.dt / _FINER, time_filter=0.0)
        run = within.run(steps=2 * _FINER, save_every=_FINER, initial=np.stack(starts))
        return np.asarray(run.q.transpose("time", "member", "layer", "y", "x"))
