"""The file results.json."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from closures import atomic
from hybrid.results import RESERVED, Results, ResultsError, read_results, write_results


def results(**changes: object) -> Results:
    values: dict[str, object] = {
        "experiment": "lorenz96",
        "preset": "test",
        "seed": 3,
        "headline": "Lorenz-96, 8 variables",
        "metrics": {"hellinger_none": 0.257, "hellinger_floor": 0.019},
        "settings": {"n_member": 40, "dt": 0.005, "scheme": "RK4"},
        "choices": {"best": "cubic_ar1"},
    }
    return Results(**{**values, **changes})  # type: ignore[arg-type]


def test_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    written = results(metrics={"third": 1 / 3, "tiny": 5e-324, "count": 7})
    write_results(tmp_path / "results.json", written)
    assert read_results(tmp_path / "results.json") == written


def test_metrics_are_flat_numbers(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", results())
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["hellinger_none"] == 0.257
    assert set(document) == {*RESERVED, "hellinger_none", "hellinger_floor"}


def test_versions_name_the_software(tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", results())
    versions = json.loads((tmp_path / "results.json").read_text())["versions"]
    assert list(versions) == ["hybrid-closures", "python", "torch", "numba", "numpy", "platform"]
    assert versions["numpy"] == np.__version__
    assert versions["torch"].startswith("2.")


def test_order_of_keys_does_not_depend_on_the_experiment(tmp_path: Path) -> None:
    write_results(tmp_path / "a.json", results(metrics={"b": 1.0, "a": 2.0}))
    write_results(tmp_path / "b.json", results(metrics={"a": 2.0, "b": 1.0}))
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    document = json.loads((tmp_path / "a.json").read_text())
    assert list(document) == [*RESERVED, "a", "b"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32(math.nan)])
def test_not_finite_becomes_null_and_comes_back_as_nan(tmp_path: Path, value: float) -> None:
    write_results(tmp_path / "results.json", results(metrics={"skill": value}))
    text = (tmp_path / "results.json").read_text()
    assert '"skill": null' in text
    assert math.isnan(read_results(tmp_path / "results.json").metrics["skill"])


def test_numpy_numbers_are_numbers(tmp_path: Path) -> None:
    metrics = {"double": np.float64(0.1), "single": np.float32(0.5), "count": np.int64(9)}
    write_results(tmp_path / "results.json", results(metrics=metrics))
    read = read_results(tmp_path / "results.json").metrics
    assert read == {"count": 9, "double": 0.1, "single": 0.5}
    assert isinstance(read["count"], int)


def test_metric_with_a_reserved_name_is_refused() -> None:
    with pytest.raises(ResultsError, match=r"expected metric names other than .*; got seed;"):
        results(metrics={"seed": 1.0})


def test_metric_that_is_no_number_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="best: expected a number, got 'cubic' of type str"):
        write_results(tmp_path / "results.json", results(metrics={"best": "cubic"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a results file, found none"),
        ("{", "expected JSON, got"),
        ("[]", "experiment, preset, .* missing"),
        ('{"experiment": "x"}', "preset, seed, headline, choices, settings, versions missing"),
    ],
)
def test_reading_something_else_says_what_is_wrong(
    tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultsError, match=message):
        read_results(path)


def test_interrupted_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    atomic.write_text(path, "old")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]
