"""Jobs, one after the other and in processes of their own."""

from pathlib import Path

import pytest
from pool_work import LostError, Work

from hybrid.experiments.pool import run_all

NAMES = ["first", "second", "third"]


@pytest.mark.parametrize("n_process", [1, 2])
def test_every_job_is_done_and_progress_ends_with_all(tmp_path: Path, n_process: int) -> None:
    told: list[float] = []
    run_all(Work(tmp_path, {}), NAMES, NAMES, n_process, told.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("n_process", [1, 2])
def test_a_failure_stops_no_other_job_and_stays_what_it_was(tmp_path: Path, n_process: int) -> None:
    work = Work(tmp_path, {"first": LostError("no columns"), "second": KeyError("x")})
    with pytest.raises(LostError, match="no columns") as raised:
        run_all(work, NAMES, NAMES, n_process, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["third"]
    assert raised.value.__notes__[-2:] == ["first failed", "second failed: 'x'"]
