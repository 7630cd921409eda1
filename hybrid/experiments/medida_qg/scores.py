"""How right discoveries and interpolated states are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.medida_qg.cases import (
    CASES,
    imperfect,
    missing_terms,
    percent_error,
    worst_term,
)
from hybrid.experiments.medida_qg.flow import Flow
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

WITHIN = 10.0
"""Error of a coefficient that is still good, from sensors [%]."""


@dataclass(frozen=True)
class Score:
    """What was found in a case.

    Parameters
    ----------
    before, after
        Error of the model's coefficients, uncorrected and corrected [%].
    worst
        Largest error of a coefficient that was looked for, of itself [%].
    right
        Whether the terms are exactly those that the model lacks.
    """

    before: float
    after: float
    worst: float
    right: bool

    @property
    def good(self) -> bool:
        """Whether the terms are right and all coefficients within 10 %."""
        return self.right and self.worst <= WITHIN


def scores(nature: RelaxedJetQG, found: xr.Dataset) -> dict[str, Score]:
    """Return the score of each case of what `job.discoveries` found."""
    return {case: _score(nature, case, named(found, case)) for case in CASES}


def named(found: xr.Dataset, case: str) -> dict[str, float]:
    """Return the coefficients that were found in a case by the names of the terms."""
    values = found.coefficient.sel(case=case)
    return {str(term): float(c) for term, c in zip(found.term.to_numpy(), values, strict=True) if c}


def _score(nature: RelaxedJetQG, case: str, correction: Mapping[str, float]) -> Score:
    model = imperfect(nature, case)
    missing = missing_terms(nature, model)
    return Score(
        percent_error(nature, model),
        percent_error(nature, model, correction),
        worst_term(missing, correction),
        set(correction) == set(missing),
    )


def state_errors(nature: RelaxedJetQG, psi: Array, q: Array) -> tuple[float, float]:
    """Return errors of interpolated states: of streamfunction and of potential vorticity.

    Parameters
    ----------
    nature
        Whose grid it is.
    psi
        Interpolated streamfunction ``(n_sample, 2, ny, nx)`` [1].
    q
        True potential vorticity, same shape [1].

    Returns
    -------
    tuple of float
        Root mean squares over the standard deviation of the layer, mean of both layers [%].
    """
    flow = Flow(nature)
    resolved = flow.resolved(psi)
    return _relative(resolved, flow.psi(q)), _relative(flow.q(resolved), q)


def _relative(found: Array, true: Array) -> float:
    axes = (0, 2, 3)
    square = np.mean(np.square(found - true), axis=axes) / true.var(axis=axes)
    return 100.0 * float(np.mean(np.sqrt(square)))


def spectrum_along_channel(psi: Array) -> Array:
    """Return the variance of each wave along x, mean over samples and y, ``(layer, nx / 2)`` [1].

    From wavenumber 1; the mean along x is the jet's.
    """
    n = psi.shape[-1]
    power = 2.0 * np.square(np.abs(np.fft.rfft(psi) / n))
    return np.asarray(power.mean(axis=(0, 2))[:, 1 : n // 2])
