"""Discovery from noisy observations: three snapshots a sample, and nothing else."""

from dataclasses import dataclass
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
        terms; 0 where that fit was not made.
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

    def find(self, coefficients: Coefficients, criterion: Criterion = "evidence") -> Found:
        """Discover what a model with these coefficients lacks.

        Parameters
        ----------
        coefficients
            Of the model.
        criterion
            How the number of terms is chosen, see `closures.model_error.Path.choose`.
        """
        truth = self.truth
        model = ImperfectModel(coefficients, truth.nx, truth.length, truth.dt)
        # As `discover` with these rows does it, but terms are evaluated once for all models.
        gram = Gram(candidate_terms(truth).names)
        increments = analysis_increments(model.step, self.samples)
        gram.add(self.rows(model.implicit(self.terms)), self.rows(increments))
        strength = _strength(gram, missing_terms(coefficients))
        return _choice(gram, gram.n_row, coefficients, criterion, strength)


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
        return _choice(gram, None, coefficients, "l_curve", 0.0)
    except LibraryError:
        return Found({}, {}, percent_error(coefficients), right=False)


def _choice(
    gram: Gram,
    n_effective: float | None,
    coefficients: Coefficients,
    criterion: Criterion,
    strength: float,
) -> Found:
    path = pruning_path(gram, n_effective)
    try:
        fit = path.choose(criterion)
    except NothingFoundError:
        return Found({}, {}, percent_error(coefficients), right=False, strength=strength)
    names = [path.names[i] for i in fit.support]
    terms = dict(zip(names, fit.coefficients.tolist(), strict=True))
    errors = dict(zip(names, fit.standard_errors.tolist(), strict=True))
    right = set(terms) == set(missing_terms(coefficients))
    return Found(terms, errors, percent_error(coefficients, terms), right, strength)


def _strength(gram: Gram, true: dict[str, float]) -> float:
    moments = gram.moments()
    terms = [gram.names.index(name) for name in true]
    products = moments.products[np.ix_(terms, terms)]
    fitted = np.linalg.solve(products, moments.target_projections()[terms])
    dense = np.zeros(moments.n_term)
    dense[terms] = fitted
    variance = moments.residual_square(dense) / moments.n_row
    errors = np.sqrt(variance * np.diag(np.linalg.inv(products)))
    return float(np.min(np.abs(list(true.values())) / errors))
