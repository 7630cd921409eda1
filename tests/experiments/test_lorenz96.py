"""The Lorenz-96 experiment, in preset test."""

import math
from collections.abc import Callable
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from fortran_bridge.hosts import run_host
from hybrid.experiments import run_experiment
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96 import coupled, run, training, truth
from hybrid.experiments.lorenz96.cases import N_NEAREST, analogue_states
from hybrid.experiments.lorenz96.experiment import count_stages
from hybrid.experiments.lorenz96.settings import (
    CLOSURES,
    MODEL_STEP,
    PRESETS,
    SAVE_STEP,
    Lorenz96Settings,
)
from hybrid.experiments.lorenz96.truth import Truth, make_truth
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.progress import LineProgress
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

TINY = Lorenz96Settings(
    n_truth_member=2,
    reference_time=2.0,
    train_time=1.0,
    n_member=2,
    climate_time=1.5,
    n_case=3,
    n_ensemble=4,
    forecast_time=0.2,
    score_lead=0.1,
    n_library=30,
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    with Progress(disable=True) as progress:
        return run(Request("test", tmp_path_factory.mktemp("lorenz96"), 0, progress))


@pytest.mark.fortran
def test_every_score_is_there_and_finite(result: ExperimentResult) -> None:
    scores = ("hellinger", "wasserstein", "autocorrelation", "wave_variance", "neighbour")
    expected = {
        f"{score}_{name}{suffix}"
        for score in (*scores, "crps", "rmse", "spread")
        for name in ("floor", *CLOSURES)
        for suffix in ("", "_c4")
    }
    assert expected <= set(result.metrics)
    assert all(math.isfinite(value) for value in result.metrics.values())


@pytest.mark.fortran
@pytest.mark.parametrize("suffix", ["", "_c4"])
def test_closures_improve_climate_and_forecasts(result: ExperimentResult, suffix: str) -> None:
    metrics = result.metrics
    # The short runs of this preset have a floor near 0.02; no closure is at 0.26 and 0.09.
    for name in ("cubic", "cubic_ar1", "mlp_ar1"):
        assert metrics[f"hellinger_{name}{suffix}"] < 0.5 * metrics[f"hellinger_none{suffix}"]
        assert metrics[f"wasserstein_{name}{suffix}"] < 0.5 * metrics[f"wasserstein_none{suffix}"]
        # Long forecast samples give ratios of 0.5 (cubic) and 0.3; this one has few cases.
        ratio = metrics[f"crps_{name}{suffix}"] / metrics[f"crps_none{suffix}"]
        assert ratio < (0.8 if name == "cubic" else 0.6)
    assert metrics[f"hellinger_floor{suffix}"] < 0.04
    assert metrics[f"spread_none{suffix}"] == metrics[f"spread_cubic{suffix}"] == 0.0
    for name in ("floor", "cubic_ar1", "mlp_ar1"):
        ratio = metrics[f"spread_{name}{suffix}"] / metrics[f"rmse_{name}{suffix}"]
        assert 0.5 < ratio < 2.5


@pytest.mark.fortran
def test_what_the_report_gets(result: ExperimentResult) -> None:
    assert result.name == "lorenz96"
    assert "no data needed" in result.headline
    assert set(result.choices) == {
        f"{choice}{suffix}" for choice in ("best", "best_forecast") for suffix in ("", "_c4")
    }
    assert len(result.tables) == 4
    assert all(len(row) == len(t.columns) for t in result.tables for row in t.rows.values())
    assert [figure.name for figure in result.figures] == [
        "lorenz96_closures",
        "lorenz96_climate",
        "lorenz96_structure",
        "lorenz96_skill",
    ]
    for figure in result.figures:
        assert figure.reading
        assert all(axis.get_ylabel() for axis in figure.figure.axes[:1])
    # Cubic, cubic + AR(1) and one network a seed, for two values of c.
    assert len(result.archives) == 2 * (2 + PRESETS["test"].n_seed)
    assert all(path.is_file() for path in result.archives)


@pytest.mark.fortran
def test_table_shows_the_scatter_and_what_best_means(result: ExperimentResult) -> None:
    for climate, forecast, suffix in zip(
        result.tables[::2], result.tables[1::2], ("", "_c4"), strict=True
    ):
        assert climate.columns[:2] == ("Hellinger", "s.d. over seeds")
        scatter = {label: row[1] for label, row in climate.rows.items()}
        assert scatter.pop("sampling floor") is None
        assert list(scatter.values()) == [
            result.metrics[f"hellinger_{name}_seed_std{suffix}"] for name in CLOSURES
        ]
        assert forecast.rows["perfect model"] == tuple(
            result.metrics[f"{score}_floor{suffix}"] for score in ("crps", "rmse", "spread")
        )
        assert f"{PRESETS['test'].n_case} cases" in forecast.note
        assert climate.rows["cubic"][2:] == tuple(
            result.metrics[f"{score}_cubic{suffix}"]
            for score in ("wasserstein", "autocorrelation", "wave_variance", "neighbour")
        )
        fitted = CLOSURES[1:]
        for choice, score in (("best", "hellinger"), ("best_forecast", "crps")):
            lowest = min(fitted, key=lambda name: result.metrics[f"{score}_{name}{suffix}"])
            assert result.choices[f"{choice}{suffix}"] == lowest


@pytest.mark.fortran
def test_figures_say_what_they_show(result: ExperimentResult) -> None:
    closures, _, structure, skill = result.figures
    assert [text.get_text() for text in closures.figure.legends[0].get_texts()] == [
        "cubic",
        "MLP",
        "MLP, ± one s.d.",
    ]
    assert [axes.get_ylim()[0] for axes in structure.figure.axes[2:]] == [0.0, 0.0]
    assert f"beyond the sampling noise of {PRESETS['test'].n_case} cases" in skill.reading


def test_preset_quick_is_long_enough() -> None:
    quick = PRESETS["quick"]
    assert quick.n_seed >= 3
    assert quick.n_member * quick.climate_time >= 2000.0
    assert quick.climate_time >= 100.0


def tiny_truth(
    folder: Path, seed: int, on_progress: Callable[[float], None] = lambda _: None
) -> Truth:
    folder.mkdir()
    return make_truth(TwoScaleLorenz96Wilks(), TINY, Checkpoint(folder, seed), on_progress)


def test_truth_is_reproducible_and_its_parts_fit(tmp_path: Path) -> None:
    said: list[float] = []
    first, again, other = (
        tiny_truth(tmp_path / name, seed, said.append)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    np.testing.assert_array_equal(first.reference, again.reference)
    np.testing.assert_array_equal(first.cases.perfect, again.cases.perfect)
    assert np.abs(first.reference - other.reference).max() > 1.0
    assert said[-1] == 1.0
    assert first.pairs["x"].shape == (round(1.0 / MODEL_STEP), 2, 8)
    assert first.floor.shape == (round(1.5 / SAVE_STEP), 2, 8)
    assert first.reference.shape == (round(2.0 / SAVE_STEP), 2, 8)
    assert first.cases.truth.shape == (4, 3, 8)
    assert first.cases.perfect.shape == (4, 3, 8, 4)


def test_runs_of_the_truth_are_independent_and_as_long_as_asked(tmp_path: Path) -> None:
    found = tiny_truth(tmp_path / "truth", 1)
    assert np.abs(found.reference[:20] - found.floor[:20]).max() > 1.0
    assert set(found.pairs) == {"x", "x_tendency"}


def test_perfect_ensemble_starts_at_the_truth_and_spreads(tmp_path: Path) -> None:
    cases = tiny_truth(tmp_path / "truth", 3).cases
    error = np.abs(cases.perfect - cases.truth[..., None]).mean(axis=(1, 2, 3))
    assert error[0] < 0.2
    assert error[-1] > 1.5 * error[0]


def test_analogues_have_the_true_x_and_fast_variables_of_similar_sectors() -> None:
    model = TwoScaleLorenz96Wilks(n_k=4, n_j=3)
    rng = np.random.default_rng(0)
    library = rng.uniform(-10.0, 10.0, (1000, model.size))
    # Fast variables that give away the X of their sector.
    library[:, 4:] = np.repeat(library[:, :4], 3, axis=1)
    x = rng.uniform(-9.0, 9.0, (5, 4))
    states = analogue_states(model, x, library, 6, rng)
    assert states.shape == (5, 6, model.size)
    np.testing.assert_array_equal(states[:, :, :4], np.repeat(x[:, None], 6, axis=1))
    distance = np.abs(states[:, :, 4:] - np.repeat(states[:, :, :4], 3, axis=2))
    # 4000 sectors over 20 units: the nearest ones span 0.2 units.
    assert distance.max() < 2 * N_NEAREST * 20.0 / 4000.0
    assert len(np.unique(states[0, :, 4])) > 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_case": 0}, "settings: expected positive numbers"),
        ({"score_lead": 9.0}, r"score_lead: expected at most forecast_time = 2\.0, got 9\.0"),
    ],
)
def test_settings_are_checked(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lorenz96Settings(**values)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.fortran
def test_the_same_seed_gives_the_same_numbers(result: ExperimentResult, tmp_path: Path) -> None:
    with Progress(disable=True) as progress:
        again = run(Request("test", tmp_path, 0, progress))
    assert dict(again.metrics) == dict(result.metrics)


class Counted:
    """Counts the calls of a function, also from threads; interrupts those after `limit`."""

    def __init__(self, function: Callable[..., Any], limit: float = math.inf) -> None:
        self.function = function
        self.limit = limit
        self.n_call = 0
        self._numbers = count(1)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        number = next(self._numbers)
        if number > self.limit:
            raise KeyboardInterrupt
        self.n_call = max(self.n_call, number)
        return self.function(*arguments, **keywords)


@pytest.mark.fortran
def test_interrupted_run_goes_on_and_gives_the_same_numbers(
    result: ExperimentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_host_run = 2 * (2 * len(CLOSURES) + PRESETS["test"].n_seed - 1)
    truths, fits, hosts = (Counted(f) for f in (truth._run, training._fit, run_host))
    monkeypatch.setattr(truth, "_run", truths)
    monkeypatch.setattr(training, "_fit", fits)
    monkeypatch.setattr(coupled, "run_host", Counted(run_host, limit=5))
    with pytest.raises(KeyboardInterrupt):
        run_experiment("lorenz96", "test", tmp_path, seed=0)
    assert (truths.n_call, fits.n_call) == (3, 1)
    monkeypatch.setattr(coupled, "run_host", hosts)
    said = StringIO()
    with LineProgress(Console(file=said)) as progress:
        resumed = run_experiment("lorenz96", "test", tmp_path, seed=0, progress=progress)
    # Of c = 10, four truth runs, the closures and five runs of the host are there.
    assert said.getvalue().startswith("resuming: 10 of 28 stages are done\n")
    assert count_stages(PRESETS["test"]) == 28 == 2 * (4 + 1) + n_host_run
    assert (truths.n_call, fits.n_call, hosts.n_call) == (2 * 3, 2 * 1, n_host_run - 5)
    assert dict(resumed.metrics) == dict(result.metrics)
    assert not (tmp_path / "checkpoint").exists()
