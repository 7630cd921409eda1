"""A model with the terms that were found, run like any other."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import Library
from hybrid.experiments.medida_ks.cases import TERMS, Coefficients, ImperfectModel
from hybrid.experiments.medida_ks.noise_free import candidate_terms
from hybrid.experiments.medida_ks.truth import Truth
from solvers.errors import SolverBlewUp

Array = NDArray[Any]


@dataclass(frozen=True)
class CorrectedModel:
    """A model and the terms that are added to its tendency.

    Terms that the solver knows are added to its own coefficients, so that the linear ones are
    implicit as they would be in a model without the error; all others are evaluated as in the
    library and stepped explicitly.

    Parameters
    ----------
    coefficients
        Of the model.
    correction
        Coefficients of terms by name; none for the model as it is.
    truth
        Its grid and step.
    """

    coefficients: Coefficients
    correction: Mapping[str, float]
    truth: Truth

    @cached_property
    def model(self) -> ImperfectModel:
        """The model with the terms that the solver knows.

        Raises
        ------
        ValueError
            If the correction turns the hyperdiffusion negative.
        """
        # The equation has its terms on the left, a tendency on the right.
        sums = {
            field.name: getattr(self.coefficients, field.name) - self.correction.get(term, 0.0)
            for field, term in zip(fields(Coefficients), TERMS, strict=True)
        }
        return ImperfectModel(Coefficients(**sums), self.truth.nx, self.truth.length, self.truth.dt)

    @cached_property
    def others(self) -> Library | None:
        """The terms that it does not know, None if there are none."""
        everything = candidate_terms(self.truth)
        terms = tuple(
            term
            for term in everything.terms
            if term.name in self.correction and term.name not in TERMS
        )
        return Library(terms, everything.grid, everything.fields) if terms else None

    def tendency(self, given: Mapping[str, Array], step: int) -> Array:
        """Return what is stepped explicitly beside the advection, shape ``(nx,)`` [1]."""
        total = np.zeros(self.truth.nx)
        own = self.model.explicit_tendency
        if own is not None:
            total += own(given, step)
        if self.others is not None:
            values = self.others.evaluate(np.asarray(given["u"])[None])[:, 0]
            total += np.array([self.correction[name] for name in self.others.names]) @ values
        return total

    def run(self, initial: Array, time: float, every: float) -> Array | None:
        """Return states from some time on, None if they do not stay finite.

        Parameters
        ----------
        initial
            States to begin with, shape ``(n_member, nx)`` [1].
        time, every
            How long, and the time between states that are returned [1].

        Returns
        -------
        ndarray
            Shape ``(n_time, n_member, nx)``, the beginning first [1].
        """
        if self.model.coefficients.hyperdiffusion < 0.0:
            return None
        explicit = self.others is not None or self.model.explicit_tendency is not None
        with warnings.catch_warnings():
            # Some of these models are unstable: that is what the run shows.
            warnings.simplefilter("ignore")
            try:
                run = self.model.solver.run(
                    time=time,
                    save_every=every,
                    initial=initial,
                    tendency=self.tendency if explicit else None,
                    progress=False,
                )
            except SolverBlewUp:
                return None
        return np.asarray(run.u.transpose("time", "member", "x").to_numpy())
