"""Networks of two-layer flow learn from states, and go on where they stopped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from two_dimensional_flow import spacing
from two_layer_fields import flow_of, turbulence

from closures.quasigeostrophic.networks import Architecture, NetworkClosure, fit_network
from closures.quasigeostrophic.networks.fit import split_in_time
from closures.training import Checkpoint, Training, TrainingError

N = 16
STEP = spacing(N)
TRAINING = Training(n_epoch=3, batch_size=4, learning_rate=0.01, weight_decay=0.0)
GATED = Architecture(n_channel=4, n_block=1)


def pairs_of(n_run: int, n_time: int) -> xr.Dataset:
    """States, and a target that is the advection of q, smoothed: what a gated network can learn."""
    q = turbulence(N, seed=3, n_member=n_run * n_time)
    flow = flow_of(q)
    frame = NetworkClosure(STEP, Architecture(inputs=("advection",))).double()
    advection = frame.channels(*(torch.from_numpy(f) for f in (q, flow["u"], flow["v"]))).numpy()
    near = sum(np.roll(advection, s, a) for s in (1, -1) for a in (-1, -2))
    fields = {"q": q, "u": flow["u"], "v": flow["v"], "q_tendency": near - 2.0 * advection}
    dims = ("run", "time", "layer", "y", "x")
    return xr.Dataset(
        {name: (dims, f.reshape(n_run, n_time, 2, N, N)) for name, f in fields.items()}
    )


PAIRS = pairs_of(2, 10)


def weights(closure: NetworkClosure) -> dict[str, torch.Tensor]:
    return closure.state_dict()


def test_a_network_learns_a_stencil() -> None:
    closure = NetworkClosure(STEP, GATED)
    training = Training(n_epoch=25, batch_size=4, learning_rate=0.03, weight_decay=0.0)
    history = fit_network(closure, PAIRS, training)
    # Nothing at all would leave 1.
    assert history.validation[0] > 0.1
    assert min(history.validation) < 0.05
    assert history.validation[history.best_epoch - 1] == min(history.validation)


def test_scales_are_those_of_the_earlier_times() -> None:
    closure = NetworkClosure(STEP, GATED)
    changed = PAIRS.copy(deep=True)
    changed["q"][:, 8:] *= 100.0
    fit_network(closure, changed, TRAINING, held_out=0.2)
    spread = closure.channels.spread[:2, 0, 0].numpy()
    expected = np.sqrt((PAIRS.q[:, :8] ** 2).mean(("run", "time", "y", "x")))
    np.testing.assert_allclose(spread, expected, rtol=1e-6)


def test_an_interrupted_training_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped, resumed = (NetworkClosure(STEP, GATED, seed=5) for _ in range(3))
    expected = fit_network(whole, PAIRS, TRAINING)
    checkpoint = Checkpoint(tmp_path / "training.pt", {"seed": "5"})

    def interrupt(report: Any) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_network(stopped, PAIRS, TRAINING, checkpoint=checkpoint, on_epoch=interrupt)
    done: list[int] = []
    history = fit_network(
        resumed, PAIRS, TRAINING, checkpoint=checkpoint, on_epoch=lambda r: done.append(r.epoch)
    )
    assert done == [3]
    assert history == expected
    for name, value in weights(whole).items():
        assert torch.equal(weights(resumed)[name], value)


def test_progress_reaches_the_end() -> None:
    seen: list[float] = []
    fit_network(NetworkClosure(STEP, GATED), PAIRS, TRAINING, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_runs_are_split_at_the_same_time() -> None:
    earlier, later = split_in_time(PAIRS, 0.3)
    assert (earlier.sizes["time"], later.sizes["time"]) == (7, 3)
    assert later.identical(PAIRS.isel(time=slice(7, None)))


@pytest.mark.parametrize("held_out", [0.0, 0.01, 1.0])
def test_a_split_leaves_some_to_both(held_out: float) -> None:
    with pytest.raises(TrainingError, match=r"^held_out: expected a part of the 10 times that"):
        fit_network(NetworkClosure(STEP, GATED), PAIRS, TRAINING, held_out=held_out)


def test_pairs_without_a_target_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"^pairs: expected a variable 'q_tendency' with dims"):
        fit_network(NetworkClosure(STEP, GATED), PAIRS.drop_vars("q_tendency"), TRAINING)
