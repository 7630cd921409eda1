"""Closures of two-layer flow trained by what they do in runs, and what they learn from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from two_layer_flow import vigorous

from closures.quasigeostrophic.networks import Architecture, NetworkClosure
from closures.training import Checkpoint, Training, TrainingError
from hybrid.experiments.quasigeostrophic.learning import trajectories as trajectories_module
from hybrid.experiments.quasigeostrophic.learning.online import RolloutObjective, fit_online
from hybrid.experiments.quasigeostrophic.learning.trajectories import TrajectoriesRun
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR, YEAR
from hybrid.two_layer_twin import TwoLayerTwin
from solvers import TwoLayerQG
from solvers.coarse_graining import truncate_exponential

MODEL = TwoLayerQG(nx=16, dt=3600.0)
ARCHITECTURE = Architecture(n_channel=4, n_block=1)
N_SAVED, EVERY = 2, 3


def closure_of(seed: int, tendency: float) -> NetworkClosure:
    """A network with weights of a seed, whose result has a given spread [s-2]."""
    closure = NetworkClosure((MODEL.grid.dy, MODEL.grid.dx), ARCHITECTURE, seed=seed)
    closure.channels.spread[:2] = 1e-5
    closure.channels.spread[2:] = 1e-11
    closure.output_spread.fill_(tendency)
    return closure.eval()


TEACHER = closure_of(1, 2e-11)


@pytest.fixture(scope="module")
def taught() -> xr.Dataset:
    """Trajectories of the coarse model with a network of known weights."""
    q = torch.from_numpy(np.stack([vigorous(MODEL, seed) for seed in range(10)])).float()
    with torch.no_grad():
        later = TwoLayerTwin(replace(MODEL, dtype="float32")).rollout(
            q, N_SAVED, EVERY, lambda *fields: TEACHER(*fields)[0]
        )
    whole = torch.cat([q[:, None], later], dim=1).numpy()
    dims = ("trajectory", "lead", "layer", "y", "x")
    return xr.Dataset({"q": (dims, whole)}, {"lead": 3600.0 * EVERY * np.arange(N_SAVED + 1)})


def objective_of(closure: NetworkClosure, taught: xr.Dataset, weight: float) -> RolloutObjective:
    q = torch.from_numpy(taught.q.to_numpy())
    twin = TwoLayerTwin(replace(MODEL, dtype="float32"))
    made = RolloutObjective(closure, twin, EVERY, weight)
    made.measure(q[:, 0], q[:, 1:])
    return made


def test_the_loss_is_0_for_the_truth_and_1_for_each_part_without_closure(
    taught: xr.Dataset,
) -> None:
    q = torch.from_numpy(taught.q.to_numpy())
    batch = q[:8, 0], q[:8, 1:]
    with torch.no_grad():
        assert objective_of(TEACHER, taught, 0.5)(*batch) < 1e-6
        for weight in (0.0, 0.5):
            none = objective_of(closure_of(2, 0.0), taught, weight)
            none.measure(*batch)
            missed = none.misfit(*batch, None).spectra
            # Rings that are almost right have a tenth of the mean for a unit.
            part = (missed / (0.1 * missed.mean(-1, keepdim=True))).clamp(max=1.0).mean()
            assert 0.5 < part < 1.0
            assert float(none(*batch)) == pytest.approx(1.0 + weight * float(part), rel=1e-4)


def test_waves_that_the_filter_damps_do_not_count(taught: xr.Dataset) -> None:
    q = torch.from_numpy(taught.q.to_numpy())
    objective = objective_of(closure_of(2, 1e-11), taught, 0.1)
    signs = (-1.0) ** torch.arange(16.0)
    with torch.no_grad():
        expected = objective(q[:, 0], q[:, 1:])
        assert objective(q[:, 0], q[:, 1:] + 1e-5 * signs) == pytest.approx(
            float(expected), rel=1e-4
        )
        wave = torch.cos(2.0 * torch.pi * torch.arange(16.0) / 16)
        assert objective(q[:, 0], q[:, 1:] + 1e-5 * wave) > 2.0 * expected


def test_a_closure_learns_from_runs_what_made_them(taught: xr.Dataset) -> None:
    closure = closure_of(2, 2e-11)
    training = Training(n_epoch=8, batch_size=4, learning_rate=0.03, weight_decay=0.0)
    history = fit_online(closure, MODEL, taught, training, spectra=0.1)
    # What made the trajectories has 0; other weights of its size miss them by far.
    assert min(history.validation) < 0.1 * history.validation[0]
    assert history.validation[history.best_epoch - 1] == min(history.validation)
    # The scales are not learned.
    assert torch.equal(closure.output_spread, TEACHER.output_spread)


def test_an_interrupted_training_in_runs_ends_as_one_that_was_not(
    taught: xr.Dataset, tmp_path: Path
) -> None:
    training = Training(n_epoch=2, batch_size=4, learning_rate=0.01, weight_decay=0.0)
    whole, resumed = closure_of(3, 2e-11), closure_of(3, 2e-11)
    expected = fit_online(whole, MODEL, taught, training)
    checkpoint = Checkpoint(tmp_path / "training.pt", {})

    def interrupt(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_online(
            closure_of(3, 2e-11), MODEL, taught, training, checkpoint=checkpoint,
            on_progress=interrupt,
        )  # fmt: skip
    assert fit_online(resumed, MODEL, taught, training, checkpoint=checkpoint) == expected
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)


@pytest.mark.parametrize("lead", [[0.0, 1800.0, 3600.0], [0.0, 3600.0, 10800.0], [3600.0, 7200.0]])
def test_times_between_steps_are_refused(taught: xr.Dataset, lead: list[float]) -> None:
    wrong = taught.isel(lead=slice(len(lead))).assign_coords(lead=lead)
    training = Training(n_epoch=1, batch_size=4)
    with pytest.raises(TrainingError, match=r"^lead: expected times from 0 on, evenly apart by"):
        fit_online(closure_of(2, 0.0), MODEL, wrong, training)


def test_a_split_leaves_trajectories_to_both(taught: xr.Dataset) -> None:
    training = Training(n_epoch=1, batch_size=4)
    with pytest.raises(TrainingError, match=r"^held_out: expected a part of the 10 trajectories"):
        fit_online(closure_of(2, 0.0), MODEL, taught, training, held_out=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"every": 5400.0},
            (
                "every, apart: expected whole steps of 3600 s, and at least one between states, "
                "got 5400 s and 1.8e+06 s"
            ),
        ),
        (
            {"n_saved": 0},
            ("n_trajectory, n_saved: expected at least one trajectory of one state, got 64 of 0"),
        ),
    ],
)
def test_trajectories_that_cannot_be_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        TrajectoriesRun(configuration=CONFIGURATIONS["eddy"], seed=0, **settings)
    assert str(error.value) == message


def test_trajectories_are_those_of_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    flow = replace(CONFIGURATIONS["eddy"], n_truth=32, n_coarse=16)
    run = TrajectoriesRun(
        configuration=flow,
        seed=4,
        spin_up=20.0 * HOUR / YEAR,
        n_trajectory=2,
        apart=10.0 * HOUR,
        n_saved=2,
        every=3.0 * HOUR,
    )
    made = run.trajectories()
    assert dict(made.sizes) == {"trajectory": 2, "lead": 3, "layer": 2, "y": 16, "x": 16}
    assert made.lead.to_numpy().tolist() == [0.0, 3.0 * HOUR, 6.0 * HOUR]
    truth = flow.truth.run(
        time=42.0 * HOUR, save_every=HOUR, initial=flow.initial(32, 4), progress=False
    )
    # A trajectory of 6 hours, then 10, then the next.
    for number, lead, hour in ((0, 0, 20), (0, 2, 26), (1, 0, 36), (1, 1, 39)):
        state = truth.q.isel(member=0, time=hour)
        expected = truncate_exponential(state, 16).to_numpy()
        found = made.q.isel(trajectory=number, lead=lead).to_numpy()
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    # Once made, nothing is run again.
    monkeypatch.setattr(trajectories_module, "truncate_exponential", None)
    assert run.trajectories().identical(made)
