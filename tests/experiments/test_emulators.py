"""The experiment ``emulators``: its plan, and a run of preset test on generated columns."""

import json
import re
from pathlib import Path

import pytest

import hybrid
from closures.climsim.files import list_pairs
from closures.climsim.recipes import recipe
from closures.climsim.training_data import Steps
from closures.columns.registry import ARCHITECTURES
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.climsim_scores.scoring import split_pairs
from hybrid.experiments import EXPERIMENTS, run_experiment
from hybrid.experiments.emulators import trainings
from hybrid.experiments.emulators.figures import ranked_firsts
from hybrid.experiments.emulators.plan import Entry, plan
from hybrid.experiments.emulators.scoring import Scored
from hybrid.experiments.emulators.tables import by_entry, score_columns
from hybrid.experiments.emulators.trainings import Job, Trained, train_all
from hybrid.experiments.result import ExperimentResult
from hybrid.training.run import Run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emulators_data")
    write_sample(folder, SampleConfig(n_per_month=8, months=(1, 7, 10), seed=3))
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Path]:
    out = tmp_path_factory.mktemp("emulators")
    return run_experiment("emulators", "test", out, data=data), out


@pytest.mark.parametrize("preset", ["test", "quick", "full"])
def test_every_entry_of_the_plan_has_a_recipe(preset: str) -> None:
    chosen = plan(preset)  # type: ignore[arg-type]
    entries = (*chosen.emulators, *chosen.ablation, *chosen.learning)
    for entry in entries:
        assert recipe(entry.model, entry.settings).model == entry.model
    for group in (chosen.emulators, chosen.ablation, chosen.learning):
        names = [Job(entry, "season", final=True, seed=0).name for entry in group]
        assert len(set(names)) == len(names)
    assert set(EXPERIMENTS["emulators"].durations) == {"test", "quick", "full"}


def test_full_plan_has_every_architecture_and_seeds_of_the_best() -> None:
    emulators = plan("full").emulators
    assert {entry.model for entry in emulators} == {"ridge", *ARCHITECTURES}
    assert [entry.label for entry in emulators if entry.n_seed == 3] == [
        "unet",
        "reslstm",
        "convnext",
    ]


def test_an_ablation_differs_from_the_recipe_in_one_thing() -> None:
    first, *others = plan("full").ablation
    base = recipe(first.model, first.settings).flat()
    for entry in others:
        changed = recipe(entry.model, entry.settings).flat()
        assert changed != base
        assert len(entry.settings) == 1


def test_ridge_beats_climatology_on_generated_columns(run: tuple[ExperimentResult, Path]) -> None:
    result, out = run
    metrics = json.loads((out / "results.json").read_text())
    for label in ("dT", "dq", "NETSW", "FLWDS", "PRECC"):
        ridge = metrics[f"mae_{label}_ridge_interleaved"]
        assert 0.0 < ridge < 0.9 * metrics[f"mae_{label}_climatology_interleaved"]
    assert metrics["crps_dT_ridge_interleaved"] == metrics["mae_dT_ridge_interleaved"]
    assert result.choices["best_dT_interleaved"] == "ridge"
    assert [table.title.split(",")[0] for table in result.tables] == [
        "MAE [W m-2] and pooled R2 [1] on split interleaved (ClimSim files)",
        "Size and training",
        "Bias [W m-2]",
    ]
    assert len(result.archives) == 2
    for archive in result.archives:
        assert hybrid.load(archive).spec.provenance["split"] == "interleaved"
    assert (out / "report.html").stat().st_size > 100_000


def test_figures_name_emulators_as_tables_do(run: tuple[ExperimentResult, Path]) -> None:
    result, _ = run
    titles = [figure.title for figure in result.figures]
    assert titles[1].endswith("latitude and pressure: ridge (split interleaved)")
    profiles = result.figures[0].figure
    lines = {str(text.get_text()) for text in profiles.legends[0].get_texts()}
    assert lines == {"climatology, global mean", "ridge", "mlp"}
    for figure in result.figures:
        assert re.fullmatch(r"\w+_interleaved", figure.name)
        assert "seed" not in figure.title + figure.reading


def test_figures_show_the_first_seed_of_each_emulator() -> None:
    class Known(Scored):
        def score(self, name: str, score: str, label: str) -> float:
            errors = {"unet_seed0": 3.0, "unet_seed1": 1.0, "mlp_seed0": 2.0}
            return {("mae", "dT"): errors}[score, label][name]

    def trained(label: str, seed: int) -> Trained:
        job = Job(Entry(label, label), "season", final=True, seed=seed)
        return Trained(job, Path(f"{job.name}.pt"), 384, 10, 1.0)

    given = [trained("unet", 0), trained("unet", 1), trained("mlp", 0)]
    shown = ranked_firsts(given, Known({}, {}))
    assert [each.job.name for each in shown] == ["mlp_seed0", "unet_seed0"]


def test_what_is_trained_is_not_trained_again(
    run: tuple[ExperimentResult, Path], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = run
    jobs = [Job(entry, "interleaved", final=True, seed=0) for entry in plan("test").emulators]
    asked: list[str] = []

    def refuse(chosen: object, samples: object, to: Run) -> None:
        asked.append(to.name)

    monkeypatch.setattr(trainings, "train_climsim", refuse)
    fractions: list[float] = []
    found = train_all(jobs, data, out, 1, fractions.append)
    assert asked == []
    assert fractions[-1] == 1.0
    assert [each.archive.is_file() for each in found] == [True, True]
    trains = Steps("interleaved", final=True).of(data)["train"]
    assert found[1].n_train == 384 * len(trains)
    other = Entry("mlp", "mlp", ("preset=tiny", "training.n_epoch=3"))
    train_all([Job(other, "interleaved", final=True, seed=0)], data, out, 1, fractions.append)
    assert asked == ["mlp_seed0"]


@pytest.mark.slow
def test_two_processes_train_what_one_does(data: Path, tmp_path: Path) -> None:
    entry = plan("test").emulators[1]
    jobs = [Job(entry, "interleaved", final=True, seed=seed) for seed in (0, 1)]
    fractions: list[float] = []
    train_all(jobs, data, tmp_path / "two", 2, fractions.append)
    assert fractions == sorted(fractions)
    train_all(jobs, data, tmp_path / "one", 1, lambda _: None)
    for job in jobs:
        losses = []
        for folder in ("two", "one"):
            record = json.loads((job.folder(tmp_path / folder) / "training.json").read_text())
            losses.append(record["history"]["training"])
        assert losses[0] == losses[1]


def test_shares_of_steps_are_nested(data: Path) -> None:
    everything = Steps("interleaved").of(data)
    half = Steps("interleaved", share=0.5).of(data)
    quarter = Steps("interleaved", share=0.25).of(data)
    assert len(half["train"]) == round(0.5 * len(everything["train"]))
    assert set(quarter["train"]) < set(half["train"]) < set(everything["train"])
    assert half["validation"] == everything["validation"]
    with pytest.raises(ValueError, match=r"share: expected a part of the steps in \(0, 1\], got 0"):
        Steps(share=0.0)


def test_validation_steps_are_neither_trained_on_nor_tested(data: Path) -> None:
    pairs = list_pairs(data)
    for split in ("interleaved", "season"):
        test = split_pairs(pairs, split)
        held = split_pairs(pairs, split, "validation")
        assert set(held.test).isdisjoint(test.test)
        assert set(held.test).isdisjoint(held.train)
        assert set(held.test) <= set(test.train)


def test_a_share_of_the_steps_is_in_a_name_that_a_closure_can_have() -> None:
    job = Job(Entry("MLP, V1", "mlp"), "season", final=False, seed=2, share=0.125)
    assert job.name == "mlp_v1_125_permille_seed2"
    assert job.folder(Path("out")) == Path("out/trainings/season_validation") / job.name


def test_columns_of_a_table() -> None:
    found = score_columns(lambda score, label: float(len(label)) if score == "mae" else 0.5)
    assert found == (2.0, 2.0, 5.0, 5.0, 6.0, 5.0, 0.5, 0.5, 0.5)
    assert by_entry([]) == {}
