"""Discovery from a few noisy sensors of the streamfunction.

Only the state is interpolated. How it changes is compared at the sensors, as they measured it: a
step of the model from the interpolated state, and what each term adds to that, are read there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import BlackBoxColumns, ModelError, Samples, before_the_step, discover
from closures.model_error.interpolation import Domain, Sensors, grid_points, random_points
from hybrid.experiments.medida_qg.cases import imperfect
from hybrid.experiments.medida_qg.flow import Flow, library
from solvers import SteadyForcing
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[Any]


@dataclass(frozen=True)
class Observations:
    """What the sensors measured.

    Parameters
    ----------
    chosen
        Numbers of the grid points that have sensors, of each sample, ``(n_sample, n_sensor)``.
    values
        Streamfunction there, noise included, ``(3, n_sample, 2, n_sensor)`` [1].
    """

    chosen: NDArray[np.int64]
    values: Array

    @classmethod
    def of(cls, psi: Array, share: float, noise: float, seed: int) -> "Observations":
        """Observe nature at random points, other ones in each sample.

        Parameters
        ----------
        psi
            True streamfunction, ``(3, n_sample, 2, ny, nx)`` [1].
        share
            Of the grid points that have sensors.
        noise
            Its standard deviation, over that of the streamfunction of the layer [1].
        seed
            Of sensors and noise.
        """
        n_sample, n_point = psi.shape[1], psi.shape[-2] * psi.shape[-1]
        n_seed = np.random.SeedSequence(seed).generate_state(n_sample + 1)
        chosen = np.stack([random_points(n_point, share, int(s)) for s in n_seed[1:]])
        deviation = psi.std(axis=(0, 1, 3, 4))[:, None]
        flat = psi.reshape(*psi.shape[:3], n_point)
        values = np.stack([flat[:, i][..., points] for i, points in enumerate(chosen)], axis=1)
        rng = np.random.default_rng(int(n_seed[0]))
        return cls(chosen, values + noise * deviation * rng.standard_normal(values.shape))

    @property
    def scale(self) -> Array:
        """Standard deviation of what each layer's sensors measured, ``(2, 1, 1)`` [1]."""
        return np.asarray(self.values.std(axis=(0, 1, 3))[:, None, None])

    def of_state(self, sample: int) -> Array:
        """Return the mean over the three times of a sample, ``(2, n_sensor)`` [1].

        They are so close that it is the state in the middle, with less noise.
        """
        return np.asarray(self.values[:, sample].mean(axis=0))


def domain(model: RelaxedJetQG) -> Domain:
    """Return the doubly periodic domain, y first."""
    return Domain((0.0, 0.0), (model.length_y, model.length_x), (True, True))


def points(model: RelaxedJetQG) -> NDArray[np.float64]:
    """Return the points of the grid, x fastest [1]."""
    grid = model.grid
    return grid_points(np.arange(model.ny) * grid.dy, np.arange(model.nx) * grid.dx)


def at_sensors(
    model: RelaxedJetQG, observations: Observations, sample: int, layers: slice = slice(None)
) -> Sensors:
    """Return the sensors of the state of a sample, of some layers."""
    where = points(model)[observations.chosen[sample]]
    return Sensors(where, observations.of_state(sample)[layers], domain(model))


def find(
    nature: RelaxedJetQG, case: str, observations: Observations, interpolated: Array
) -> ModelError:
    """Discover what the model of a case lacks.

    Parameters
    ----------
    nature
        The true equations, which give grid, time step and the jet.
    case
        Key of `CASES`.
    observations
        Of all samples.
    interpolated
        Streamfunction that an interpolator made of them, ``(n_sample, 2, ny, nx)`` [1].
    """
    model, flow, scale = imperfect(nature, case), Flow(nature), observations.scale

    def step(previous: Array, current: Array, forcing: Array | None = None) -> Array:
        steady = None if forcing is None else SteadyForcing(forcing)
        before, now = flow.q(scale * previous), flow.q(scale * current)
        return flow.psi(model.one_step(now, before, tendency=steady)) / scale

    # The noise of both layers counts alike where states are in units of their deviation.
    state = flow.resolved(interpolated) / scale
    change = (observations.values[2] - observations.values[0]) / scale[..., 0]
    after = np.full((*state.shape[:2], nature.ny * nature.nx), np.nan)
    flat = state.reshape(after.shape)
    for i, chosen in enumerate(observations.chosen):
        after[i][:, chosen] = flat[i][:, chosen] + change[i]
    samples = Samples.of((state, state), state, nature.dt, after.reshape(state.shape))
    return discover(step, samples, library(nature, scale), BlackBoxColumns(step, before_the_step))
