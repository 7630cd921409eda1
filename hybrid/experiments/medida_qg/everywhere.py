"""Discovery from observations of every grid point, without noise."""

from typing import Any

from numpy.typing import NDArray

from closures.model_error import BlackBoxColumns, ModelError, Samples, before_the_step, discover
from hybrid.experiments.medida_qg.cases import imperfect
from hybrid.experiments.medida_qg.flow import library
from solvers import SteadyForcing
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[Any]


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
    return discover(step, samples, library(nature), BlackBoxColumns(step, before_the_step))
