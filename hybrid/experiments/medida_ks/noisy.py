"""Discovery from noisy observations: three snapshots a sample, and nothing else."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import (
    AtTheEnd,
    Criterion,
    Gram,
    LibraryError,
    NothingFoundError,
    Samples,
    analysis_increments,
    gather,
    mean_over_step,
    pruning_path,
)
from closures.model_error.assimilation import Modes, SnapshotAnalysis, SnapshotFilter
from hybrid.experiments.medida_ks.cases import (
    Coefficients,
    ImperfectModel,
    missing_terms,
    percent_error,
)
from hybrid.experiments.medida_ks.noise_free import candidate_terms
from hybrid.experiments.medida_ks.truth import Truth

Array = NDArray[Any]


@dataclass(frozen=True)
class Found:
    """What was found from noisy observations.

    Parameters
    ----------
    terms
        Coefficients by the names of the terms; none where nothing was found.
    standard_errors
        Of each.
    percent
        Error of the corrected coefficients [%].
    right
        Whether the terms are exactly those that the model lacks.
    strength
        The smallest true coefficient in standard errors of the least-squares fit of the right
        terms, as many rows as these are worth; 0 where that fit was not made.
    """

    terms: dict[str, float]
    standard_errors: dict[str, float]
    percent: float
    right: bool
    strength: float = 0.0

    def deviations(self, coefficients: Coefficients) -> list[float]:
        """Return errors of the coefficients in their standard errors, where the terms are right."""
        if not self.right:
            return []
        true = missing_terms(coefficients)
        return [(self.terms[name] - true[name]) / self.standard_errors[name] for name in true]


@dataclass(frozen=True)
class Observations:
    """Windows of three noisy snapshots, a model step apart.

    Parameters
    ----------
    truth
        What was observed.
    windows
        Shape ``(n_sample, 3, nx)`` [1].
    noise
        Standard deviation of the noise [1].
    """

    truth: Truth
    windows: Array
    noise: float

    @classmethod
    def of(
        cls, truth: Truth, samples: Samples, level: float, rng: np.random.Generator
    ) -> "Observations":
        """Observe samples of the truth.

        Parameters
        ----------
        truth, samples
            The truth and its samples without noise.
        level
            Standard deviation of the noise, relative to that of the truth [1].
        rng
            Source of the noise.
        """
        clean = np.stack([*samples.history, samples.end], axis=1)
        noise = level * float(clean.std())
        return cls(truth, clean + noise * rng.standard_normal(clean.shape), noise)

    def first(self, n_sample: int) -> "Observations":
        """Return the first of the windows."""
        return replace(self, windows=self.windows[:n_sample])

    def analysed(self, *, known: bool) -> "Analysed":
        """Estimate states and tendencies, with a known noise level or an estimated one."""
        modes = Modes(("fourier",), (self.truth.length,), (self.truth.nx,))
        noise = self.noise if known else None
        chosen = SnapshotFilter.fit(self.windows, modes, self.truth.dt, noise)
        return Analysed(self.truth, chosen, chosen(self.windows))


@dataclass(frozen=True)
class Analysed:
    """States and tendencies that were estimated from observations.

    Parameters
    ----------
    truth
        What was observed.
    chosen
        The filter.
    analysis
        What it made of the observations.
    """

    truth: Truth
    chosen: SnapshotFilter
    analysis: SnapshotAnalysis

    @cached_property
    def terms(self) -> Array:
        """Candidate terms averaged over the step, shape ``(n_term, n_sample, nx)``."""
        return mean_over_step(candidate_terms(self.truth), self.samples)

    @cached_property
    def samples(self) -> Samples:
        """A model step around the middle of each window, from filtered states.

        What is observed after it follows from the tendency without a filter, which would damp
        the terms that are fitted to it.
        """
        dt, state = self.truth.dt, self.analysis.at
        start = state(-0.5 * dt)
        observed = start + dt * self.analysis.observed_tendency
        return Samples((state(-1.5 * dt), start), state(0.5 * dt), dt, observed)

    def rows(self, fields: Array) -> Array:
        """Return the amplitudes that are known well, in which noise is white."""
        return self.chosen.level.modes.rows(fields, self.chosen.resolved)

    def columns(self, coefficients: Coefficients) -> Array:
        """Return the columns of the regression; of a model, its linear terms matter alone."""
        return self.rows(self._model(coefficients).implicit(self.terms))

    def find(
        self,
        coefficients: Coefficients,
        criterion: Criterion = "evidence",
        columns: Array | None = None,
    ) -> Found:
        """Discover what a model with these coefficients lacks.

        Parameters
        ----------
        coefficients
            Of the model.
        criterion
            How the number of terms is chosen, see `closures.model_error.Path.choose`.
        columns
            Those of `columns`, where several models share them.
        """
        # As `discover` with these rows does it, but terms are evaluated once for all models.
        gram = Gram(candidate_terms(self.truth).names)
        increments = analysis_increments(self._model(coefficients).step, self.samples)
        gram.add(self.columns(coefficients) if columns is None else columns, self.rows(increments))
        return chosen_terms(gram, gram.n_row, coefficients, criterion)

    def _model(self, coefficients: Coefficients) -> ImperfectModel:
        return ImperfectModel(coefficients, self.truth.nx, self.truth.length, self.truth.dt)


def find_as_published(observations: Observations, coefficients: Coefficients) -> Found:
    """Discover with terms at the end of the step, from the observations as they are.

    Parameters
    ----------
    observations
        Noisy snapshots.
    coefficients
        Of the model.
    """
    truth, windows = observations.truth, observations.windows
    model = ImperfectModel(coefficients, truth.nx, truth.length, truth.dt)
    samples = Samples.of([windows[:, 0], windows[:, 1]], windows[:, 2], truth.dt)
    try:
        gram = gather(model.step, samples, candidate_terms(truth), AtTheEnd())
        found = chosen_terms(gram, None, coefficients, "l_curve")
    except LibraryError:
        return Found({}, {}, percent_error(coefficients), right=False)
    return found


def chosen_terms(
    gram: Gram, n_effective: float | None, coefficients: Coefficients, criterion: Criterion
) -> Found:
    """Return the terms that a criterion chooses, beside those that a model lacks.

    Parameters
    ----------
    gram
        Moments of the regression.
    n_effective
        How many independent rows they are worth; None for as many as they show themselves.
    coefficients
        Of the model.
    criterion
        How the number of terms is chosen, see `closures.model_error.Path.choose`.
    """
    path = pruning_path(gram, n_effective)
    strength = _strength(gram, path.n_effective, missing_terms(coefficients))
    try:
        fit = path.choose(criterion)
    except NothingFoundError:
        return Found({}, {}, percent_error(coefficients), right=False, strength=strength)
    names = [path.names[i] for i in fit.support]
    terms = dict(zip(names, fit.coefficients.tolist(), strict=True))
    errors = dict(zip(names, fit.standard_errors.tolist(), strict=True))
    right = set(terms) == set(missing_terms(coefficients))
    return Found(terms, errors, percent_error(coefficients, terms), right, strength)


def _strength(gram: Gram, n_effective: float, true: dict[str, float]) -> float:
    moments = gram.moments()
    terms = [gram.names.index(name) for name in true]
    products = moments.products[np.ix_(terms, terms)] * n_effective / moments.n_row
    fitted = np.linalg.solve(
        moments.products[np.ix_(terms, terms)], moments.target_projections()[terms]
    )
    dense = np.zeros(moments.n_term)
    dense[terms] = fitted
    variance = moments.residual_square(dense) / moments.n_row
    errors = np.sqrt(variance * np.diag(np.linalg.inv(products)))
    return float(np.min(np.abs(list(true.values())) / errors))
