"""Figures of scores that a run does not draw itself, and the looks of lines."""

import numpy as np

from hybrid.climsim_scores.figures.learning import Curve, learning_curve
from hybrid.climsim_scores.figures.style import is_left, model_lines, panels
from hybrid.climsim_scores.scoring import HOURLY, MEAN


def test_learning_curve_shows_mean_and_range_of_the_seeds() -> None:
    curves: dict[str, dict[str, Curve]] = {
        "dT": {"mlp": {4000: (3.0, 4.0), 1000: (5.0, 5.5)}, "cnn": {1000: (6.0,), 4000: (5.0,)}},
        "dq": {"mlp": {1000: (9.0,), 4000: (8.0,)}},
    }
    drawn = learning_curve(curves, constant={"dT": {MEAN: 4.5}}).figure
    first, second = drawn.axes
    mlp, cnn, climatology = first.get_lines()
    np.testing.assert_array_equal(mlp.get_xydata(), [[1000, 5.25], [4000, 3.5]])
    np.testing.assert_array_equal(cnn.get_ydata(), [6.0, 5.0])
    assert climatology.get_label() == MEAN
    shading = np.asarray(first.collections[0].get_paths()[0].vertices).tolist()
    for corner in ([1000.0, 5.0], [1000.0, 5.5], [4000.0, 3.0], [4000.0, 4.0]):
        assert corner in shading
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["dT", "dq"]


def test_lines_tell_models_apart() -> None:
    names = [f"model {i}" for i in range(12)]
    lines = model_lines([*names, HOURLY, MEAN])
    looks = {(lines[name]["color"], str(lines[name]["linestyle"])) for name in names}
    assert len(looks) == len(names)
    assert lines[MEAN]["color"] == lines[HOURLY]["color"] == "#808080"


def test_panels_left_over_stay_empty() -> None:
    figure, axes = panels(4, 3, 2.0)
    assert len(axes) == 4
    assert [is_left(panel) for panel in axes] == [True, False, False, True]
    assert [panel.get_visible() for panel in figure.axes] == [True] * 4 + [False] * 2
