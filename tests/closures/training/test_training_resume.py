"""A training that was killed goes on as if nothing had happened."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import resumed_training
import torch
from resumed_training import TRAINING, resumed

from closures.training import Checkpoint, CheckpointError, TrainingError
from closures.training.settings import Schedule


def test_a_killed_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    script = str(Path(resumed_training.__file__))
    killed = subprocess.run([sys.executable, script, str(path), "0.58"], check=False)
    assert killed.returncode == -signal.SIGKILL
    # Three of six epochs were finished, the fourth had begun.
    seen: list[float] = []
    history, weights = resumed(path, seen.append)
    assert seen[0] == pytest.approx((3 + 1 / 10) / 6)
    expected_history, expected_weights = resumed(None)
    assert history == expected_history
    for name, value in expected_weights.items():
        assert torch.equal(weights[name], value), name


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    first = resumed(path)
    seen: list[float] = []
    again = resumed(path, seen.append)
    assert seen == []
    assert again[0] == first[0]
    assert all(torch.equal(again[1][name], value) for name, value in first[1].items())


@pytest.mark.parametrize("schedule", ["cosine", "step", "plateau", "constant"])
def test_every_schedule_goes_on(tmp_path: Path, schedule: Schedule) -> None:
    class StopError(Exception):
        pass

    def stop(fraction: float) -> None:
        if fraction > 0.6:
            raise StopError

    training = replace(TRAINING, schedule=schedule, every=1, averaging=0.0)
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(StopError):
        resumed(path, stop, training)
    history, weights = resumed(path, None, training)
    expected_history, expected_weights = resumed(None, None, training)
    assert history == expected_history
    assert all(torch.equal(weights[name], value) for name, value in expected_weights.items())


def test_another_training_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    Checkpoint(path, {"a": "1", "b": "2"}).write({"x": 1})
    assert Checkpoint(path, {"b": "2", "a": "1"}).read() == {"x": 1}
    with pytest.raises(CheckpointError, match=r"got one with b=2 \(now 3\), c=None \(now 4\)"):
        Checkpoint(path, {"a": "1", "b": "3", "c": "4"}).read()


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="expected a checkpoint, got"):
        Checkpoint(path, {}).read()
    assert issubclass(CheckpointError, TrainingError)
