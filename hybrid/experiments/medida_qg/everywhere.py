"""Discovery from observations of every grid point, without noise."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import BlackBoxColumns, ModelError, Samples, before_the_step, discover
from closures.model_error.assimilation import Modes
from hybrid.experiments.medida_qg.cases import imperfect
from hybrid.experiments.medida_qg.flow import library
from solvers import SteadyForcing
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[Any]

KEPT = 0.4
"""Largest wavenumber of the regression, along x and y, over the largest of the grid.

Hyperviscosity damps those beyond so fast that its time step is seen in the increments, as an error
of the advection that feeds them; at this one it has 0.4^8, less than a thousandth, of its rate."""


def find(nature: RelaxedJetQG, case: str, states: Array) -> ModelError:
    """Discover what the model of a case lacks.

    Parameters
    ----------
    nature
        The true equations.
    case
        Key of `CASES`.
    states
        Potential vorticity of nature, as `Truth.states` gives it [1].
    """
    model = imperfect(nature, case)

    def step(previous: Array, current: Array, forcing: Array | None = None) -> Array:
        steady = None if forcing is None else SteadyForcing(forcing)
        return model.one_step(current, previous, tendency=steady)

    samples = Samples.of((states[0], states[1]), states[2], nature.dt)
    columns = BlackBoxColumns(step, before_the_step)
    return discover(step, samples, library(nature), columns, rows=partial(long_waves, nature))


def long_waves(model: RelaxedJetQG, fields: Array) -> Array:
    """Return the amplitudes of the waves up to `KEPT`, shape ``(..., n)``.

    Parameters
    ----------
    model
        Whose grid it is.
    fields
        Shape ``(..., ny, nx)``.
    """
    grid = model.grid
    modes = Modes(("fourier", "fourier"), (model.length_y, model.length_x), grid.shape)
    long = [
        k <= KEPT * np.pi / spacing
        for k, spacing in zip(modes.wavenumbers, (grid.dy, grid.dx), strict=True)
    ]
    return modes.rows(fields, np.logical_and.outer(*long))
