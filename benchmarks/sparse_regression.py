"""Which sparse regression finds the right terms: ours beside pysindy's and scikit-learn's.

The problems are the model errors of MEDIDA's Kuramoto-Sivashinsky study, each as a matrix of
columns and a target. Everyone gets columns and target scaled to a mean square of 1.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pysindy
from numpy.typing import NDArray
from pysindy.optimizers import FROLS, SR3, SSR, STLSQ, EnsembleOptimizer
from sklearn.linear_model import ARDRegression

from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import FULL, Session, Timings
from closures.model_error import Library, NothingFoundError, Samples, analysis_increments
from closures.model_error.sindy import RelevanceVectorMachine
from hybrid.experiments.medida_ks.cases import (
    CASES,
    TERMS,
    Coefficients,
    ImperfectModel,
    missing_terms,
    percent_error,
)
from hybrid.experiments.medida_ks.noise_free import FORMS, candidate_terms
from hybrid.experiments.medida_ks.truth import Truth
from solvers import KuramotoSivashinsky

TITLE = "One model error at a time: which sparse regressions find its terms"
SIZES = ((128, 50.0), (256, 100.0))
"""Grid points, and the length of the domain."""

NOISE = 0.01
"""Standard deviation of the noise of observations, relative to that of the state."""

Array = NDArray[np.float64]
Problem = tuple[Array, Array, tuple[str, ...]]
"""Columns, target, and names of the columns."""

OURS = "RVM"
"""What the others are compared with."""

_ROUNDING = 1e-10
_SEED = 0

REGRESSIONS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        OURS: RelevanceVectorMachine,
        "RVM, evidence alone": lambda: RelevanceVectorMachine("evidence"),
        "STLSQ": STLSQ,
        "STLSQ, threshold 0.03": lambda: STLSQ(threshold=0.03, alpha=1e-8),
        "SR3": lambda: SR3(max_iter=1000, unbias=True),
        "FROLS": FROLS,
        "FROLS, kappa 1e-6": lambda: FROLS(kappa=1e-6, alpha=1e-8),
        "SSR": SSR,
        "SSR, kappa 1e-2": lambda: SSR(kappa=1e-2, alpha=1e-8, max_iter=24),
        "ensemble of STLSQ": lambda: EnsembleOptimizer(STLSQ(), bagging=True),
        "ARDRegression": lambda: ARDRegression(fit_intercept=False),
    }
)
"""Ours without and with the L-curve; those of pysindy with default settings and, where these find
little, with the better of a few others; that of scikit-learn."""


class Fit(NamedTuple):
    """One problem: whether exactly the right terms were found, error [%], time [s]."""

    right: bool
    error: float
    seconds: float


@dataclass(frozen=True)
class RegressionScore(Compared):
    """How a regression did on all model errors in one form.

    Parameters
    ----------
    size
        Grid points.
    library
        How the problems were made.
    regression
        Key of `REGRESSIONS`.
    right, cases
        In how many of how many cases it found exactly the right terms.
    error
        Median error of the corrected coefficients [%].
    seconds
        Median time of a fit [s].
    """

    size: int
    library: str
    regression: str
    right: int
    cases: int
    error: float
    seconds: float

    def row(self) -> dict[str, str]:
        """Return what a table shows."""
        return {
            "points": str(self.size),
            "library": self.library,
            "regression": self.regression,
            "right": f"{self.right} of {self.cases}",
            "error [%]": f"{self.error:.2g}",
            "fit [ms]": f"{1e3 * self.seconds:.1f}",
        }


def filtered(samples: Samples, noise: float, rng: np.random.Generator) -> Samples:
    """Add noise to samples and filter it out, wave by wave, by the spectrum of the observations.

    Parameters
    ----------
    samples
        States without noise, shape ``(n_sample, nx)``.
    noise
        Standard deviation, relative to that of the states; known to the filter.
    rng
        Of the noise.
    """
    states = np.stack([*samples.history, samples.end])
    n, variance = states.shape[-1], float(np.square(noise * states.std()))
    seen = np.fft.rfft(states + rng.normal(0.0, variance**0.5, states.shape))
    power = np.square(np.abs(seen)).mean(axis=(0, 1)) / n
    signal = np.maximum(power - variance, 0.0)
    gain = signal / (signal + variance)
    # Beyond the first wave after the peak that is mostly noise, nothing is signal.
    peak = int(np.argmax(power))
    gain[peak + int(np.argmax(gain[peak:] < 0.25)) :] = 0.0
    analysed = np.fft.irfft(gain * seen, n=n)
    return Samples.of(list(analysed[:-1]), analysed[-1], samples.dt)


def step_problem(form: str, truth: Truth, samples: Samples, wrong: Coefficients) -> Problem:
    """Return increments of one step and a library, in a form of `FORMS`."""
    model = ImperfectModel(wrong, truth.nx, truth.length, truth.dt)
    library: Library = candidate_terms(truth)
    columns = FORMS[form](model)(library, samples).reshape(len(library.terms), -1).T
    return columns, analysis_increments(model.step, samples).ravel(), library.names


def weak_form(truth: Truth, noise: float, n_time: int = 300) -> Callable[[Coefficients], Problem]:
    """Return what makes problems of pysindy's weak form, from a time series with noise.

    It needs states that follow each other closely, not samples of three.
    """
    model = KuramotoSivashinsky(nx=truth.nx, length=truth.length, dt=truth.coarse_dt)
    run = model.run(time=100.0 + 0.1 * n_time, save_every=0.1, seed=_SEED)
    u = run.u[-n_time:, 0].to_numpy().T
    u = u + np.random.default_rng(_SEED).normal(0.0, noise * u.std(), u.shape)
    mesh = np.meshgrid(np.arange(truth.nx) * truth.length / truth.nx, 0.1 * np.arange(n_time))
    np.random.seed(_SEED)  # noqa: NPY002 -- pysindy draws its test functions from it
    library = pysindy.WeakPDELibrary(
        function_library=pysindy.PolynomialLibrary(degree=4, include_bias=False),
        derivative_order=4,
        spatiotemporal_grid=np.stack([axis.T for axis in mesh], axis=-1),
        K=500,
        H_xt=[8.0, 3.0],
        p=6,
        include_bias=False,
    )
    columns = np.asarray(library.fit_transform(u[..., None]))
    rate = np.asarray(library.convert_u_dot_integral(u[..., None]))[:, 0]
    names = tuple(map(_our_name, library.get_feature_names(["u"])))
    known = np.array([names.index(name) for name in TERMS])

    def problem(wrong: Coefficients) -> Problem:
        # A tendency has on the right what the equation has on the left.
        return columns, rate + columns[:, known] @ wrong.vector(), names

    return problem


def _our_name(name: str) -> str:
    """Return our name of a term of pysindy: ``u^2u_11`` is u^2 u_xx, ``uu_1`` u u_x."""
    factor, separator, index = name.rpartition("u_")
    if not separator:
        return name
    return f"{factor} u_{'x' * len(index)}".strip()


def problems(nx: int, length: float) -> Mapping[str, Callable[[Coefficients], Problem]]:
    """Return the ways to make a problem of the coefficients of a model, by name."""
    truth = Truth(nx=nx, length=length)
    exact = truth.samples(_SEED)
    noisy = filtered(exact, NOISE, np.random.default_rng(_SEED))
    return {
        "step-consistent": lambda wrong: step_problem("operator", truth, exact, wrong),
        "at the end": lambda wrong: step_problem("at_the_end", truth, exact, wrong),
        f"step-consistent, noise {NOISE:.0%}": lambda wrong: step_problem(
            "operator", truth, noisy, wrong
        ),
        f"weak form of a series, noise {NOISE:.0%}": weak_form(truth, NOISE),
    }


def fit(regression: Any, columns: Array, target: Array) -> Array:
    """Return the coefficients that a regression finds, 0 where it finds none."""
    scale, size = np.sqrt(np.mean(columns**2, axis=0)), float(np.sqrt(np.mean(target**2)))
    with warnings.catch_warnings():
        # Those of pysindy, of thresholds that leave nothing and of iterations that do not end.
        warnings.simplefilter("ignore")
        try:
            regression.fit(columns / scale, target / size)
        except NothingFoundError:
            return np.zeros(len(scale))
    found = np.ravel(regression.coef_)
    return np.asarray(np.where(np.abs(found) > _ROUNDING, found, 0.0) * size / scale)


def measure(
    sizes: Sequence[tuple[int, float]] = SIZES, session: Session = FULL
) -> Iterator[RegressionScore]:
    """Yield a score for each regression on each form of the problems.

    The regressions take turns at each problem, so that a ratio of times is one of the same fit.
    """
    for nx, length in sizes:
        for library, problem in problems(nx, length).items():
            fits: dict[str, list[Fit]] = {name: [] for name in REGRESSIONS}
            for i, (case, wrong) in enumerate(CASES.items()):
                session.progress(f"{nx} points, {library}, {case}", i / len(CASES))
                made = problem(wrong)
                for name, make in REGRESSIONS.items():
                    fits[name].append(_fitted(case, make(), made))
            yield from _scores(nx, library, fits)


def _fitted(case: str, regression: Any, problem: Problem) -> Fit:
    columns, target, names = problem
    start = time.process_time()
    coefficients = fit(regression, columns, target)
    seconds = time.process_time() - start
    found = {names[i]: float(coefficients[i]) for i in np.flatnonzero(coefficients)}
    right = set(found) == set(missing_terms(CASES[case]))
    return Fit(right, percent_error(CASES[case], found), seconds)


def _scores(nx: int, library: str, fits: Mapping[str, Sequence[Fit]]) -> Iterator[RegressionScore]:
    timings = Timings({name: [fit.seconds for fit in found] for name, found in fits.items()})
    for name, found in fits.items():
        ours = f"{nx} points, {library}, {OURS}"
        beside = () if name == OURS else (Comparison.of(timings, OURS, name, what=ours),)
        yield RegressionScore(
            nx,
            library,
            name,
            sum(fit.right for fit in found),
            len(found),
            median(fit.error for fit in found),
            timings.median(name),
            comparisons=beside,
        )
