"""Networks of the benchmark: trained once, from data that nothing is scored with."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from rich.progress import Progress

from closures.quasigeostrophic.networks import Architecture, NetworkClosure, StochasticNetwork
from closures.training import Training
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.learning import learner as learner_module
from hybrid.experiments.quasigeostrophic.learning.learner import Learner, Trained
from hybrid.experiments.quasigeostrophic.learning.plan import Learning, Plan
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.report.learning_tables import training_table
from hybrid.experiments.quasigeostrophic.report.tables import flat_metrics
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR
from hybrid.experiments.quasigeostrophic.settings import PRESETS
from hybrid.experiments.result import Request

FLOW = replace(CONFIGURATIONS["eddy"], n_truth=32, n_coarse=16)
FIRST = Plan("first", Architecture(n_channel=4, n_block=1))
SECOND = Plan("second", FIRST.architecture, begins_as=FIRST)
NOISY = Plan("noisy", FIRST.architecture, begins_as=FIRST, noise=True)
ONCE = Training(n_epoch=1, batch_size=4, learning_rate=0.01, weight_decay=0.0)
LEARNING = Learning(
    n_run=2,
    years=0.1,
    every=200.0 * HOUR,
    n_trajectory_run=2,
    n_trajectory=3,
    spin_up=0.01,
    n_saved=1,
    lead=2.0 * HOUR,
    missed_years=0.1,
    missed_spin_up=0.09,
    missed_every=3.0 * HOUR,
    trainings=dict.fromkeys(("first", "second", "third", "noisy"), ONCE),
)


def network(learner: Learner, plan: Plan) -> NetworkClosure:
    """Return what was trained without noise."""
    closure = learner.closure(plan, FLOW.coarse)
    assert isinstance(closure, NetworkClosure)
    return closure


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Learner:
    out = tmp_path_factory.mktemp("run")
    checkpoint = Checkpoint.open(Request("test", out, 0, Progress()), {}, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYBRID_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        made = Learner(checkpoint, LEARNING, FLOW, out / "training")
        made.train(SECOND)
    return made


def test_what_is_trained_is_not_trained_again(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fit_network", "fit_online"):
        monkeypatch.setattr(learner_module, name, None)
    first, second = learner.train(FIRST), learner.train(SECOND)
    # Two runs of 4 states, two of 3 trajectories.
    assert (first.n_sample, second.n_sample) == (8, 6)
    n_parameter = network(learner, FIRST).n_parameter()
    assert first.n_parameter == second.n_parameter == n_parameter
    assert len(first.history.validation) == 1
    assert not any(learner.folder.iterdir())


def test_what_is_trained_in_runs_begins_as_what_was_trained_on_states(learner: Learner) -> None:
    one, other = (network(learner, plan) for plan in (FIRST, SECOND))
    weights = [torch.cat([p.flatten() for p in c.core.parameters()]) for c in (one, other)]
    change = (weights[0] - weights[1]).abs().max()
    # A step of the optimizer is as long as its rate at most, other first weights of order one.
    assert 0.0 < change < 0.05
    assert torch.equal(one.output_spread, other.output_spread)
    assert one.spec.provenance["data"] == "8 states of eddy, operator 1, S_tot"
    assert other.spec.provenance["data"] == "6 trajectories of eddy, operator 1"
    assert not one.training


def test_noise_is_for_what_the_network_misses_elsewhere(learner: Learner) -> None:
    trained = learner.train(NOISY)
    noisy, first = learner.closure(NOISY, FLOW.coarse), network(learner, FIRST)
    assert isinstance(noisy, StochasticNetwork)
    assert not NOISY.in_runs
    for name, values in first.state_dict().items():
        assert torch.equal(noisy.network.state_dict()[name], values)
    # .01 of 360 days, every 3 hours.
    assert trained.n_sample == 28
    assert trained.n_parameter > first.n_parameter()
    assert noisy.dt == FLOW.coarse.dt
    assert noisy.correlation_time > 3600.0
    memory = f"memory of {noisy.correlation_time / HOUR:.3g} hours"
    assert noisy.spec.provenance["data"].endswith(f"noise: 28 states, {memory}")
    assert learner.data("missed", 0)["time"][0] > 0.09 * 360 * 24 * HOUR


def test_the_last_trajectories_are_the_last_of_every_run(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def record(*arguments: object, **settings: object) -> None:
        given.append(arguments[2])
        raise KeyboardInterrupt

    monkeypatch.setattr(learner_module, "fit_online", record)
    with pytest.raises(KeyboardInterrupt):
        learner.train(replace(SECOND, name="third"))
    (together,) = given
    runs = [learner.data("trajectories", i).q.to_numpy() for i in range(2)]
    np.testing.assert_array_equal(together.q[4], runs[0][2])
    np.testing.assert_array_equal(together.q[5], runs[1][2])
    assert not np.array_equal(runs[0][2], runs[1][2])


def test_a_network_learns_from_no_run_that_is_scored_or_searched_with() -> None:
    seeds = {
        getattr(LEARNING, f"{kind}_run")(FLOW, 3, number).seed
        for kind in ("states", "trajectories", "missed")
        for number in range(10)
    }
    assert len(seeds) == 30
    assert min(seeds) >= 3_000_000


def test_presets_train_what_candidates_name() -> None:
    for settings in PRESETS.values():
        names = [plan.name for plan in settings.plans]
        assert set(names) <= set(settings.learning.trainings)
        for plan in settings.plans:
            assert CANDIDATES[plan.name].plan == plan
            if plan.begins_as is not None:
                assert names.index(plan.begins_as.name) < names.index(plan.name)
    assert [p.name for p in PRESETS["full"].plans] == [
        "gated",
        "fcnn",
        "gated_online",
        "gated_noise",
        "unet",
    ]
    assert PRESETS["quick"].plans == ()


def test_trainings_are_reported(learner: Learner) -> None:
    trained = learner.train(FIRST)
    findings = Findings({}, {}, {}, {}, {}, {}, trained={"gated": trained})
    (row,) = training_table(findings).rows.values()
    loss = trained.history.validation[0]
    assert row[:6] == (trained.n_parameter, 8.0, 1.0, 1.0, loss, loss)
    metrics = flat_metrics(findings)
    assert metrics["training_samples_gated"] == 8.0
    assert metrics["training_loss_gated"] == loss
    assert isinstance(trained, Trained)
