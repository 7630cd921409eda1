"""The registry of experiments, one run, and the demo, with stand-ins for the experiments."""

import json
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console
from rich.progress import Progress

from hybrid.demo import run_demo
from hybrid.experiments import EXPERIMENTS, UnknownExperimentError, run_experiment
from hybrid.experiments.result import ExperimentResult, Preset, Request, Table
from hybrid.progress import LineProgress, StepProgress, progress_display
from hybrid.results import ResultsError, read_results


class StandIn:
    """An experiment that records what it was asked and writes one file."""

    def __init__(self, name: str, metric: str) -> None:
        self.name = name
        self.metric = metric
        self.requests: list[Request] = []

    def run(self, request: Request) -> ExperimentResult:
        self.requests.append(request)
        archive = request.out / f"{self.name}.pt"
        archive.write_bytes(b"archive")
        return ExperimentResult(
            name=self.name,
            headline=f"{self.name} on a stand-in",
            metrics={self.metric: 0.5 + request.seed},
            settings={"n_step": 3},
            choices={"best": "cubic"},
            tables=(Table("Scores", ("score [1]",), {"cubic": (0.5,)}),),
            archives=(archive,),
        )


def install(monkeypatch: pytest.MonkeyPatch, name: str, metric: str) -> StandIn:
    stand_in = StandIn(name, metric)
    module = ModuleType(EXPERIMENTS[name].module)
    module.run = stand_in.run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, EXPERIMENTS[name].module, module)
    return stand_in


def test_registry_names_modules_and_durations_of_every_preset() -> None:
    assert list(EXPERIMENTS) == [
        "lorenz96",
        "climsim",
        "emulators",
        "multifidelity",
        "medida-ks",
        "medida-qg",
        "smarl",
        "plasim",
        "quasigeostrophic",
    ]
    assert [name for name, entry in EXPERIMENTS.items() if entry.in_demo] == ["lorenz96", "climsim"]
    for name, entry in EXPERIMENTS.items():
        assert entry.module == f"hybrid.experiments.{name.replace('-', '_')}"
        assert entry.summary
        assert list(entry.durations) == ["test", "quick", "full"]


def test_unknown_experiment_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownExperimentError,
        match=f"expected one of {', '.join(EXPERIMENTS)}; got 'lorenz63'",
    ):
        run_experiment("lorenz63", "test", tmp_path)


@pytest.mark.parametrize("preset", ["test", "quick", "full"])
def test_run_passes_the_request_on(
    preset: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = install(monkeypatch, "climsim", "mae")
    out = tmp_path / "deep" / "folder"
    with Progress(disable=True) as progress:
        run_experiment("climsim", preset, out, 7, tmp_path, progress)
    assert stand_in.requests == [Request(preset, out, 7, progress, tmp_path)]


def test_run_writes_results_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "lorenz96", "hellinger_none")
    result = run_experiment("lorenz96", "test", tmp_path, seed=2)
    written = read_results(tmp_path / "results.json")
    assert (written.experiment, written.preset, written.seed) == ("lorenz96", "test", 2)
    assert written.metrics == result.metrics == {"hellinger_none": 2.5}
    assert written.settings == {"n_step": 3}
    assert written.choices == {"best": "cubic"}
    report = (tmp_path / "report.html").read_text()
    assert "lorenz96 on a stand-in" in report
    assert "hybrid run lorenz96 --preset test --seed 2<" in report


def test_demo_merges_experiments_and_keeps_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lorenz96 = install(monkeypatch, "lorenz96", "hellinger_none")
    climsim = install(monkeypatch, "climsim", "mae_dT_mlp")
    results = run_demo(tmp_path, seed=1, data=tmp_path)
    assert [result.name for result in results] == ["lorenz96", "climsim"]
    assert [r.preset for r in (*lorenz96.requests, *climsim.requests)] == ["quick", "quick"]
    assert climsim.requests[0].data == tmp_path
    common = read_results(tmp_path / "results.json")
    assert common.metrics == {"hellinger_none": 1.5, "mae_dT_mlp": 1.5}
    assert common.settings == {"lorenz96.n_step": 3, "climsim.n_step": 3}
    assert common.choices == {"lorenz96.best": "cubic", "climsim.best": "cubic"}
    assert common.headline == "lorenz96 on a stand-in; climsim on a stand-in"
    for name in ("lorenz96", "climsim"):
        own = json.loads((tmp_path / name / "results.json").read_text())
        assert own["experiment"] == name
        assert (tmp_path / name / "report.html").exists()
    report = (tmp_path / "report.html").read_text()
    assert "hybrid demo --seed 1 --data DIR<" in report
    assert "lorenz96/lorenz96.pt" in report
    assert "climsim/climsim.pt" in report


def test_demo_refuses_a_metric_name_used_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "lorenz96", "score")
    install(monkeypatch, "climsim", "score")
    with pytest.raises(ResultsError, match=r"climsim: expected .* got score a second time"):
        run_demo(tmp_path, preset="test")
    assert not (tmp_path / "results.json").exists()


def test_result_without_metrics_still_makes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = install(monkeypatch, "lorenz96", "score")
    original = stand_in.run
    module = sys.modules[EXPERIMENTS["lorenz96"].module]
    monkeypatch.setattr(
        module, "run", lambda request: replace(original(request), metrics={}, tables=())
    )
    run_experiment("lorenz96", "test", tmp_path)
    assert read_results(tmp_path / "results.json").metrics == {}
    assert "<table" not in (tmp_path / "report.html").read_text().partition("Compiled closures")[0]


def lines_of(stream: StringIO) -> list[str]:
    text = stream.getvalue()
    assert all(character == "\n" or character.isprintable() for character in text)
    return text.splitlines()


def test_progress_in_a_file_is_few_plain_lines() -> None:
    stream = StringIO()
    with progress_display(Console(file=stream)) as progress:
        assert isinstance(progress, LineProgress)
        task = progress.add_task("training [cubic]", total=1000)
        for _ in range(1000):
            progress.advance(task)
        progress.update(task, completed=1000)
    first, last = lines_of(stream)
    assert first == "training [cubic]: started"
    assert last.startswith("training [cubic]: done in ")


def test_progress_in_a_file_tells_of_long_tasks() -> None:
    stream = StringIO()
    with LineProgress(Console(file=stream), interval=0.0) as progress:
        task = progress.add_task("host", total=1.0)
        for fraction in (0.25, 0.5, 1.0):
            progress.update(task, completed=fraction)
    assert lines_of(stream)[:3] == ["host: started", "host: 25 %", "host: 50 %"]


def test_steps_end_one_another_and_the_last_one_unless_it_fails() -> None:
    stream = StringIO()
    with StepProgress(LineProgress(Console(file=stream), interval=0.0)) as steps:
        steps.start("configuring")
        steps.start("compiling")
        steps.update(0.5)
    said = [line.split(" in ")[0] for line in lines_of(stream)]
    assert said == [
        *("configuring: started", "configuring: done"),
        *("compiling: started", "compiling: 50 %", "compiling: done"),
    ]
    interrupted = StepProgress(LineProgress(Console(file=stream)))
    interrupted.start("installing")
    interrupted.__exit__(KeyboardInterrupt)
    assert lines_of(stream)[-1] == "installing: started"


def test_progress_on_a_terminal_draws_bars() -> None:
    stream = StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with progress_display(console) as progress:
        assert not isinstance(progress, LineProgress)
        progress.update(progress.add_task("truth", total=2), completed=2)
    assert "truth" in stream.getvalue()
    assert "100%" in stream.getvalue()
