"""The relevance vector machine: closed forms, oracles, what it chooses, and as an optimizer."""

import time
from collections.abc import Callable

import numpy as np
import pysindy
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal
from sklearn.linear_model import ARDRegression

from closures.model_error import Gram, LibraryError, NothingFoundError, pruning_path
from closures.model_error.choice import (
    evidence_of_sizes,
    growth_ratios,
    size_by_evidence,
    size_by_l_curve,
)
from closures.model_error.posterior import fit_posterior
from closures.model_error.relevance import Criterion, Path
from closures.model_error.sindy import RelevanceVectorMachine

Array = NDArray[np.float64]


def problem(
    n: int, p: int, true: dict[int, float], noise: float, seed: int = 0
) -> tuple[Array, Array]:
    """Correlated columns of very different sizes; coefficients relative to those sizes."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(p) + 0.3 * rng.standard_normal((p, p))
    x = (rng.standard_normal((n, p)) @ mixing) * np.logspace(-3, 3, p)
    y = sum(value * x[:, i] / x[:, i].std() for i, value in true.items())
    return x, y + noise * rng.standard_normal(n)


def path(x: Array, y: Array, n_effective: float | None = None) -> Path:
    gram = Gram([str(i) for i in range(x.shape[1])])
    gram.add(x.T, y)
    return pruning_path(gram, n_effective)


def test_without_doubt_it_is_least_squares() -> None:
    x, y = problem(400, 6, {1: 1.0, 4: -2.0}, 1e-4)
    gram = Gram([str(i) for i in range(6)])
    gram.add(x.T, y)
    fit, _ = fit_posterior(gram.moments(), (1, 4), 400.0)
    expected, (squares,), *_ = np.linalg.lstsq(x[:, [1, 4]], y, rcond=None)
    np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-6)
    assert fit.residual == pytest.approx(np.sqrt(squares / (y @ y)), rel=1e-4)
    errors = np.sqrt(squares / 398 * np.diag(np.linalg.inv(x[:, [1, 4]].T @ x[:, [1, 4]])))
    np.testing.assert_allclose(fit.standard_errors, errors, rtol=1e-3)


def test_the_evidence_is_the_probability_of_the_target() -> None:
    """Differences of the evidence are those of log N(y; 0, 1 / beta + X X' / alpha)."""
    x, y = problem(60, 4, {0: 0.5, 2: 1.0}, 1.0)
    gram = Gram([str(i) for i in range(4)])
    gram.add(x.T, y)
    scaled, target = x / np.sqrt(np.mean(x**2, axis=0)), y / np.sqrt(np.mean(y**2))
    found, expected = [], []
    for support in ((0, 2), (0, 1, 2, 3), (1,)):
        fit, alpha = fit_posterior(gram.moments(), support, 60.0)
        # At the optimum, beta is the inverse of the mean square of what is undetermined.
        kept = scaled[:, support]
        spread = fit.covariance * np.outer(*[np.sqrt(np.mean(x[:, support] ** 2, axis=0))] * 2)
        spread /= np.mean(y**2)
        determined = np.sum(1.0 - alpha * np.diag(spread))
        noise = fit.residual**2 * 60 / (60 - determined)
        covariance = noise * np.eye(60) + kept / alpha @ kept.T
        found.append(fit.log_evidence)
        expected.append(multivariate_normal(np.zeros(60), covariance).logpdf(target))
    np.testing.assert_allclose(np.diff(found), np.diff(expected), atol=5e-3)


@pytest.mark.parametrize("criterion", ["l_curve", "evidence"])
@pytest.mark.parametrize("noise", [0.0, 1e-3, 0.3])
def test_the_right_terms_whatever_the_units(criterion: Criterion, noise: float) -> None:
    true = {2: 1.0, 7: -0.2, 11: 0.5}
    x, y = problem(2000, 15, true, noise)
    fits = [path(x * units, y / 7.0).choose(criterion) for units in (1.0, np.logspace(5, -5, 15))]
    for fit in fits:
        assert set(fit.support) == set(true)
    np.testing.assert_allclose(fits[1].coefficients * np.logspace(5, -5, 15)[list(fits[1].support)],
                               fits[0].coefficients, rtol=1e-6)  # fmt: skip


def test_same_terms_as_scikit_learn() -> None:
    true = {0: 1.0, 3: -0.5, 6: 0.1}
    x, y = problem(1500, 8, true, 0.05)
    scale = np.sqrt(np.mean(x**2, axis=0))
    oracle = ARDRegression(fit_intercept=False, threshold_lambda=1e4).fit(x / scale, y)
    fit = path(x, y).choose()
    assert set(np.flatnonzero(np.abs(oracle.coef_) > 0.01)) == set(fit.support) == set(true)
    np.testing.assert_allclose(
        fit.dense(8)[list(true)], (oracle.coef_ / scale)[list(true)], rtol=5e-3
    )


def test_the_full_size_takes_less_time_than_a_least_squares_solution_of_the_rows() -> None:
    x, y = problem(102_400, 24, {3: 1.0, 20: 0.1}, 0.1)
    columns = np.ascontiguousarray(x.T)

    def ours() -> None:
        gram = Gram([str(i) for i in range(24)])
        gram.add(columns, y)
        assert pruning_path(gram).choose().support == (3, 20)

    def theirs() -> None:
        np.linalg.lstsq(x, y, rcond=None)

    def seconds(work: Callable[[], None]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    assert min(seconds(ours) for _ in range(3)) < min(seconds(theirs) for _ in range(3))


def test_coverage_of_the_posterior() -> None:
    """Standard errors are those of the scatter, also where every row comes five times."""
    for repeats in (1, 5):
        deviations = []
        for seed in range(60):
            x, y = problem(600, 3, {0: 1.0, 2: -0.5}, 0.5, seed)
            truth = np.array([1.0, -0.5]) / x[:, [0, 2]].std(axis=0)
            fit = path(np.repeat(x, repeats, axis=0), np.repeat(y, repeats)).choose()
            assert fit.support == (0, 2)
            deviations.append((fit.coefficients - truth) / fit.standard_errors)
        assert np.std(deviations) == pytest.approx(1.0, abs=0.25)


def test_noise_alone_is_no_equation() -> None:
    false_alarms = 0
    for seed in range(40):
        x, _ = problem(500, 10, {}, 1.0, seed)
        y = np.random.default_rng(seed + 1000).standard_normal(500)
        for criterion in ("l_curve", "evidence"):
            try:
                path(x, y, 500.0).choose(criterion)
            except NothingFoundError:
                continue
            false_alarms += 1
    assert false_alarms <= 4


def test_dependent_rows_do_not_become_terms() -> None:
    """Noise that repeats looks significant when its rows are counted as independent."""
    found = {True: 0, False: 0}
    for seed in range(10):
        x, y = problem(400, 8, {1: 1.0}, 0.5, seed)
        x, y = np.repeat(x, 25, axis=0), np.repeat(y, 25)
        for informed in found:
            fit = path(x, y, None if informed else float(len(y))).choose("evidence")
            found[informed] += fit.support == (1,)
    assert found[True] >= 9
    assert found[False] <= 5


def test_the_evidence_of_noise_free_residuals_stops_at_the_error_of_the_step() -> None:
    # Two terms, then residuals of 1e-5 that fall by a part with every further one.
    residuals = [1.0, 0.5, *(1e-5 * 0.8**k for k in range(10))]
    for size in (size_by_evidence, size_by_l_curve):
        assert size(residuals, 5000.0) == 2


def test_the_l_curve_leaves_out_what_is_significant_but_does_not_bend_it() -> None:
    residuals = np.sqrt([1.0, 0.2, 0.05, 0.0498, 0.0495, 0.04935, 0.0493])
    assert size_by_evidence(list(residuals), 1e5) > 2
    assert size_by_l_curve(list(residuals), 1e5) == 2
    assert int(np.argmax(growth_ratios(residuals, 1e5))) == 1


def test_evidence_prefers_fewer_terms_where_residuals_are_the_same() -> None:
    evidence = evidence_of_sizes([1.0, 0.5, 0.5, 0.5], 100.0)
    assert evidence[1] > evidence[2] > evidence[3] - np.log(3)
    assert evidence[1] > evidence[0]


def test_one_candidate_and_all_candidates() -> None:
    x, y = problem(300, 1, {0: 1.0}, 0.1)
    assert path(x, y).choose().support == (0,)
    x, y = problem(300, 3, {0: 1.0, 1: 1.0, 2: 1.0}, 0.1)
    assert path(x, y).choose().support == (0, 1, 2)


def test_an_unknown_criterion_is_refused() -> None:
    x, y = problem(300, 3, {0: 1.0}, 0.1)
    with pytest.raises(ValueError, match="criterion: expected one of l_curve, evidence, got 'aic'"):
        path(x, y).choose("aic")  # type: ignore[arg-type]


def test_as_an_optimizer_of_pysindy() -> None:
    rate, n = np.array([[-0.1, 2.0], [-2.0, -0.1]]), 400
    x = np.empty((n, 2))
    x[0] = (2.0, 0.0)
    times = np.linspace(0.0, 10.0, n)
    values, vectors = np.linalg.eig(rate)
    for i, t in enumerate(times):
        x[i] = (vectors @ np.diag(np.exp(values * t)) @ np.linalg.inv(vectors) @ x[0]).real
    optimizer = RelevanceVectorMachine()
    model = pysindy.SINDy(
        optimizer, feature_library=pysindy.PolynomialLibrary(3, include_bias=False)
    )
    model.fit(x, t=times, x_dot=x @ rate.T)
    found = model.coefficients()
    np.testing.assert_allclose(found[:, :2], rate, atol=1e-10)
    assert np.count_nonzero(found) == 4 == optimizer.complexity
    assert optimizer.covariance_.shape == (2, 9, 9)
    assert len(optimizer.paths_) == 2


def test_the_optimizer_says_when_it_finds_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 4))
    with pytest.raises(NothingFoundError, match="expected terms that explain the increments"):
        RelevanceVectorMachine(n_effective=300.0).fit(x, rng.standard_normal(300))
    both = np.stack([x[:, 1], rng.standard_normal(300)], axis=1)
    found = RelevanceVectorMachine(n_effective=300.0).fit(x, both).coef_
    np.testing.assert_allclose(found, [[0.0, 1.0, 0.0, 0.0], [0.0] * 4], atol=1e-9)
    with pytest.raises(LibraryError, match="column 0 and column 1, which are proportional"):
        RelevanceVectorMachine().fit(np.stack([x[:, 0], x[:, 0]], axis=1), x[:, 1])
