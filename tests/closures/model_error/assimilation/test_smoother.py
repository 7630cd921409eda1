"""The ensemble smoother against the smoothers of textbooks."""

import numpy as np
import pytest
from kalman_oracle import Gaussian, Seen, batch_initial_state, rauch_tung_striebel
from numpy.typing import NDArray

from closures.model_error.assimilation import (
    ETKF,
    AssimilationError,
    Matrix,
    Observation,
    StochasticEnKF,
    smooth,
)

TRANSITION = np.array([[0.9, 0.4, 0.0], [-0.3, 1.1, 0.2], [0.1, 0.0, 0.8]])
NOISE = np.array([0.2, 0.5])
H = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, -1.0]])
VALUES: list[list[float] | None] = [[0.3, -0.5], None, [1.2, 0.1], [0.8, 0.4]]


def step(states: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(states @ TRANSITION.T)


def observations() -> list[Observation | None]:
    return [None if each is None else Observation(each, NOISE, Matrix(H)) for each in VALUES]


def seen() -> list[Seen | None]:
    R = np.diag(NOISE**2)
    return [None if each is None else (np.array(each), H, R) for each in VALUES]


def members(n_member: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(2)
    return np.asarray(0.5 + rng.standard_normal((n_member, 3)) @ rng.standard_normal((3, 3)))


def gaussian(ensemble: NDArray[np.float64]) -> Gaussian:
    return ensemble.mean(axis=0), np.cov(ensemble.T)


def test_smoother_is_rauch_tung_striebel_to_rounding() -> None:
    ensemble = members(7)
    window = smooth(ensemble, step, observations(), ETKF())
    expected = rauch_tung_striebel(gaussian(ensemble), TRANSITION, seen())
    for states, (mean, covariance) in zip(window.ensembles, expected, strict=True):
        np.testing.assert_allclose(states.mean(axis=0), mean, atol=1e-11)
        np.testing.assert_allclose(np.cov(states.T), covariance, atol=1e-11)
    assert window.n_observation == (2, 0, 2, 2)


def test_smoother_solves_the_normal_equations_of_all_observations() -> None:
    ensemble = members(7)
    window = smooth(ensemble, step, observations(), ETKF())
    mean, covariance = batch_initial_state(gaussian(ensemble), TRANSITION, seen())
    np.testing.assert_allclose(window.mean[0], mean, atol=1e-11)
    np.testing.assert_allclose(np.cov(window.ensembles[0].T), covariance, atol=1e-11)


def test_stochastic_smoother_of_many_members_is_rauch_tung_striebel() -> None:
    n_member = 50_000
    ensemble = members(n_member)
    method = StochasticEnKF(np.random.default_rng(4))
    window = smooth(ensemble, step, observations(), method)
    expected = rauch_tung_striebel(gaussian(ensemble), TRANSITION, seen())
    for states, (mean, covariance) in zip(window.ensembles, expected, strict=True):
        scale = np.diag(covariance).max()
        error = np.abs(states.mean(axis=0) - mean).max()
        assert error < 5.0 * np.sqrt(scale / n_member)
        assert np.abs(np.cov(states.T) - covariance).max() < 5.0 * np.sqrt(2.0 / n_member) * scale


def test_without_lag_it_is_the_filter() -> None:
    ensemble = members(50)
    window = smooth(ensemble, step, observations(), ETKF(), lag=0)
    first = ETKF().update(ensemble, Observation([0.3, -0.5], NOISE, Matrix(H))).ensemble
    np.testing.assert_array_equal(window.ensembles[0], first)
    np.testing.assert_array_equal(window.ensembles[1], step(first))


def test_a_lag_of_one_corrects_the_time_before_alone() -> None:
    ensemble = members(6)
    whole = smooth(ensemble, step, observations()[:3], ETKF(), lag=1)
    alone = smooth(ensemble, step, observations()[:2], ETKF(), lag=1)
    np.testing.assert_array_equal(whole.ensembles[0], alone.ensembles[0])
    assert np.abs(whole.ensembles[1] - alone.ensembles[1]).max() > 0.01


def test_the_model_may_work_in_place() -> None:
    def in_place(states: NDArray[np.float64]) -> NDArray[np.float64]:
        states[:] = states @ TRANSITION.T
        return states

    ensemble = members(5)
    given = ensemble.copy()
    window = smooth(ensemble, in_place, observations(), ETKF())
    np.testing.assert_array_equal(ensemble, given)
    np.testing.assert_allclose(
        window.ensembles, smooth(ensemble, step, observations(), ETKF()).ensembles, atol=1e-14
    )


def test_bad_windows_are_named() -> None:
    ensemble = members(5)
    with pytest.raises(AssimilationError, match="at least one time, got none"):
        smooth(ensemble, step, [], ETKF())
    with pytest.raises(AssimilationError, match="no negative lag, got -1"):
        smooth(ensemble, step, observations(), ETKF(), lag=-1)
    with pytest.raises(AssimilationError, match=r"\(n_member, n_state\), got \(3,\)"):
        smooth(ensemble[0], step, observations(), ETKF())
    with pytest.raises(
        AssimilationError, match=r"shape \(5, 3\) after it, as before, got \(5, 2\)"
    ):
        smooth(ensemble, lambda x: x[:, :2], observations(), ETKF())
    with pytest.raises(AssimilationError, match="got 5 of 5 that are not; shorten the time step"):
        smooth(ensemble, lambda x: x * np.inf, observations(), ETKF())
    with pytest.raises(AssimilationError, match="at least 2 members, got 1"):
        smooth(ensemble[:1], step, [None, None], ETKF())
