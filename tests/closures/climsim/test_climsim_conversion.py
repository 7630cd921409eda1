"""Conversion into shards: content, statistics, order, resuming, workers, memory."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consecutive_steps import consecutive_steps

from closures.climsim import conversion, shard_writer
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import Pair, list_pairs, read_columns
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.loader import Shards
from closures.climsim.manifest import Manifest, Skipped
from closures.climsim.shard_writer import ShardRecord, ShardTask
from closures.climsim.variables import variable_set

V1, V2 = variable_set("V1"), variable_set("V2")
SMALL = Conversion(V1, seed=3, shard_bytes=800_000)
"""Two time steps a shard."""


@pytest.fixture(scope="module")
def pairs(sample_folder: Path) -> tuple[Pair, ...]:
    return list_pairs(sample_folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"
    }


def stacked(folder: Path, manifest: Manifest) -> tuple[np.ndarray[Any, Any], ...]:
    parts = [Shards(folder, manifest).rows(shard) for shard in manifest.shards]
    inputs, outputs = zip(*parts, strict=True)
    return np.concatenate(inputs), np.concatenate(outputs)


@pytest.mark.parametrize("name", ["V1", "V1_albedo", "V2", "v2_rh", "v2_rh_mc"])
def test_samples_are_those_of_the_files_in_another_order(
    pairs: tuple[Pair, ...], name: str, tmp_path: Path
) -> None:
    variables = variable_set(name)
    manifest = convert(pairs, tmp_path, Conversion(variables, seed=1, shard_bytes=3 << 20))
    assert len(manifest.shards) > 1
    assert manifest.n_sample == 9 * 384
    assert manifest.skipped == ()
    by_name = {pair.mli.name: i for i, pair in enumerate(pairs)}
    columns = read_columns(pairs, variables)
    for shard in manifest.shards:
        step, column = manifest.origin(shard)
        place = np.array([by_name[manifest.sources[i].mli] for i in step]) * 384 + column
        x, y = Shards(tmp_path, manifest).rows(shard)
        # Tendencies of float64 values, rounded once.
        np.testing.assert_array_equal(x, columns.inputs[place].astype(np.float32))
        np.testing.assert_array_equal(y, columns.outputs[place].astype(np.float32))


def test_every_column_is_there_once_and_out_of_order(
    pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    manifest = convert(pairs, tmp_path, SMALL)
    assert [shard.n_sample for shard in manifest.shards] == [768] * 4 + [384]
    origins = [manifest.origin(shard) for shard in manifest.shards]
    numbers = np.concatenate([384 * step + column for step, column in origins])
    assert sorted(numbers) == list(range(9 * 384))
    assert np.abs(np.diff(numbers)).mean() > 100
    names = [source.mli for source in manifest.sources]
    assert names != sorted(names)
    assert sorted(names) == [pair.mli.name for pair in pairs]


def test_without_a_seed_the_order_is_that_of_time(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    manifest = convert(pairs, tmp_path, Conversion(V1, seed=None, shard_bytes=800_000))
    inputs, outputs = stacked(tmp_path, manifest)
    columns = read_columns(pairs, V1)
    np.testing.assert_array_equal(inputs, columns.inputs.astype(np.float32))
    np.testing.assert_array_equal(outputs, columns.outputs.astype(np.float32))


def test_statistics_are_those_of_all_samples(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    manifest = convert(pairs, tmp_path, SMALL)
    for found, values in zip(
        (manifest.inputs, manifest.outputs), stacked(tmp_path, manifest), strict=True
    ):
        exact = values.astype(np.float64)
        assert found.count == 9 * 384
        np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(found.std, exact.std(axis=0), rtol=1e-9, atol=1e-300)
        np.testing.assert_array_equal(found.minimum, exact.min(axis=0))
        np.testing.assert_array_equal(found.maximum, exact.max(axis=0))


def test_snow_on_no_ice_is_zero(real_folder: Path, tmp_path: Path) -> None:
    manifest = convert(list_pairs(real_folder)[:2], tmp_path, Conversion(V2))
    snow = V2.slices("inputs")["cam_in_snowhice"]
    assert manifest.inputs.maximum[snow] < 10.0
    columns = read_columns(list_pairs(real_folder)[:2], V2).inputs[:, snow]
    assert columns.max() < 10.0
    assert (columns == 0.0).sum() > 300


def test_the_manifest_says_what_and_whence(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    written = convert(pairs, tmp_path, SMALL)
    found = Manifest.read(tmp_path)
    assert found.shards == written.shards
    assert found.sources == written.sources
    assert (found.variables, found.seed, found.n_column) == (V1, 3, 384)
    first = next(pair for pair in pairs if pair.mli.name == found.sources[0].mli)
    assert found.sources[0].mli_sha256 == hashlib.sha256(first.mli.read_bytes()).hexdigest()
    assert found.sources[0].mlo_sha256 == hashlib.sha256(first.mlo.read_bytes()).hexdigest()
    assert {path.suffix for path in tmp_path.iterdir()} <= {".npy", ".json", ".sha256", ""}
    assert not (tmp_path / "unfinished").exists()


@pytest.mark.parametrize("name", ["v4", "v5", "v6"])
def test_memory_comes_from_the_steps_before(sample_folder: Path, name: str, tmp_path: Path) -> None:
    steps = consecutive_steps(sample_folder, tmp_path / "in", 5)
    assert [pair.step - steps[0].step for pair in steps] == [0, 1, 2, 3, 4]
    variables, grid = variable_set(name), read_grid(find_grid(sample_folder))
    manifest = convert(steps, tmp_path / "out", Conversion(variables, seed=None, grid=grid))
    assert [source.mli for source in manifest.sources] == [pair.mli.name for pair in steps[2:]]
    assert [skipped.name for skipped in manifest.skipped] == [pair.mli.name for pair in steps[:2]]
    assert "expected the step 1200 s before, found none" in manifest.skipped[0].reason
    assert "expected the step 2400 s before, found none" in manifest.skipped[1].reason

    raw = [read_columns([pair], V2) for pair in steps]
    before = [raw_step.inputs for raw_step in raw]
    change = [raw_step.outputs for raw_step in raw]
    at, of = V2.slices("inputs"), V2.slices("outputs")
    inputs = read_columns(steps[2:], variables, among=steps, grid=grid).inputs.reshape(3, 384, -1)
    slices = variables.slices("inputs")
    part = {key: inputs[..., where] for key, where in slices.items()}
    for i in range(3):
        now, last, older = i + 2, i + 1, i
        t = [b[:, at["state_t"]] for b in before]
        after_t = t[last] + 1200.0 * change[last][:, of["ptend_t"]]
        np.testing.assert_allclose(
            part["state_t_dyn"][i], (t[now] - after_t) / 1200.0, rtol=0, atol=1e-12
        )
        after_t = t[older] + 1200.0 * change[older][:, of["ptend_t"]]
        np.testing.assert_allclose(
            part["tm_state_t_dyn"][i], (t[last] - after_t) / 1200.0, rtol=0, atol=1e-12
        )
        for prefix, step in (("", last), ("tm_", older)):
            for key in ("t", "q0001", "u"):
                np.testing.assert_array_equal(
                    part[f"{prefix}state_{key}_prvphy"][i], change[step][:, of[f"ptend_{key}"]]
                )
        total = [sum(b[:, at[f"state_q000{k}"]] for k in (1, 2, 3)) for b in before]
        physics = sum(change[last][:, of[f"ptend_q000{k}"]] for k in (1, 2, 3))
        expected = (total[now] - total[last]) / 1200.0 - physics
        np.testing.assert_allclose(part["state_q0_dyn"][i], expected, rtol=0, atol=1e-17)
        if name != "v6":
            np.testing.assert_array_equal(part["tm_state_ps"][i], before[last][:, at["state_ps"]])
            np.testing.assert_array_equal(part["icol"][i][:, 0], np.arange(1, 385))
        np.testing.assert_allclose(part["clat"][i] ** 2 + part["slat"][i] ** 2, 1.0)
        np.testing.assert_array_equal(part["slat"][i][:, 0], np.sin(np.radians(grid.lat)))


def test_cloud_water_of_both_phases_is_their_sum(pairs: tuple[Pair, ...]) -> None:
    joint, separate = variable_set("v2_rh_mc"), V2
    a, b = (read_columns(pairs[:2], variables) for variables in (joint, separate))
    i, j = joint.slices("inputs"), separate.slices("inputs")
    np.testing.assert_array_equal(
        a.inputs[:, i["state_qn"]],
        b.inputs[:, j["state_q0002"]] + b.inputs[:, j["state_q0003"]],
    )
    i, j = joint.slices("outputs"), separate.slices("outputs")
    np.testing.assert_allclose(
        a.outputs[:, i["ptend_qn"]],
        b.outputs[:, j["ptend_q0002"]] + b.outputs[:, j["ptend_q0003"]],
        rtol=0,
        atol=1e-18,
    )


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(
    pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        convert(pairs, tmp_path / name, Conversion(V1, seed, 800_000))
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert a["shard-00000.inputs.npy"] != c["shard-00000.inputs.npy"]


class Killed(BaseException):
    """Stands for a signal."""


@pytest.mark.parametrize("moment", range(0, 15, 2))
def test_an_interruption_anywhere_leaves_no_part_and_the_same_call_ends_it(
    pairs: tuple[Pair, ...], moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each file takes its place in turn; the result is that without an interruption."""
    expected = tmp_path / "expected"
    convert(pairs, expected, SMALL)
    out, count = tmp_path / "out", 0
    replace = Path.replace

    def stop(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == moment + 1:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(Killed):
        convert(pairs, out, SMALL)
    monkeypatch.undo()
    assert not (out / "manifest.json").exists()
    for path in out.glob("*.npy"):
        assert path.read_bytes() == (expected / path.name).read_bytes()
    made: list[int] = []
    write_shard = shard_writer.write_shard

    def record(task: ShardTask) -> ShardRecord:
        made.append(task.index)
        return write_shard(task)

    monkeypatch.setattr(conversion, "write_shard", record)
    convert(pairs, out, SMALL)
    # The plan, then two files and a record for each of five shards, then the manifest.
    assert made == list(range(max(0, (moment - 1) // 3), 5))
    assert contents(out) == contents(expected)


@pytest.mark.slow
def test_a_killed_process_is_resumed(sample_folder: Path, tmp_path: Path) -> None:
    """Killed in the middle of a write, when no clean-up runs."""
    program = f"""
import os, signal
from pathlib import Path
from closures.climsim import shard_writer
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.variables import v1
write, count = shard_writer._write_rows, 0
def half(stream, rows, order):
    global count
    count += 1
    if count == 6:
        stream.write(b"half")
        stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    write(stream, rows, order)
shard_writer._write_rows = half
pairs = list_pairs(Path({str(sample_folder)!r}))
convert(pairs, Path({str(tmp_path / "out")!r}), Conversion(v1(), 3, 800_000))
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=120)
    assert done.returncode == -9
    assert len(list((tmp_path / "out" / "unfinished").iterdir())) == 2
    pairs = list_pairs(sample_folder)
    convert(pairs, tmp_path / "out", SMALL)
    convert(pairs, tmp_path / "expected", SMALL)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_a_finished_conversion_is_not_made_again(
    pairs: tuple[Pair, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = convert(pairs, tmp_path, SMALL)
    monkeypatch.setattr(conversion, "write_shard", None)
    told: list[int] = []
    again = convert(pairs, tmp_path, SMALL, on_shard=lambda n, _: told.append(n))
    assert again.shards == first.shards
    assert told == [9]


def test_a_shard_that_was_lost_afterwards_is_made_again(
    pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    convert(pairs, tmp_path, SMALL)
    before = contents(tmp_path)
    (tmp_path / "shard-00002.outputs.npy").unlink()
    convert(pairs, tmp_path, SMALL)
    assert contents(tmp_path) == before


def test_progress_counts_time_steps(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    told: list[tuple[int, Sequence[Skipped]]] = []
    convert(pairs, tmp_path, SMALL, on_shard=lambda *what: told.append(what))
    assert told == [(2, ()), (2, ()), (2, ()), (2, ()), (1, ())]


def test_a_dask_cluster_makes_the_same(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    convert(pairs, tmp_path / "alone", SMALL)
    told: list[int] = []
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        convert(
            pairs, tmp_path / "cluster", SMALL, client=client,
            on_shard=lambda n, _: told.append(n),
        )  # fmt: skip
    assert sorted(told) == [1, 2, 2, 2, 2]
    assert contents(tmp_path / "cluster") == contents(tmp_path / "alone")


# Not getrusage, whose peak a process inherits from the one that started it.
_PEAK = """
import sys
from pathlib import Path
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.shard_writer import ShardRecord, ShardTask
from closures.climsim.variables import variable_set
pairs = list_pairs(Path(sys.argv[1]))[: int(sys.argv[3])]
convert(pairs, Path(sys.argv[2]), Conversion(variable_set("V2"), shard_bytes=8 << 20))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_files(real_folder: Path, tmp_path: Path) -> None:
    peaks = []
    for n in (10, 67):
        arguments = [str(real_folder), str(tmp_path / str(n)), str(n)]
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ,
        )
        peaks.append(int(done.stdout) / 1024)
        shutil.rmtree(tmp_path / str(n))
    # All samples would take 91 MiB, those of 10 pairs 14.
    assert peaks[1] - peaks[0] < 8.0
