"""The whole way of the experiment, on the generated sample and on ClimSim's own files."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from climsim_folder import real_climsim_folder
from rich.console import Console
from rich.progress import Progress

from closures.climsim.emulator import predict
from closures.climsim.errors import DataError
from closures.climsim.files import Pair, list_pairs, read_columns, read_pair
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.mlp import MLPConfig, train_mlp
from closures.climsim.scoring import largest_difference, score
from closures.climsim.variables import v1
from closures.training import Training
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_host
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.experiments import run_experiment
from hybrid.experiments.climsim import models, run
from hybrid.experiments.climsim.coupling import Coupled, run_in_fortran
from hybrid.experiments.climsim.figures import rain_shares
from hybrid.experiments.result import ExperimentResult, Preset, Request
from hybrid.progress import LineProgress

V1 = v1()
LABELS = ("dT", "dq", "NETSW", "FLWDS", "PRECSC", "PRECC", "SOLS", "SOLL", "SOLSD", "SOLLD")

pytestmark = pytest.mark.fortran


@pytest.fixture(scope="module")
def real_folder() -> Path:
    return real_climsim_folder()


def experiment(preset: Preset, out: Path, data: Path | None) -> ExperimentResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HYBRID_CLIMSIM_DATA", raising=False)
        return run(Request(preset, out, 0, Progress(disable=True), data))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    return experiment("test", tmp_path_factory.mktemp("generated"), None)


@pytest.fixture(scope="module")
def real(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    return experiment("test", tmp_path_factory.mktemp("real"), real_folder)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, ...]:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, SampleConfig(n_per_month=3, months=(3,), seed=2))
    return list_pairs(folder)


@pytest.fixture(scope="module")
def coupled(sample: tuple[Pair, ...], tmp_path_factory: pytest.TempPathFactory) -> Coupled:
    columns = read_columns(sample, V1)
    config = MLPConfig(Training(n_epoch=1), widths=(24,))
    closure, _ = train_mlp(columns, V1, config)
    grid = read_grid(find_grid(sample[0].mli.parents[2]))
    archive = tmp_path_factory.mktemp("coupled") / "mlp.pt"
    seen: list[float] = []
    result = run_in_fortran(closure, archive, columns, V1, grid, seen.append)
    assert seen == pytest.approx([1 / 3, 2 / 3, 1.0], abs=1e-5)
    expected = score(predict(closure, columns.inputs, V1), columns, V1, grid)
    assert largest_difference(expected, result.scores) < 1e-7
    return result


def test_headline_says_first_that_data_are_generated(generated: ExperimentResult) -> None:
    assert generated.headline.startswith("Generated sample, not ClimSim data")
    assert generated.settings["data"] == generated.choices["data"] == "generated sample"


class Interrupting(Progress):
    """Stops the run in the middle of the training for split season."""

    def update(self, task_id: Any, **kwargs: Any) -> None:
        super().update(task_id, **kwargs)
        task = self._tasks[task_id]
        if task.description.endswith("training, split season") and task.completed >= 0.5:
            raise KeyboardInterrupt


def test_interrupted_run_goes_on_and_gives_the_same_numbers(
    generated: ExperimentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYBRID_CLIMSIM_DATA", raising=False)
    with pytest.raises(KeyboardInterrupt), Interrupting(disable=True) as progress:
        run_experiment("climsim", "test", tmp_path, 0, None, progress)
    trained: list[str] = []

    def record(*arguments: Any) -> Any:
        trained.append(arguments[4]["split"])
        return train_mlp(*arguments)

    monkeypatch.setattr(models, "train_mlp", record)
    said = StringIO()
    with LineProgress(Console(file=said)) as line_progress:
        resumed = run_experiment("climsim", "test", tmp_path, 0, None, line_progress)
    lines = said.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["climsim", "climsim", "resuming"]
    assert lines[2] == "resuming: 1 of 2 stages are done"
    assert trained == ["season"]
    assert dict(resumed.metrics) == dict(generated.metrics)
    assert not (tmp_path / "checkpoint").exists()


def test_headline_of_real_data_does_not_speak_of_a_sample(real: ExperimentResult) -> None:
    assert real.headline.startswith("ClimSim low-resolution files. 24 time steps of 384 columns")
    assert "enerated" not in real.headline + str(real.settings) + str(real.choices)


def test_metrics_are_complete_and_finite(generated: ExperimentResult) -> None:
    metrics = generated.metrics
    expected = {
        f"{score}_{label}_{model}{suffix}"
        for score in ("mae", "rmse", "bias", "r2_pooled")
        for label in LABELS
        for model in ("climatology", "ridge", "mlp")
        for suffix in ("", "_season")
    }
    assert set(metrics) == expected | {"fortran_minus_python_max"}
    assert np.isfinite(list(metrics.values())).all()


@pytest.mark.parametrize("data", ["generated", "real"])
def test_files_written_in_fortran_score_as_the_python_closure(
    data: str, request: pytest.FixtureRequest
) -> None:
    result: ExperimentResult = request.getfixturevalue(data)
    assert result.metrics["fortran_minus_python_max"] <= 1e-6
    for table in result.tables:
        python, fortran = table.rows["MLP (Python)"], table.rows["MLP (Fortran host)"]
        assert fortran == pytest.approx(python, rel=1e-6)
        assert table.columns == LABELS


def test_small_network_beats_ridge_and_climatology_on_real_files(real: ExperimentResult) -> None:
    for suffix in ("", "_season"):
        for label in ("dT", "dq", "NETSW", "PRECC"):
            mlp, ridge, climatology = (
                real.metrics[f"mae_{label}_{model}{suffix}"]
                for model in ("mlp", "ridge", "climatology")
            )
            assert mlp < ridge < climatology, (label, suffix)


def test_figures_have_labels_with_units_and_quote_numbers(real: ExperimentResult) -> None:
    assert [figure.name for figure in real.figures] == [
        "profiles",
        "cross_section",
        "precipitation",
    ]
    for figure in real.figures:
        assert any(character.isdigit() for character in figure.reading)
        panels = [axes for axes in figure.figure.axes if axes.get_label() != "<colorbar>"]
        for axes in panels:
            assert "[" in axes.get_xlabel()
        assert "[" in panels[0].get_ylabel()
    assert f"{real.metrics['mae_dT_mlp']:.2f} W m-2" in real.figures[0].reading


def test_choices_name_the_best_model_of_each_variable(real: ExperimentResult) -> None:
    assert {name for name in real.choices if name.startswith("best")} == {
        f"best_{label}" for label in ("dT", "dq", "NETSW", "FLWDS", "PRECC")
    }
    # In this preset the network is too short trained to win longwave.
    assert real.choices["best_FLWDS"] == "ridge"
    assert real.choices["best_dT"] == "mlp"
    for label in ("dT", "dq", "NETSW", "FLWDS", "PRECC"):
        errors = {m: real.metrics[f"mae_{label}_{m}"] for m in ("climatology", "ridge", "mlp")}
        assert errors[real.choices[f"best_{label}"]] == min(errors.values())


def test_notes_quote_the_largest_difference_of_each_split(real: ExperimentResult) -> None:
    quoted = [
        float(re.findall(r"between Fortran and Python: (\S+) ", table.note)[0])
        for table in real.tables
    ]
    assert max(quoted) == pytest.approx(real.metrics["fortran_minus_python_max"], rel=0.05)


def test_rain_is_called_too_frequent_only_where_it_is() -> None:
    truth = np.array([0.0, 0.5, 1.0, 9.9, 10.0, 30.0, 40.0, 50.0])
    said = rain_shares(truth, np.array([-0.1, 2.0, 3.0, 4.0, 5.0, 20.0, 20.0, 20.0]))
    assert "below 1 mm/day: truth 25.0 %, MLP 12.5 % (too few)" in said
    assert "1 to 10 mm/day: truth 25.0 %, MLP 50.0 % (too many)" in said
    assert "above 10 mm/day: truth 50.0 %, MLP 37.5 % (too few)" in said
    assert rain_shares(truth, truth).count("(equal)") == 3


def test_archives_are_there(generated: ExperimentResult) -> None:
    assert [path.name for path in generated.archives] == [
        "climsim_mlp_interleaved.pt",
        "climsim_mlp_season.pt",
    ]
    assert all(path.is_file() for path in generated.archives)


def test_host_writes_files_with_the_header_of_the_originals(
    coupled: Coupled, sample: tuple[Pair, ...]
) -> None:
    for pair in sample:
        path = coupled.archive.with_suffix("") / pair.mlo.name
        with netCDF4.Dataset(path) as found, netCDF4.Dataset(pair.mlo) as original:
            assert found.data_model == original.data_model == "NETCDF3_64BIT_DATA"
            assert {n: len(d) for n, d in found.dimensions.items()} == {"ncol": 384, "lev": 60}
            for name, variable in original.variables.items():
                assert found[name].dimensions == variable.dimensions
                assert found[name].dtype == variable.dtype
            assert set(found.variables) == set(original.variables)
            for name in ("ne", "fv_nphys", "calendar"):
                assert found.getncattr(name) == original.getncattr(name)
            assert found.closure_archive == "mlp.pt"
            assert found.input_file == pair.mli.name
            assert found.timestep == 1200.0
            assert found["state_t"].units == "K"
            assert found["cam_out_PRECC"].units == "m s-1"


def test_host_advances_what_is_predicted_and_copies_the_rest(
    coupled: Coupled, sample: tuple[Pair, ...]
) -> None:
    pair = sample[1]
    path = coupled.archive.with_suffix("") / pair.mlo.name
    with netCDF4.Dataset(pair.mli) as before, netCDF4.Dataset(path) as after:
        for name in ("state_q0002", "state_q0003", "state_u", "state_v", "ymd", "tod"):
            np.testing.assert_array_equal(after[name][...], before[name][...])
        change = np.asarray(after["state_t"][...] - before["state_t"][...]).T
    heating = coupled.written.outputs[384:768, :60]
    np.testing.assert_allclose(change, 1200.0 * heating, rtol=1e-12)
    assert 1e-3 < np.abs(change).max() < 10.0


def host_error(coupled: Coupled, folder: Path, **changes: object) -> str:
    settings = {"archive": str(coupled.archive), "file_list": "files.txt", **changes}
    with pytest.raises(HostError) as error:
        run_host("climsim", {"settings": settings}, folder)
    return str(error.value)


def write_list(folder: Path, *lines: str | Path) -> None:
    (folder / "files.txt").write_text("".join(f"{line}\n" for line in lines))


def test_host_reports_a_missing_list_and_a_missing_file(coupled: Coupled, tmp_path: Path) -> None:
    assert "files.txt" in host_error(coupled, tmp_path)
    write_list(tmp_path, "nowhere.nc", "out.nc")
    assert "nowhere.nc: No such file or directory" in host_error(coupled, tmp_path)
    write_list(tmp_path, "alone.nc")
    assert "expected two lines a pair" in host_error(coupled, tmp_path)


def test_host_reports_bad_settings(coupled: Coupled, tmp_path: Path) -> None:
    assert "expected timestep > 0" in host_error(coupled, tmp_path, timestep=-1.0)
    assert "expected archive and file_list" in host_error(coupled, tmp_path, archive="")
    assert "colour" in host_error(coupled, tmp_path, colour="red")
    write_list(tmp_path, "a.nc", "b.nc")
    assert "absent.pt" in host_error(coupled, tmp_path, archive="absent.pt")


@pytest.mark.parametrize(
    ("dims", "message"),
    [(("ncol", "lev"), "write the file as (lev, ncol)"), (("ncol",), "unexpected rank")],
)
def test_host_refuses_transposed_and_flat_profiles(
    coupled: Coupled, tmp_path: Path, dims: tuple[str, ...], message: str
) -> None:
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("ncol", 60)
        file.createDimension("lev", 60)
        file.createVariable("state_t", "f8", dims)[...] = 250.0
    write_list(tmp_path, "in.nc", "out.nc")
    assert message in host_error(coupled, tmp_path)


def test_host_reports_a_column_that_is_not_finite(
    coupled: Coupled, sample: tuple[Pair, ...], tmp_path: Path
) -> None:
    (tmp_path / "in.nc").write_bytes(sample[0].mli.read_bytes())
    with netCDF4.Dataset(tmp_path / "in.nc", "a") as file:
        file["state_q0001"][30, 7] = np.nan
    write_list(tmp_path, "in.nc", "out.nc")
    message = host_error(coupled, tmp_path)
    assert "state_q0001: expected finite values, got NaN in column 8 of 384" in message
    assert "element 31 of 60; nothing was written" in message
    assert not (tmp_path / "out.nc").exists()


def test_host_rebinds_for_files_of_another_size(
    coupled: Coupled, sample: tuple[Pair, ...], tmp_path: Path
) -> None:
    """A file with the first 100 columns gives the same columns as the whole file."""
    with (
        netCDF4.Dataset(sample[0].mli) as whole,
        netCDF4.Dataset(tmp_path / "few.nc", "w", format="NETCDF3_64BIT_DATA") as few,
    ):
        few.createDimension("ncol", 100)
        few.createDimension("lev", 60)
        few.setncatts({name: whole.getncattr(name) for name in ("ne", "fv_nphys", "calendar")})
        for name, variable in whole.variables.items():
            few.createVariable(name, variable.dtype, variable.dimensions)
            few[name][...] = variable[..., :100] if variable.dimensions else variable[...]
    first = sample[0].mli
    write_list(tmp_path, first, "a.nc", "few.nc", "b.nc", first, "c.nc")
    settings = {"archive": str(coupled.archive), "file_list": "files.txt"}
    run_host("climsim", {"settings": settings}, tmp_path)
    with (
        netCDF4.Dataset(tmp_path / "a.nc") as a,
        netCDF4.Dataset(tmp_path / "b.nc") as b,
        netCDF4.Dataset(tmp_path / "c.nc") as c,
    ):
        for name in ("state_t", "state_q0001", "cam_out_FLWDS", "cam_out_PRECC"):
            np.testing.assert_array_equal(b[name][...], a[name][..., :100])
            np.testing.assert_array_equal(c[name][...], a[name][...])


def test_data_folder_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRID_CLIMSIM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}: expected files named E3SM")):
        run(Request("test", tmp_path, 0, Progress(disable=True)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_quick_preset_reaches_its_scores(real_folder: Path, tmp_path: Path, seed: int) -> None:
    result = run(Request("quick", tmp_path, seed, Progress(disable=True), real_folder))
    metrics = result.metrics
    assert metrics["mae_dT_mlp"] <= 3.45
    assert metrics["mae_dq_mlp"] <= 5.35
    assert metrics["fortran_minus_python_max"] <= 1e-6
    for label in ("dT", "dq", "NETSW", "PRECC"):
        for suffix in ("", "_season"):
            mlp = metrics[f"mae_{label}_mlp{suffix}"]
            assert mlp < metrics[f"mae_{label}_ridge{suffix}"]
            assert mlp < metrics[f"mae_{label}_climatology{suffix}"]


def test_written_outputs_are_those_of_read_pair(coupled: Coupled, sample: tuple[Pair, ...]) -> None:
    folder = coupled.archive.with_suffix("")
    _, outputs = read_pair(sample[2], V1, folder / sample[2].mlo.name)
    np.testing.assert_array_equal(coupled.written.outputs[768:], outputs)
