"""The common look of figures."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hybrid.figure_style import (
    ROLES,
    band,
    common_legend,
    legend,
    line,
    look,
    new_figure,
    panel_title,
    symmetric_limits,
)

# Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, severity 1.0
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def test_new_figure_leaves_global_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    figure, axes = new_figure(rows=2, columns=3)
    assert axes.shape == (2, 3)
    assert figure.get_size_inches() == pytest.approx([7.4, 6.4])
    assert dict(matplotlib.rcParams) == before
    assert not axes[0, 0].spines["top"].get_visible()


def test_line_takes_the_look_of_its_role() -> None:
    _, axes = new_figure()
    (drawn,) = axes[0, 0].plot([0, 1], [0, 1], **line("none", label="without"))
    assert drawn.get_color() == ROLES["none"].color
    assert drawn.get_label() == "without"


def test_band_has_the_colour_of_its_line_and_a_label_of_its_own() -> None:
    _, axes = new_figure()
    drawn = axes[0, 0].fill_between([0, 1], [0, 0], [1, 1], **band("mlp"))
    assert drawn.get_label() == "MLP, ± one s.d."
    assert tuple(drawn.get_facecolor()[0]) == (*to_rgb(ROLES["mlp"].color), 0.2)


def test_roles_that_share_a_colour_differ_in_dashes() -> None:
    looks = {(chosen.color, chosen.linestyle) for chosen in ROLES.values()}
    assert len(looks) == len(ROLES)


def test_lorenz96_colours_stay_apart_for_the_colour_blind() -> None:
    roles = ("truth", "none", "cubic", "cubic_ar1", "mlp_ar1")
    seen = np.array([DEUTERANOPIA @ np.array(to_rgb(look(role).color)) for role in roles])
    distance = np.linalg.norm(seen[:, None] - seen[None, :], axis=-1)
    assert distance[~np.eye(len(roles), dtype=bool)].min() > 0.2


def test_unknown_role_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"expected one of the roles truth, .*; got 'gan'"):
        look("gan")


def test_common_legend_names_each_role_once() -> None:
    drawn, axes = new_figure(1, 2)
    axes[0, 0].plot([0, 1], **line("truth"))
    axes[0, 1].plot([0, 1], **line("truth"))
    axes[0, 1].plot([1, 0], **line("cubic"))
    texts = [text.get_text() for text in common_legend(drawn).get_texts()]
    assert texts == ["truth", "cubic"]


def test_legend_and_title_follow_the_style() -> None:
    _, axes = new_figure()
    axes[0, 0].plot([0, 1], **line("truth"))
    drawn = legend(axes[0, 0], loc="upper left")
    assert not drawn.get_frame_on()
    panel_title(axes[0, 0], "c = 10")
    assert axes[0, 0].get_title(loc="left") == "c = 10"


@pytest.mark.parametrize(
    ("values", "expected"),
    [([-3.0, 1.0, np.nan], 3.0), ([0.0, 0.0], 1.0), ([np.nan], 1.0), ([], 1.0)],
)
def test_symmetric_limits(values: list[float], expected: float) -> None:
    assert symmetric_limits(np.array(values), quantile=1.0) == (-expected, expected)


def test_symmetric_limits_ignore_a_few_extremes() -> None:
    values = np.ones(10_000)
    values[0] = 1e6
    assert symmetric_limits(values) == (-1.0, 1.0)
