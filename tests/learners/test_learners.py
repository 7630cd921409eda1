"""Searches and the inversion, where the best policy is known."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from analytic_rollouts import REFERENCE, Analytic

from hybrid.environments import SpectrumAndMomentsReward
from hybrid.learners.inversion import invert
from hybrid.learners.search import LOST, UNITS, Free, Learner, evolve, scan

REWARD = SpectrumAndMomentsReward(REFERENCE)
BEST = np.zeros((2, 6))
BEST[0, :3] = 0.008, -0.004, 0.006
BEST[1, :2] = 0.003, 0.002
WHICH = BEST != 0.0
STEPS = Analytic(best=BEST).steps_a_policy


def reward_of(weights: np.ndarray) -> float:
    """The reward without noise."""
    return float(Analytic(best=BEST).run(weights[None], [0]).rewards(REWARD, LOST)[0])


def inverted(rollouts: Any, _reward: Any, *rest: Any, **how: Any) -> Any:
    """The inversion, called as the searches are."""
    return invert(rollouts, REFERENCE, *rest, **how)


LEARNERS: dict[str, Any] = {"cma": evolve, "eki": partial(inverted, n_member=40)}


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_find_the_best_policy_through_noise(name: str) -> None:
    rollouts = Analytic(best=BEST, noise=0.05)
    free = Free(np.zeros((2, 6)), WHICH)
    found = LEARNERS[name](rollouts, REWARD, free, 600 * STEPS, 3)
    # At the start it is below -100, noise alone costs about 1.
    assert reward_of(np.zeros((2, 6))) < -100.0
    assert reward_of(found.weights) > -1.0
    assert not found.weights[~WHICH].any()


@pytest.mark.parametrize("name", LEARNERS)
def test_budget_is_kept_and_spent(name: str) -> None:
    learn: Learner = LEARNERS[name]
    seen: list[float] = []
    rollouts, free = Analytic(best=BEST), Free(np.zeros((2, 6)), WHICH)
    found = learn(rollouts, REWARD, free, 95 * STEPS, 0, seen.append)
    assert found.steps[-1] <= 95 * STEPS
    assert len(found.steps) == len(found.rewards) == len(seen)
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_same_seed_learns_the_same(name: str) -> None:
    def learn(seed: int) -> np.ndarray:
        rollouts, free = Analytic(best=BEST, noise=0.05), Free(np.zeros((2, 6)), WHICH)
        return np.asarray(LEARNERS[name](rollouts, REWARD, free, 90 * STEPS, seed).weights)

    assert np.array_equal(learn(1), learn(1))
    assert not np.array_equal(learn(1), learn(2))


@pytest.mark.parametrize("name", LEARNERS)
def test_policies_that_blow_up_are_left_behind(name: str) -> None:
    rollouts = Analytic(best=BEST, noise=0.05, lost_beyond=2.5)
    found = LEARNERS[name](rollouts, REWARD, Free(np.zeros((2, 6)), WHICH), 600 * STEPS, 5)
    assert reward_of(found.weights) > -2.0


def test_an_inversion_from_which_none_is_left_says_so() -> None:
    rollouts = Analytic(best=BEST, lost_beyond=0.0)
    with pytest.raises(ValueError, match="begin with a smaller spread"):
        invert(rollouts, REFERENCE, Free(np.zeros((2, 6)), WHICH), 100 * STEPS, 0)


def test_a_scan_finds_the_nearest_of_its_values() -> None:
    best, which = np.zeros((2, 6)), np.zeros((2, 6), dtype=np.bool_)
    best[0, 0], which[0, 0] = 0.0174, True
    found = scan(
        Analytic(best=best, noise=0.02), REWARD, Free(0.0 * best, which), 300 * STEPS, 0,
        between=(0.0, 10.0), at_a_time=11,
    )  # fmt: skip
    assert found.weights[0, 0] == pytest.approx(3 * UNITS[0])
    assert np.count_nonzero(found.weights) == 1
    with pytest.raises(ValueError, match="one weight"):
        scan(Analytic(best=best), REWARD, Free(best, ~which), 10, 0)
