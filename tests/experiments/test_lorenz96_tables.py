"""Which closure counts as best, and what the note of the table says about it."""

import numpy as np
import pytest

from hybrid.evaluation import EnsembleScores
from hybrid.experiments.lorenz96.scoring import Scores
from hybrid.experiments.lorenz96.tables import best_climate

HELLINGER = {
    "floor": [0.01],
    "none": [0.001, 0.001, 0.001],
    "cubic": [0.020, 0.022, 0.024],
    "cubic_ar1": [0.060, 0.061, 0.062],
    "mlp_ar1": [0.050, 0.050, 0.050],
}
CRPS = {"floor": 0.1, "none": 0.1, "cubic": 0.9, "cubic_ar1": 0.4, "mlp_ar1": 0.5}


def scores(**hellinger: list[float]) -> Scores:
    """Return scores with two lead times, of which the second counts."""
    climate = {name: np.array(seeds) for name, seeds in {**HELLINGER, **hellinger}.items()}
    # At the first lead time the order is reversed.
    curves = {name: np.array([1.0 - value, value]) for name, value in CRPS.items()}
    forecast = {name: EnsembleScores(curve, curve, curve) for name, curve in curves.items()}
    return Scores({"hellinger": climate}, np.array([0.0, 1.0]), {}, forecast, 1)


def test_a_deterministic_closure_may_be_best_and_no_closure_may_not() -> None:
    assert scores().ranking("hellinger") == ["cubic", "mlp_ar1", "cubic_ar1"]
    assert scores().ranking("crps") == ["cubic_ar1", "mlp_ar1", "cubic"]


def test_margin_and_scatter_are_those_of_the_first_two() -> None:
    assert scores().margin() == pytest.approx((0.028, 0.002))
    # The larger of 0.002 and 0.005.
    assert scores(mlp_ar1=[0.020, 0.025, 0.030]).margin() == pytest.approx((0.003, 0.005))


@pytest.mark.parametrize(
    ("mlp_ar1", "said"),
    [
        ([0.020, 0.025, 0.030], "cubic; MLP + AR(1) is a tie within the scatter (they"),
        ([0.0235, 0.0235, 0.0235], "cubic; MLP + AR(1) is a tie within the scatter (they"),
        ([0.025, 0.025, 0.025], "cubic; MLP + AR(1) is next, by more than the scatter (they"),
        ([0.010, 0.010, 0.010], "MLP + AR(1); cubic is next, by more than the scatter (they"),
    ],
)
def test_the_note_calls_a_tie_a_tie(mlp_ar1: list[float], said: str) -> None:
    assert f"lowest mean Hellinger distance: {said}" in best_climate(scores(mlp_ar1=mlp_ar1))
