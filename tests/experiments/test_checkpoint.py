"""Stages that an earlier run finished: found again, or not when anything differs."""

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from rich.console import Console

from hybrid.experiments.checkpoint import Checkpoint, discard
from hybrid.experiments.result import Request
from hybrid.progress import LineProgress

SETTINGS = {"experiment": "stand-in", "n_step": 3}


def opened(
    out: Path, seed: int = 0, settings: dict[str, Any] | None = None
) -> tuple[Checkpoint, str]:
    """Open a checkpoint of 12 stages; also return what was said."""
    said = StringIO()
    with LineProgress(Console(file=said)) as progress:
        request = Request("test", out, seed, progress)
        checkpoint = Checkpoint.open(request, settings or SETTINGS, 12)
    return checkpoint, said.getvalue()


def noise(checkpoint: Checkpoint, stage: str, made: list[str]) -> xr.Dataset:
    def make() -> xr.Dataset:
        made.append(stage)
        x = checkpoint.generator(stage).normal(size=(4, 3))
        return xr.Dataset({"x": (("time", "k"), x, {"units": "1"})}, attrs={"c": 10.0})

    return checkpoint.arrays(stage, make)


def run_all(checkpoint: Checkpoint, stages: Iterable[str]) -> list[str]:
    """Ask for stages; return those that had to be made."""
    made: list[str] = []
    for stage in stages:
        noise(checkpoint, stage, made)
    return made


def test_finished_stages_are_read_and_not_made_again(tmp_path: Path) -> None:
    checkpoint, said = opened(tmp_path)
    assert said == ""
    first = noise(checkpoint, "a", [])
    assert run_all(checkpoint, "bcde") == ["b", "c", "d", "e"]
    checkpoint, said = opened(tmp_path)
    assert said == "resuming: 5 of 12 stages are done\n"
    made: list[str] = []
    xr.testing.assert_identical(noise(checkpoint, "a", made), first)
    assert made == []
    assert run_all(checkpoint, "abcdef") == ["f"]


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 3)
    values = {"phi": 1.0 / 3.0, "name": "mlp", "parts": [{"weights": network.state_dict()}]}
    checkpoint, _ = opened(tmp_path)
    made = checkpoint.weights("closures", lambda: values)
    again = opened(tmp_path)[0].weights("closures", lambda: pytest.fail("made again"))
    for found in (made, again):
        assert (found["phi"], found["name"]) == (1.0 / 3.0, "mlp")
        assert torch.equal(found["parts"][0]["weights"]["weight"], network.weight)


def test_an_object_is_not_read_back(tmp_path: Path) -> None:
    checkpoint, _ = opened(tmp_path)
    with pytest.raises(Exception, match="Weights only load failed"):
        checkpoint.weights("closures", lambda: {"network": torch.nn.Linear(1, 1)})


@pytest.mark.parametrize(
    ("seed", "settings", "differing"),
    [
        (1, SETTINGS, "seed"),
        (0, {**SETTINGS, "n_step": 4}, "n_step"),
        (1, {**SETTINGS, "files": {"a.nc": 3}}, "seed, files"),
    ],
    ids=["seed", "settings", "files"],
)
def test_what_other_settings_left_stays_until_a_run_has_ended(
    seed: int, settings: dict[str, Any], differing: str, tmp_path: Path
) -> None:
    run_all(opened(tmp_path)[0], "ab")
    checkpoint, said = opened(tmp_path, seed, settings)
    assert said.startswith("beginning anew: the stages that are kept are of a run that differs in ")
    named = said.split("differs in ")[1].split(";")[0]
    assert sorted(named.split(", ")) == sorted(differing.split(", "))
    assert run_all(checkpoint, "a") == ["a"]
    checkpoint, said = opened(tmp_path)
    assert said == "resuming: 2 of 12 stages are done\n"
    assert run_all(checkpoint, "ab") == []
    discard(tmp_path)
    assert opened(tmp_path)[1] == ""


@pytest.mark.parametrize(
    ("changed", "name"), [("versions", "versions"), ("_source_digest", "sources")]
)
def test_what_another_version_left_does_not_count(
    changed: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_all(opened(tmp_path)[0], "a")
    monkeypatch.setattr(f"hybrid.experiments.checkpoint.{changed}", lambda: "another")
    checkpoint, said = opened(tmp_path)
    assert f"differs in {name};" in said
    assert run_all(checkpoint, "a") == ["a"]


def test_a_torn_file_is_ignored(tmp_path: Path) -> None:
    checkpoint, _ = opened(tmp_path)
    run_all(checkpoint, "abc")
    for stage, change in (("a", slice(None, -100)), ("b", slice(1, None))):
        (path,) = checkpoint.folder.glob(f"{stage}.*")
        path.write_bytes(path.read_bytes()[change])
    checkpoint, said = opened(tmp_path)
    assert said == "resuming: 1 of 12 stages are done\n"
    assert run_all(checkpoint, "abc") == ["a", "b"]


def test_a_stage_that_was_interrupted_while_it_was_written_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, _ = opened(tmp_path)

    def half(dataset: xr.Dataset, path: Path, **_: Any) -> None:
        path.write_bytes(b"\x89HDF")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(xr.Dataset, "to_netcdf", half)
        with pytest.raises(KeyboardInterrupt):
            run_all(checkpoint, "a")
    assert [path.name for path in checkpoint.folder.iterdir()] == ["unfinished_a"]
    assert run_all(checkpoint, "a") == ["a"]
    (checkpoint.folder / "unfinished_b").write_bytes(b"\x89HDF")
    checkpoint, said = opened(tmp_path)
    assert said == "resuming: 1 of 12 stages are done\n"
    # Another process may be about to finish what is not.
    kept, unfinished = sorted(path.name for path in checkpoint.folder.iterdir())
    assert re.fullmatch(r"a\.[0-9a-f]{16}", kept)
    assert unfinished == "unfinished_b"


def test_generators_depend_on_seed_part_and_stage_alone(tmp_path: Path) -> None:
    plain, other = Checkpoint(tmp_path, 0), Checkpoint(tmp_path, 1)
    checkpoints = (plain, other, plain.within("c10"), plain.within("c4"))
    drawn = [c.generator(stage).normal() for c in checkpoints for stage in ("floor", "cases")]
    assert len(set(drawn)) == 8
    assert drawn == [c.generator(s).normal() for c in checkpoints for s in ("floor", "cases")]
    together = np.corrcoef([plain.generator(s).normal(size=10000) for s in ("floor", "cases")])
    assert abs(together[0, 1]) < 4.0 / np.sqrt(10000)


def test_parts_have_their_own_stages(tmp_path: Path) -> None:
    checkpoint, _ = opened(tmp_path)
    assert run_all(checkpoint.within("c10"), "a") == ["a"]
    assert run_all(checkpoint.within("c4"), "a") == ["a"]
    assert run_all(checkpoint.within("c4"), "a") == []


def test_discard(tmp_path: Path) -> None:
    discard(tmp_path)
    run_all(opened(tmp_path)[0], "a")
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []
