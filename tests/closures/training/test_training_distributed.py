"""Two processes give what one gives with the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import distributed_training
import pytest
import torch
from distributed_training import together

from closures.training import Ranks, ranks


def test_two_ranks_give_the_losses_of_one(tmp_path: Path) -> None:
    script = Path(distributed_training.__file__)
    result = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--standalone", str(script), str(tmp_path / "losses")),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    first, second = (json.loads((tmp_path / f"losses.{rank}").read_text()) for rank in (0, 1))
    assert first == second
    training, validation = together(Ranks())
    assert first[0] == pytest.approx(training, rel=1e-5)
    # 101 samples in batches of 50: of the last one the second rank has nothing.
    assert first[1] == pytest.approx(validation, rel=1e-5)
    assert len(training) == 4
    assert training[-1] < training[0]


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with ranks("cpu") as among:
        assert (among.rank, among.n_rank, among.is_first) == (0, 1, True)
        assert torch.equal(among.total(torch.ones(2)), torch.ones(2))


def test_a_missing_gpu_is_named() -> None:
    wanted = "tpu" if torch.cuda.is_available() else "cuda"
    with (
        pytest.raises(ValueError, match=f"expected auto, cpu, or cuda .* got '{wanted}'"),
        ranks(wanted),
    ):
        pass
