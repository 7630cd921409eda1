"""Annual means of whole runs, and what they look like."""

import numpy as np

from hybrid.experiments.plasim.drift import Drift, drift_figure
from hybrid.experiments.plasim.scoring import COMPARED


def member(n_year: int, warmer: float) -> dict[str, np.ndarray]:
    """Return a run that becomes `warmer` each year."""
    return dict.fromkeys(COMPARED, 288.0 + warmer * np.arange(n_year))


def test_every_run_has_a_line_as_long_as_it_is() -> None:
    flagged = [[0.01 * year for year in range(10)], [0.5] * 5]
    drift = Drift([member(5, 0.1), member(5, 0.2)], [member(10, 0.3), member(5, 0.1)], flagged)
    (figure,) = drift_figure(drift)
    lines = figure.figure.axes[0].get_lines()
    assert [len(np.asarray(line.get_xdata())) for line in lines] == [5, 5, 10, 5]
    np.testing.assert_allclose(np.asarray(lines[2].get_ydata())[-1], 288.0 + 9 * 0.3)
    legend = figure.figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["PlaSim's own", "closure"]
    of_guard = figure.figure.axes[-1].get_lines()
    assert [len(np.asarray(line.get_xdata())) for line in of_guard] == [10, 5]
    np.testing.assert_allclose(np.asarray(of_guard[0].get_ydata())[-1], 9.0)
    metrics = drift.metrics()
    assert metrics["flagged_share_year_10"] == 0.09
    assert "flagged_share_year_11" not in metrics
    assert metrics["Ts_closure_year_10"] == 288.0 + 9 * 0.3


def test_a_single_year_has_no_figure() -> None:
    assert drift_figure(Drift([member(1, 0.0)], [], [])) == ()
    assert Drift([member(1, 0.0)], [], []).metrics() == {}
