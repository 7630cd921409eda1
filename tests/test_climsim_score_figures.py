"""Figures of scores that a run does not draw itself, and the looks of lines."""

from itertools import pairwise

import numpy as np
import xarray as xr

from hybrid.climsim_scores.figures.drift import input_drift
from hybrid.climsim_scores.figures.learning import Curve, learning_curve
from hybrid.climsim_scores.figures.sections import r2_sections
from hybrid.climsim_scores.figures.style import is_left, is_lowest, model_lines, panels
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
    assert [is_lowest(panel, axes) for panel in axes] == [False, True, True, True]


def test_every_column_of_sections_has_its_latitudes() -> None:
    profiles = ["dT", "dq", "dqn", "du", "dv"]
    latitude, pressure = np.arange(-85.0, 90.0, 10.0), np.linspace(5.0, 990.0, 6)
    shape = (1, len(profiles), latitude.size, pressure.size)
    scores = xr.Dataset(
        {"r2_section": (("model", "profile", "latitude", "level"), np.full(shape, 0.5))},
        {
            "model": ["mlp V1"],
            "profile": profiles,
            "latitude": latitude,
            "pressure": ("level", pressure),
        },
    )
    drawn = r2_sections(scores, "mlp V1").figure
    drawn.draw_without_rendering()
    shown = [axes for axes in drawn.axes if axes.get_visible()][: len(profiles)]
    with_numbers = [axes.xaxis.get_tick_params()["labelbottom"] for axes in shown]
    assert with_numbers == [False, False, True, True, True]
    assert [bool(axes.get_xlabel()) for axes in shown] == with_numbers


def test_lines_of_the_drift_tell_inputs_apart() -> None:
    names, pressure = [f"profile {i}" for i in range(9)], np.linspace(5.0, 990.0, 6)
    level = (("input_profile", "level"), np.linspace(0.0, 0.5, 54).reshape(9, 6))
    scalar = ("input_scalar", np.linspace(-0.1, 0.1, 17))
    scores = xr.Dataset(
        {
            "input_shift": level,
            "input_outside": level,
            "input_shift_scalar": scalar,
            "input_outside_scalar": scalar,
        },
        {
            "input_profile": names,
            "input_scalar": [f"scalar {i}" for i in range(17)],
            "pressure": ("level", pressure),
        },
        {"split": "season"},
    )
    drawn = input_drift(scores).figure
    lines = [line for line in drawn.axes[0].get_lines() if line.get_label() in names]
    assert len({(line.get_color(), str(line.get_linestyle())) for line in lines}) == 9
    drawn.draw_without_rendering()
    boxes = [text.get_window_extent() for text in drawn.axes[2].get_yticklabels()]
    apart = [upper.y0 >= lower.y1 for upper, lower in pairwise(boxes)]
    assert all(apart)
