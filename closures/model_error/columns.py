r"""Columns of the regression: each candidate term as one step of the model would feel it.

An increment is what a missing term T does *through a step*, not T itself. A library that is
evaluated at one time, and enters without the step, leaves the discretisation in the increments;
what is left then looks like other terms. Here the term, averaged over the step, goes through it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.library import Library
from closures.model_error.samples import Samples, Step, one_step

Array = NDArray[Any]


class Columns(Protocol):
    """What makes the columns of candidate terms for samples."""

    def __call__(self, library: Library, samples: Samples) -> Array:
        """Return the columns, shape ``(n_term, n_sample, *grid.shape)``."""


def mean_over_step(library: Library, samples: Samples) -> Array:
    r"""Return the terms averaged over the step, :math:`(T(u_1) + T(u_2)) / 2`.

    Its error is of the order of dt squared, as that of most models' own steps.
    """
    mean = library.evaluate(samples.start)
    mean += library.evaluate(samples.end)
    mean *= 0.5
    return mean


def before_the_step(library: Library, samples: Samples) -> Array:
    """Return the terms in the last state before the step, T(u_1).

    What a leapfrog scheme feels, whose step from the state before that one is centred on it.
    """
    return library.evaluate(samples.start)


@dataclass(frozen=True)
class AtTheEnd:
    """Terms at the end of the step, as the published pipeline takes them; for comparison."""

    def __call__(self, library: Library, samples: Samples) -> Array:
        """Return :math:`T(u_2)`."""
        return library.evaluate(samples.end)


@dataclass(frozen=True)
class ImplicitColumns:
    r"""Terms as a step feels them whose implicit operator is known.

    .. math:: X_j = B \, \tfrac{1}{2} (T_j(u_1) + T_j(u_2))

    A semi-implicit scheme, :math:`(1 - \tfrac{1}{2} \Delta t L) u_2 = \ldots + \Delta t \, T`,
    has :math:`B = (1 - \tfrac{1}{2} \Delta t L)^{-1}` with its own linear operator L: the model's,
    not that of nature.

    Parameters
    ----------
    operator
        B, which takes and returns fields of shape ``(n_term, n_sample, *grid.shape)``; linear.
    """

    operator: Callable[[Array], Array]

    def __call__(self, library: Library, samples: Samples) -> Array:
        """Return the columns.

        Raises
        ------
        LibraryError
            If the operator changes the shape.
        """
        mean = mean_over_step(library, samples)
        columns = np.asarray(self.operator(mean))
        if columns.shape != mean.shape:
            raise LibraryError(
                f"operator: expected it to keep the shape {mean.shape}, got {columns.shape}"
            )
        return columns


@dataclass(frozen=True)
class BlackBoxColumns:
    r"""Terms as any step feels them, found by steps with and without each as a forcing.

    .. math::
        X_j = \frac{S(u_1; \delta_j \tfrac{1}{2} (T_j(u_1) + T_j(u_2))) - S(u_1; 0)}
        {\delta_j \Delta t}

    One step a term and one without. The size of the forcing, :math:`\delta_j`, is such that it
    is as large, in root mean square, as the increments of the samples: as large as what is
    looked for, so that whatever a nonlinear step makes of it, it makes of the missing terms.

    Parameters
    ----------
    step
        The model step, which also takes ``forcing``: None, or a tendency of the shape of a state
        that is added to the model's and is constant over the step.
    terms
        When terms are taken: `mean_over_step`, or `before_the_step` for a leapfrog scheme.
    """

    step: Step
    terms: Callable[[Library, Samples], Array] = mean_over_step

    def __call__(self, library: Library, samples: Samples) -> Array:
        """Return the columns.

        Raises
        ------
        SamplesError
            If the step returns another shape, or states that are not finite.
        """
        columns = self.terms(library, samples)
        plain = one_step(self.step, samples, forcing=None)
        size = _root_mean_square(library.component(samples.end - plain)) / samples.dt
        for column in columns:
            amplitude = _root_mean_square(column)
            if amplitude == 0.0:
                continue
            delta = (size or amplitude) / amplitude
            forcing = library.as_state(delta * column, samples.end.shape)
            forced = one_step(self.step, samples, forcing=forcing)
            column[...] = library.component(forced - plain) / (delta * samples.dt)
        return columns


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
