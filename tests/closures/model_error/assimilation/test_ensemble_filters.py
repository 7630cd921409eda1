"""Ensemble filters against the Kalman filter of the mean and covariance of their forecast."""

from collections.abc import Callable

import numpy as np
import pytest
from kalman_oracle import kalman_update
from numpy.typing import NDArray

from closures.model_error.assimilation import (
    ETKF,
    AssimilationError,
    EnsembleFilter,
    Identity,
    Localization,
    Matrix,
    Observation,
    ObservationOperator,
    StochasticEnKF,
    Subsampling,
    gaspari_cohn,
)

N = 4
OPERATORS: dict[str, ObservationOperator] = {
    "identity": Identity(N),
    "subsampling": Subsampling(N, [2, 0]),
    "matrix": Matrix([[1.0, 0.5, 0.0, 0.0], [0.0, -1.0, 2.0, 0.3], [1.0, 1.0, 1.0, 1.0]]),
}
FILTERS: dict[str, Callable[..., EnsembleFilter]] = {
    "EnKF": lambda **options: StochasticEnKF(np.random.default_rng(7), **options),
    "ETKF": ETKF,
}


def forecast(n_member: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((N, N))
    return np.asarray(1.0 + rng.standard_normal((n_member, N)) @ mixing)


def observed(name: str) -> tuple[Observation, NDArray[np.float64], NDArray[np.float64]]:
    """Return an observation, its H and its R."""
    operator = OPERATORS[name]
    p = operator.n_observation
    noise = np.linspace(0.3, 0.8, p)
    H = operator.apply(np.eye(N)).T
    return Observation(np.linspace(-1.0, 1.5, p), noise, operator), H, np.diag(noise**2)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("n_member", [3, 12])
@pytest.mark.parametrize("inflation", [1.0, 1.3])
def test_etkf_is_the_kalman_filter_to_rounding(name: str, n_member: int, inflation: float) -> None:
    members = forecast(n_member)
    observation, H, R = observed(name)
    analysis = ETKF(inflation).update(members, observation)
    covariance = inflation**2 * np.cov(members.T)
    mean, P = kalman_update(members.mean(axis=0), covariance, (observation.values, H, R))
    np.testing.assert_allclose(analysis.mean, mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(analysis.ensemble.T), P, rtol=0, atol=1e-11)


def test_etkf_moves_members_as_little_as_a_square_root_can() -> None:
    members = forecast(9)
    observation, *_ = observed("identity")
    analysis = ETKF().update(members, observation)
    before = members - members.mean(axis=0)
    after = analysis.ensemble - analysis.mean
    weights = after @ np.linalg.pinv(before)
    # The symmetric root: the map from anomalies to anomalies is symmetric, and keeps their mean.
    np.testing.assert_allclose(weights, weights.T, atol=1e-10)
    np.testing.assert_allclose(after.mean(axis=0), 0.0, atol=1e-13)


@pytest.mark.parametrize("name", OPERATORS)
def test_mean_of_the_enkf_has_no_sampling_error_of_the_perturbations(name: str) -> None:
    members = forecast(15)
    observation, H, R = observed(name)
    analysis = FILTERS["EnKF"]().update(members, observation)
    mean, _ = kalman_update(members.mean(axis=0), np.cov(members.T), (observation.values, H, R))
    np.testing.assert_allclose(analysis.mean, mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", OPERATORS)
def test_enkf_of_many_members_is_the_kalman_filter(name: str) -> None:
    n_member = 100_000
    members = forecast(n_member)
    observation, H, R = observed(name)
    analysis = FILTERS["EnKF"]().update(members, observation)
    _, P = kalman_update(members.mean(axis=0), np.cov(members.T), (observation.values, H, R))
    # An element of a covariance of n members has a standard error of sqrt(2 / n) P at most.
    error = np.abs(np.cov(analysis.ensemble.T) - P).max()
    assert error < 5.0 * np.sqrt(2.0 / n_member) * np.diag(P).max()


def test_a_flat_forecast_leaves_the_noise_of_the_observation() -> None:
    """With no prior knowledge, no number of members can average observation noise away."""
    rng = np.random.default_rng(1)
    n_state, noise = 50, 0.1
    truth = rng.standard_normal(n_state)
    observation = Observation(
        truth + noise * rng.standard_normal(n_state), noise, Identity(n_state)
    )
    broad = truth + 50.0 * rng.standard_normal((2000, n_state))
    error = StochasticEnKF(rng).update(broad, observation).mean - truth
    assert 0.7 * noise < error.std() < 1.3 * noise


@pytest.mark.parametrize("kind", FILTERS)
def test_missing_observations_are_left_out_and_counted(kind: str) -> None:
    members = forecast(8)
    holes = Observation([0.5, np.nan, -0.2, np.nan], [0.3, 0.4, 0.5, 0.6], Identity(N))
    without = Observation([0.5, -0.2], [0.3, 0.5], Subsampling(N, [0, 2]))
    analysis = FILTERS[kind]().update(members, holes)
    expected = FILTERS[kind]().update(members, without)
    np.testing.assert_array_equal(analysis.ensemble, expected.ensemble)
    assert (analysis.n_observation, analysis.n_missing) == (2, 2)
    nothing = FILTERS[kind]().update(members, Observation([np.nan] * N, 0.3, Identity(N)))
    np.testing.assert_allclose(nothing.ensemble, members, atol=1e-13)
    assert (nothing.n_observation, nothing.n_missing) == (0, N)


def line(n: int = 12) -> Localization:
    return Localization(np.arange(n), half_width=1.5, lengths=[float(n)])


def test_localised_enkf_is_the_formula_with_tapered_covariances() -> None:
    rng = np.random.default_rng(3)
    members, values = rng.standard_normal((20, 12)), rng.standard_normal(12)
    analysis = FILTERS["EnKF"](localization=line()).update(
        members, Observation(values, 0.5, Identity(12))
    )
    apart = np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
    taper = gaspari_cohn(np.minimum(apart, 12 - apart) / 1.5)
    seen = (values, np.eye(12), 0.25 * np.eye(12))
    mean, _ = kalman_update(members.mean(axis=0), taper * np.cov(members.T), seen)
    np.testing.assert_allclose(analysis.mean, mean, atol=1e-12)


def test_localised_etkf_is_a_kalman_filter_at_each_point() -> None:
    rng = np.random.default_rng(3)
    members, values = rng.standard_normal((6, 12)), rng.standard_normal(12)
    analysis = ETKF(localization=line()).update(members, Observation(values, 0.5, Identity(12)))
    mean, covariance = members.mean(axis=0), np.cov(members.T)
    for point in range(12):
        apart = np.abs(np.arange(12) - point)
        taper = gaspari_cohn(np.minimum(apart, 12 - apart) / 1.5)
        near = np.flatnonzero(taper)
        seen = (values[near], np.eye(12)[near], np.diag(0.25 / taper[near]))
        local, P = kalman_update(mean, covariance, seen)
        assert analysis.mean[point] == pytest.approx(local[point], abs=1e-12)
        assert analysis.ensemble[:, point].var(ddof=1) == pytest.approx(P[point, point], abs=1e-12)


@pytest.mark.parametrize("kind", FILTERS)
def test_what_is_far_away_stays_as_it_is(kind: str) -> None:
    members = np.random.default_rng(5).standard_normal((5, 12))
    observation = Observation([4.0], 0.1, Subsampling(12, [0]))
    moved = FILTERS[kind](localization=line()).update(members, observation).ensemble - members
    # Beyond 2 c = 3 points, either way round.
    np.testing.assert_allclose(moved[:, 3:10], 0.0, atol=1e-13)
    assert np.abs(moved[:, [0, 1, 11]]).min(axis=1).max() > 0.0


@pytest.mark.parametrize("kind", FILTERS)
def test_a_wide_localisation_is_none(kind: str) -> None:
    members = np.random.default_rng(5).standard_normal((5, 12))
    observation = Observation(np.ones(12), 0.4, Identity(12))
    wide = Localization(np.arange(12), half_width=1e6, lengths=[12.0])
    near = FILTERS[kind](localization=wide).update(members, observation)
    np.testing.assert_allclose(
        near.ensemble, FILTERS[kind]().update(members, observation).ensemble, atol=1e-8
    )


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize(
    ("members", "message"),
    [
        (np.zeros((1, N)), r"at least 2 members, got 1; one member has no covariance"),
        (np.zeros((5, N + 1)), r"expected shape \(n_member, 4\), got \(5, 5\)"),
        (np.zeros(N), r"expected shape \(n_member, 4\), got \(4,\)"),
        (np.array([[0.0] * N, [np.nan] * N, [1.0] * N]), "got 1 of 3 that are not"),
    ],
)
def test_bad_ensembles_are_named(kind: str, members: NDArray[np.float64], message: str) -> None:
    with pytest.raises(AssimilationError, match=message):
        FILTERS[kind]().update(members, Observation(np.zeros(N), 0.1, Identity(N)))


@pytest.mark.parametrize("kind", FILTERS)
def test_an_inflation_that_shrinks_is_refused(kind: str) -> None:
    with pytest.raises(AssimilationError, match=r"factor of at least 1, got 0\.9"):
        FILTERS[kind](inflation=0.9)
