"""The ClimSim column host gives files what the closure gives, on one process and on several."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from bridge.host_programs import needs_mpi
from climsim_emulators import ISOLATED, columns_of, emulator, exact_layers, levels_of
from consecutive_steps import consecutive_steps, rewrite, with_columns
from numpy.typing import NDArray

import hybrid
from closures.climsim.emulator import predict
from closures.climsim.files import Pair, list_pairs, read_columns
from closures.climsim.humidity import liquid_partition
from closures.climsim.variables import variable_set
from closures.columns.emulator import Results
from fortran_bridge.build import Prefix
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import ColumnRun, run_columns
from hybrid.climsim_sample import SampleConfig, write_sample

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of three generated pairs."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SampleConfig(n_per_month=3, months=(3,), seed=2))
    return folder


@pytest.fixture(scope="module")
def pairs(sample: Path) -> tuple[Pair, ...]:
    return list_pairs(sample)


def exported(
    folder: Path, pairs: Sequence[Pair], name: str, kind: str, results: Results = "mean"
) -> Path:
    """Archive of an untrained network."""
    variables, columns = columns_of(pairs, kind)
    path = folder / f"{name}_{kind}_{results}.pt"
    if not path.is_file():
        hybrid.export(emulator(name, variables, columns, results), path)
    return path


def run(archive: Path, pairs: Sequence[Pair], folder: Path, **options: Any) -> ColumnRun:
    files = [(pair.mli, folder / pair.mlo.name) for pair in pairs]
    return run_columns(archive, files, folder, **options)


def written(path: Path) -> dict[str, Array]:
    """Variables of a file, columns first."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return {name: np.asarray(variable[...]).T for name, variable in file.variables.items()}


def assert_same(one: Mapping[str, Array], other: Mapping[str, Array]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(other[name], values, err_msg=name)


@pytest.mark.parametrize("kind", ISOLATED)
def test_every_variable_set_gives_what_python_gives(
    kind: str, pairs: tuple[Pair, ...], sample: Path, tmp_path: Path
) -> None:
    variables, columns = columns_of(pairs, kind)
    _, layers = exact_layers(variables, columns, levels_of(sample))
    closure = emulator("mlp", variables, columns, physics=layers)
    hybrid.export(closure, tmp_path / "a.pt")
    told: list[float] = []
    timing = run(tmp_path / "a.pt", pairs, tmp_path / "out", on_progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1.0], abs=1e-5)
    assert timing.n_column == 3 * 384
    assert 0.0 < timing.seconds < 60.0
    assert timing.columns_per_second > 384 / timing.seconds
    found = read_columns(pairs, variables, tmp_path / "out").outputs
    expected = predict(closure, columns.inputs, variables)
    scale = np.abs(expected).max(axis=0)
    assert np.count_nonzero(scale) > 0.7 * len(scale)
    assert (np.abs(found - expected) <= 1e-5 * scale + 1e-18).all()


def test_cloud_water_is_divided_by_the_temperature_after_the_step(
    pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    archive = exported(tmp_path, pairs, "mlp", "v2_rh_mc")
    run(archive, pairs[:1], tmp_path / "out")
    after, before = written(tmp_path / "out" / pairs[0].mlo.name), written(pairs[0].mli)
    clouds = ("state_q0002", "state_q0003")
    total, was = (state[clouds[0]] + state[clouds[1]] for state in (after, before))
    changed = total != was
    assert 0.5 < changed.mean() < 1.0
    fraction = liquid_partition(after["state_t"])
    assert (fraction != liquid_partition(before["state_t"]))[changed].any()
    liquid = (fraction * total)[changed]
    np.testing.assert_allclose(after["state_q0002"][changed], liquid, rtol=0, atol=1e-15)
    for name in clouds:
        np.testing.assert_array_equal(after[name][~changed], before[name][~changed])


def test_members_follow_their_mean(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "rpn", "V1", "members")
    run(archive, pairs[:1], tmp_path / "out")
    path = tmp_path / "out" / pairs[0].mlo.name
    with netCDF4.Dataset(path) as file:
        heating, rain = file["ptend_t_members"], file["cam_out_precc_members"]
        assert heating.dimensions == ("realization", "lev", "ncol")
        assert rain.dimensions == ("realization", "ncol")
        assert (heating.units, rain.units) == ("K s-1", "m s-1")
    found, before = written(path), written(pairs[0].mli)
    _, columns = columns_of(pairs[:1], "V1")
    arguments = {
        field.name: columns.inputs[:, part] if field.dims else columns.inputs[:, part.start]
        for field, part in zip(
            (v.field for v in variable_set("V1").inputs),
            variable_set("V1").slices("inputs").values(),
            strict=True,
        )
    }
    expected = hybrid.load(archive).evaluate(arguments)
    members = expected["ptend_t"].astype(float)
    assert members.shape[1] > 1
    assert members.std(axis=1).max() > 0.0
    np.testing.assert_array_equal(found["ptend_t_members"], members.transpose(0, 2, 1))
    np.testing.assert_array_equal(found["cam_out_precc_members"], expected["cam_out_precc"])
    mean = members.mean(axis=1)
    change = (found["state_t"] - before["state_t"]) / 1200.0
    np.testing.assert_allclose(change, mean, rtol=0, atol=1e-15)
    flux = expected["cam_out_flwds"].astype(float).mean(axis=1)
    np.testing.assert_allclose(found["cam_out_FLWDS"], flux, rtol=1e-12)


def test_what_a_closure_says_of_itself_is_written(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    run(exported(tmp_path, pairs, "hsr", "V1", "moments"), pairs[:1], tmp_path / "moments")
    run(exported(tmp_path, pairs, "mlp", "V1", "confidence"), pairs[:1], tmp_path / "confidence")
    moments = written(tmp_path / "moments" / pairs[0].mlo.name)
    assert moments["ptend_t_std"].shape == (384, 60)
    assert moments["cam_out_netsw_std"].shape == (384,)
    assert (moments["cam_out_netsw_std"] > 0.0).all()
    sure = written(tmp_path / "confidence" / pairs[0].mlo.name)["confidence"]
    assert ((sure > 0.0) & (sure < 1.0)).all()


def test_draws_depend_on_seed_and_date_alone(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "cvae", "V1", "sample")
    name = pairs[2].mlo.name
    run(archive, pairs, tmp_path / "all", seed=5)
    run(archive, pairs[2:], tmp_path / "alone", seed=5)
    run(archive, pairs[2:], tmp_path / "other", seed=6)
    alone = written(tmp_path / "alone" / name)
    assert_same(written(tmp_path / "all" / name), alone)
    assert (written(tmp_path / "other" / name)["state_t"] != alone["state_t"]).any()


def test_memory_lasts_while_files_follow_one_another(sample: Path, tmp_path: Path) -> None:
    steps = consecutive_steps(sample, tmp_path / "in", 3)
    for i, pair in enumerate(steps):
        # The last one does not follow the one before.
        second = 86400 - 2 * 1200 + 1200 * i + (1200 if i == 2 else 0)
        with netCDF4.Dataset(pair.mli, "a") as file:
            file["ymd"][...] = 80101 + second // 86400
            file["tod"][...] = second % 86400
    archive = exported(tmp_path, list_pairs(sample), "vertical_rnn", "V1", "memory")
    run(archive, steps, tmp_path / "all")
    fresh = []
    for i, pair in enumerate(steps):
        run(archive, [pair], tmp_path / f"alone{i}")
        alone = written(tmp_path / f"alone{i}" / pair.mlo.name)["state_t"]
        fresh.append((written(tmp_path / "all" / pair.mlo.name)["state_t"] == alone).all())
    assert fresh == [True, False, True]


@needs_mpi
@pytest.mark.parametrize(
    ("name", "kind", "results"),
    [("mlp", "v2_rh_mc", "mean"), ("rpn", "V1", "members"), ("vertical_rnn", "V1", "memory"),
     ("cvae", "V1_albedo", "sample")],
)  # fmt: skip
def test_ranks_write_what_one_process_writes(
    name: str, kind: str, results: Results, pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    archive = exported(tmp_path, pairs, name, kind, results)
    run(archive, pairs[:2], tmp_path / "one", seed=3)
    for ranks in (2, 3):
        folder = tmp_path / f"ranks{ranks}"
        timing = run(archive, pairs[:2], folder, seed=3, launcher=mpirun(ranks))
        assert timing.n_column == 2 * 384
        for pair in pairs[:2]:
            assert_same(written(tmp_path / "one" / pair.mlo.name), written(folder / pair.mlo.name))


@needs_mpi
def test_more_ranks_than_columns(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "mlp", "V1")
    few = tmp_path / "few.nc"
    few.write_bytes(pairs[0].mli.read_bytes())
    with_columns(few, 2)
    run_columns(archive, [(few, tmp_path / "one.nc")], tmp_path)
    run_columns(archive, [(few, tmp_path / "three.nc")], tmp_path, launcher=mpirun(3))
    assert_same(written(tmp_path / "one.nc"), written(tmp_path / "three.nc"))
    run(archive, pairs[:1], tmp_path / "all")
    whole = written(tmp_path / "all" / pairs[0].mlo.name)
    np.testing.assert_array_equal(written(tmp_path / "three.nc")["state_t"], whole["state_t"][:2])


@needs_mpi
def test_an_error_of_one_rank_ends_all(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "mlp", "V1")
    bad = tmp_path / "bad.nc"
    bad.write_bytes(pairs[0].mli.read_bytes())
    with netCDF4.Dataset(bad, "a") as file:
        file["state_t"][30, 300] = np.nan
    with pytest.raises(HostError, match=r"bad\.nc: state_t: .* NaN in .* \(column id 301\)"):
        run_columns(archive, [(bad, tmp_path / "out.nc")], tmp_path, launcher=mpirun(2))
    assert not list(tmp_path.glob("out.nc*"))


def mpirun(ranks: int) -> tuple[str, ...]:
    root = ("--allow-run-as-root",) if os.geteuid() == 0 else ()
    return ("mpirun", *root, "--oversubscribe", "-n", str(ranks))


def test_without_mpi_several_processes_are_refused(
    pairs: tuple[Pair, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = exported(tmp_path, pairs, "mlp", "V1")
    monkeypatch.setattr(Prefix, "host", lambda *_: Path("nowhere"))
    with pytest.raises(HostError, match="expected a host with MPI to launch several processes"):
        run(archive, pairs, tmp_path / "out", launcher=("mpirun",))


def test_the_engine_can_be_named(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "mlp", "V1")
    files = [(pairs[0].mli, tmp_path / "out.nc")]
    with pytest.raises(HostError, match="expected engine 'auto', 'native' or 'torchscript' for t"):
        run_columns(archive, files, tmp_path, engine="onnx")


def test_snow_on_no_ice_is_none(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    """As the conversion of training data has it."""
    archive = exported(tmp_path, pairs, "mlp", "V2")
    for name, value in (("filled.nc", 1e30), ("zero.nc", 0.0)):
        (tmp_path / name).write_bytes(pairs[0].mli.read_bytes())
        with netCDF4.Dataset(tmp_path / name, "a") as file:
            file["cam_in_SNOWHICE"][:] = value
    files = [(tmp_path / name, tmp_path / f"out_{name}") for name in ("filled.nc", "zero.nc")]
    run_columns(archive, files, tmp_path)
    assert_same(written(tmp_path / "out_filled.nc"), written(tmp_path / "out_zero.nc"))


def test_attributes_that_a_file_lacks_are_left_out(pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    archive = exported(tmp_path, pairs, "mlp", "V1")
    bare = tmp_path / "bare.nc"
    bare.write_bytes(pairs[0].mli.read_bytes())
    rewrite(bare)
    run_columns(archive, [(bare, tmp_path / "out.nc")], tmp_path)
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        assert set(file.ncattrs()) == {
            "source", "closure_archive", "input_file", "comment", "timestep"
        }  # fmt: skip
