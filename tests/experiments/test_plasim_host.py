"""The hooks compiled into a tiny stand-in of PlaSim, and everything around a run of it."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from plasim_stand_in import write_stand_in

import hybrid
from closures.radiation import FluxEmulator
from closures.training import Training
from hybrid.experiments.plasim import building, years
from hybrid.experiments.plasim.building import Host, ensure_host
from hybrid.experiments.plasim.climate import (
    MAPS,
    N_LATITUDE,
    N_LONGITUDE,
    global_means,
    read_climate,
    read_maps,
)
from hybrid.experiments.plasim.columns import N_COLUMN, kept_columns, read_columns
from hybrid.experiments.plasim.errors import HostBuildError, HostRunError
from hybrid.experiments.plasim.learning import stacked
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.rain import EDGES, maps_of
from hybrid.experiments.plasim.ranks import RECORDED, differing_columns
from hybrid.experiments.plasim.report import read_differences, read_report
from hybrid.experiments.plasim.running import RESTART, run_model, seconds_a_day
from hybrid.experiments.plasim.training import predict, train_emulator

pytestmark = pytest.mark.fortran

STEPS_A_DAY = 4
DUMP = {"mode": "dump", "interval": 3, "stride": 4}


def nothing(_fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    folder = tmp_path_factory.mktemp("plasim")
    tree = write_stand_in(folder / "tree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "source_tree", lambda _folder: tree)
        fractions: list[float] = []
        made = ensure_host(folder, fractions.append)
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        before = made.program.stat().st_mtime_ns
        assert ensure_host(folder, nothing).program.stat().st_mtime_ns == before
    return made


@pytest.fixture(scope="module")
def recorded(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = Run(4, {"longwave": DUMP, "shortwave": DUMP})
    return run_model(host, run, tmp_path_factory.mktemp("runs") / "recorded", nothing)


@dataclass(frozen=True)
class Learned:
    name: str
    emulator: FluxEmulator
    path: Path

    def settings(self, mode: str, **others: object) -> dict[str, dict[str, object]]:
        """Return what the hooks are told."""
        return {self.name: {"mode": mode, "archive": str(self.path), "engine": "native", **others}}


@pytest.fixture(scope="module", params=["longwave", "shortwave"])
def learned(
    request: pytest.FixtureRequest, recorded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Learned:
    columns = read_columns(recorded, request.param, 4)
    training = Training(2, batch_size=128)
    emulator = train_emulator(columns, request.param, (8,), training, {}, nothing)
    path = tmp_path_factory.mktemp("archives") / f"{request.param}.pt"
    verdict = hybrid.export(emulator, path).native
    assert verdict is not None
    assert verdict.expressed
    return Learned(request.param, emulator, path)


def test_night_is_known_and_rounding_is_not_amplified(learned: Learned) -> None:
    if learned.name == "longwave":
        return
    insolation = next(f for f in learned.emulator.spec.inputs if f.name == "insolation")
    assert insolation.valid_min == 0.0
    # Ozone of this model hardly varies: differences of what its layers take are rounding.
    assert 0.0 < float(learned.emulator.core.input_scale.max()) <= 1000.0 * (1.0 + 1e-6)


def test_comments_of_hooks_make_no_other_build(tmp_path: Path) -> None:
    source = tmp_path / "hook.f90"
    source.write_text("!> One.\nreal :: x ! of it\n")
    code = building._code(source)
    source.write_text("  ! Another one,\n! longer.\nreal :: x ! of it\n")
    assert building._code(source) == code
    source.write_text("real :: y ! of it\n")
    assert building._code(source) != code


def test_recorded_columns_are_those_of_the_scheme(recorded: Path) -> None:
    columns = read_columns(recorded, "longwave", 4)
    n_record = -(-4 * STEPS_A_DAY // 3)
    assert dict(columns.sizes) == {"column": n_record * N_COLUMN // 4, "level": 10, "interface": 11}
    assert columns["temperature"].attrs == {"units": "K"}
    assert list(np.unique(columns["step"])) == list(range(0, 16, 3))
    # The first record has columns 1, 5, 9, ..., the next one 2, 6, 10, ...
    i, step, level = 5 + 4 * 7, 1, 3
    expected = 220.0 + 6.0 * level + 5.0 * np.sin(0.37 * i + 0.9 * level + 1.1 * step)
    assert columns["temperature"][1 + 7, level - 1] == pytest.approx(expected, rel=1e-6)
    up = -5.67e-8 * columns["temperature"][:, 0] ** 4 * (1 - 0.3 * columns["cloud_fraction"][:, 9])
    np.testing.assert_allclose(columns["upward_longwave"][:, 0], up, rtol=1e-5)


def test_carbon_dioxide_varies_in_records_alone(host: Host, recorded: Path, tmp_path: Path) -> None:
    varied = run_model(
        host, Run(4, {"longwave": {**DUMP, "varied": True}}), tmp_path / "v", nothing
    )
    columns, plain = (read_columns(folder, "longwave", 4) for folder in (varied, recorded))
    doublings = np.log2(columns["carbon_dioxide"].to_numpy() / 360.0)
    counts, _ = np.histogram(doublings, np.linspace(-2.0, 2.0, 9))
    np.testing.assert_allclose(counts / counts.sum(), 1 / 8, rtol=0.02)
    assert (plain["carbon_dioxide"] == 360.0).all()
    # What the stand-in makes of carbon dioxide is in the record, and the run goes on without it.
    more = columns["downward_longwave"] - plain["downward_longwave"]
    expected = (
        0.01 * (columns["carbon_dioxide"] - 360.0) * xr.DataArray(np.arange(11), dims="interface")
    )
    np.testing.assert_allclose(more, expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(
        read_climate(varied)["surface_longwave"], read_climate(recorded)["surface_longwave"]
    )


def test_sunlight_is_recorded_with_its_insolation(recorded: Path) -> None:
    columns = read_columns(recorded, "shortwave", 4)
    np.testing.assert_allclose(
        columns["downward_shortwave"][:, 0], columns["insolation"], rtol=1e-6
    )
    assert float(columns["insolation"].min()) == 0.0


def test_columns_are_kept_as_netcdf_with_units(recorded: Path) -> None:
    plain = read_columns(recorded, "longwave", 4)
    for _ in range(2):
        kept = kept_columns(recorded, "longwave", 4)
        for name, variable in plain.data_vars.items():
            assert kept[name].dtype == variable.dtype
            assert kept[name].attrs == variable.attrs
            np.testing.assert_array_equal(kept[name], variable)
    with xr.open_dataset(recorded / "longwave.nc", engine="scipy") as file:
        assert file["upward_longwave"].attrs["units"] == "W m-2"
        assert file["upward_longwave"].dims == ("column", "interface")
        assert file.attrs["stride"] == 4
    assert not list(recorded.glob("*.unfinished"))


def test_climate_and_report_of_a_native_run(recorded: Path) -> None:
    climate = read_climate(recorded)
    assert dict(climate.sizes) == {"time": 4, "latitude": N_LATITUDE, "level": 10}
    assert (np.diff(climate["latitude"]) > 0).all()
    assert float(climate["weight"].sum()) == pytest.approx(1.0)
    means = global_means(climate)
    np.testing.assert_allclose(means["precipitation"], 3e-8, rtol=1e-6)
    for name, value in (("sensible_heat", -10.0), ("latent_heat", -80.0)):
        np.testing.assert_allclose(means[name], value, rtol=1e-6)
    radiation = means["surface_longwave"] + means["surface_shortwave"]
    np.testing.assert_allclose(means["net_surface"], radiation - 90.0, rtol=1e-6)
    wind = climate["eastward_wind"].mean(["time", "latitude"])
    np.testing.assert_allclose(wind, 3.0 * np.arange(1, 11), rtol=1e-6)
    report = read_report(recorded)
    assert report["longwave"]["native"].count == 4 * STEPS_A_DAY
    assert report["longwave"]["closure"].count == 0
    assert report["shortwave"]["native"].seconds > 0.0
    assert seconds_a_day(recorded) > 0.0


def test_zonal_means_of_the_maps_are_those_of_the_other_file(recorded: Path) -> None:
    climate, maps = read_climate(recorded), read_maps(recorded)
    assert dict(maps.sizes) == {"time": 4, "latitude": N_LATITUDE, "longitude": N_LONGITUDE}
    for name, units in MAPS.items():
        assert maps[name].attrs["units"] == units
        # Means of numbers of 4 bytes.
        np.testing.assert_allclose(maps[name].mean("longitude"), climate[name], rtol=1e-5)


@pytest.mark.parametrize("name", ["longwave", "shortwave"])
def test_the_host_computes_what_the_guard_leaves_to_it(
    host: Host, recorded: Path, tmp_path: Path, name: str
) -> None:
    columns = read_columns(recorded, name, 4)
    over_sea = columns.isel(column=columns["land_fraction"].to_numpy() == 0.0)
    emulator = train_emulator(over_sea, name, (8,), Training(2, batch_size=128), {}, nothing)
    hybrid.export(emulator, tmp_path / "sea.pt")
    settings = {"mode": "closure", "archive": str(tmp_path / "sea.pt"), "policy": "host"}
    folder = run_model(host, Run(1, {name: settings}), tmp_path / "guarded", nothing)
    field = {"longwave": "outgoing_longwave", "shortwave": "absorbed_shortwave"}[name]
    # Land is every third column.
    is_land = np.arange(N_COLUMN).reshape(N_LATITUDE, N_LONGITUDE)[::-1] % 3 == 0
    found, native = (read_maps(each)[field][0].to_numpy() for each in (folder, recorded))
    np.testing.assert_array_equal(found[is_land], native[is_land])
    assert (found[~is_land] != native[~is_land]).mean() > 0.5
    report = read_report(folder)[name]
    n_all = STEPS_A_DAY * N_COLUMN
    assert n_all / 3 <= report["fallback"].count == report["flagged"].count < n_all
    if name == "shortwave":
        computed = int((folder / "log").read_text().split("computed:")[1].split()[0])
        assert 0 < computed <= report["fallback"].count


def test_a_closure_in_the_host_is_the_one_that_was_trained(
    host: Host, recorded: Path, learned: Learned, tmp_path: Path
) -> None:
    folder = tmp_path / "learned"
    run_model(host, Run(1, learned.settings("closure")), folder, nothing)
    found, native = (read_climate(each).isel(time=0) for each in (folder, recorded))
    names = ["outgoing_longwave", "absorbed_shortwave"]
    changed, other = names if learned.name == "longwave" else names[::-1]
    np.testing.assert_array_equal(found[other], native[other])
    assert np.abs(found[changed] - native[changed]).max() > 1e-3
    report = read_report(folder)[learned.name]
    assert (report["native"].count, report["closure"].count) == (0, STEPS_A_DAY)
    assert report["evaluated"].count == STEPS_A_DAY * N_COLUMN
    assert 0 <= report["flagged"].count < report["evaluated"].count


def test_recorded_columns_of_a_closure_are_the_archive_to_the_bit(
    host: Host, recorded: Path, learned: Learned, tmp_path: Path
) -> None:
    settings = {**learned.settings("closure")[learned.name], **RECORDED, "interval": 3}
    folder = run_model(host, Run(1, {learned.name: settings}), tmp_path / "recorded", nothing)
    n = 2 * N_COLUMN // RECORDED["stride"]
    assert differing_columns(folder, learned.name, learned.path) == (0, n)
    # An archive with one other weight is not that of the run.
    other = copy.deepcopy(learned.emulator)
    with torch.no_grad():
        next(other.core.network.parameters()).mul_(1.01)
    hybrid.export(other, tmp_path / "other.pt")
    n_differing, _ = differing_columns(folder, learned.name, tmp_path / "other.pt")
    assert n_differing > n / 3


def test_shadow_leaves_the_host_alone_and_finds_what_python_finds(
    host: Host, recorded: Path, learned: Learned, tmp_path: Path
) -> None:
    shadow, all_columns = tmp_path / "shadow", tmp_path / "all"
    run_model(host, Run(1, learned.settings("shadow")), shadow, nothing)
    for field in ("outgoing_longwave", "absorbed_shortwave"):
        np.testing.assert_array_equal(
            read_climate(shadow)[field][0], read_climate(recorded)[field][0]
        )
    dump = {learned.name: {"mode": "dump", "interval": 1, "stride": 1}}
    columns = read_columns(run_model(host, Run(1, dump), all_columns, nothing), learned.name, 1)
    fluxes = stacked(columns, learned.emulator.spec.outputs).astype(float)
    error = predict(learned.emulator, columns) - fluxes
    told = read_differences(shadow)[learned.name]
    assert list(told) == [output.name for output in learned.emulator.spec.outputs]
    elements = [each for of_output in told.values() for each in of_output]
    of_fluxes = np.array([(each.mean, each.rms, each.largest) for each in elements])
    expected = error.mean(axis=0), np.sqrt((error**2).mean(axis=0)), np.abs(error).max(axis=0)
    # The fluxes were recorded, and the closure computes, in 4 bytes.
    scale = np.abs(fluxes).max()
    np.testing.assert_allclose(of_fluxes, np.stack(expected, axis=1), rtol=0, atol=1e-5 * scale)


def test_held_fluxes(host: Host, recorded: Path, tmp_path: Path) -> None:
    run_model(host, Run(1, {"longwave": {"mode": "noop"}}), tmp_path / "noop", nothing)
    report = read_report(tmp_path / "noop")["longwave"]
    assert (report["native"].count, report["held"].count) == (1, STEPS_A_DAY - 1)
    run_model(host, Run(1, {"longwave": {"every": 2}}), tmp_path / "every_2", nothing)
    report = read_report(tmp_path / "every_2")["longwave"]
    assert (report["native"].count, report["held"].count) == (2, 2)
    noop, native = read_climate(tmp_path / "noop"), read_climate(recorded)
    assert np.abs(noop["outgoing_longwave"][0] - native["outgoing_longwave"][0]).max() > 1e-3


def test_ramp_begins_with_the_host_and_ends_with_the_closure(
    host: Host, learned: Learned, tmp_path: Path
) -> None:
    for mode, steps in (("closure", {}), ("native", {}), ("ramp", {"first": 3, "last": 4})):
        run_model(host, Run(2, learned.settings(mode, **steps)), tmp_path / mode, nothing)
    field = {"longwave": "outgoing_longwave", "shortwave": "absorbed_shortwave"}[learned.name]
    found = {mode: read_climate(tmp_path / mode)[field] for mode in ("closure", "native", "ramp")}
    np.testing.assert_array_equal(found["ramp"][0], found["native"][0])
    # The shares add up in the host's 8 bytes, the climate is written in 4.
    np.testing.assert_allclose(found["ramp"][1], found["closure"][1], rtol=1e-6)


def test_members_differ_and_a_finished_run_is_not_done_again(host: Host, tmp_path: Path) -> None:
    first = run_model(host, Run(1), tmp_path / "member_0", nothing)
    second = run_model(host, Run(1, member=1), tmp_path / "member_1", nothing)
    one, other = (read_climate(each)["outgoing_longwave"] for each in (first, second))
    relative = np.abs(other / one - 1.0).max()
    assert 0.0 < relative < 1e-3
    before = (first / RESTART).stat().st_mtime_ns
    run_model(host, Run(1), tmp_path / "member_0", nothing)
    assert (first / RESTART).stat().st_mtime_ns == before
    run_model(host, Run(2), tmp_path / "member_0", nothing)
    assert read_climate(first).sizes["time"] == 2


def test_a_run_goes_on_from_another_one(host: Host, recorded: Path, tmp_path: Path) -> None:
    run_model(host, Run(2), tmp_path / "first", nothing)
    later = run_model(host, Run(2, restart=tmp_path / "first" / RESTART), tmp_path / "b", nothing)
    whole = read_climate(recorded)
    for name in ("outgoing_longwave", "absorbed_shortwave", "temperature"):
        np.testing.assert_array_equal(read_climate(later)[name], whole[name][2:])


def test_years_join_to_one_run_and_stay(
    host: Host, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(years, "N_DAY", 3)
    folder, fractions = tmp_path / "long", list[float]()
    years.run_years(host, Run(4), folder, fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    whole, joined = read_climate(recorded), years.climate_of(folder)
    for name in ("outgoing_longwave", "absorbed_shortwave", "temperature", "time"):
        np.testing.assert_array_equal(joined[name], whole[name])
    assert years.report_of(folder)["longwave"]["native"].count == 4 * STEPS_A_DAY
    assert len(seconds := years.seconds_a_day_of(folder)) == 2
    assert min(seconds) > 0.0
    both = maps_of([folder], 1, 4), maps_of([folder, folder], 1, 4)
    rain = read_climate(recorded)["precipitation"][1:].mean("time")
    found = both[0].mean["precipitation"].mean("longitude")
    np.testing.assert_allclose(found, rain, rtol=1e-5)
    np.testing.assert_allclose(both[1].mean["precipitation"], both[0].mean["precipitation"])
    # It rains 3e-8 m s-1 everywhere.
    wet = np.digitize(3e-8 * 86400e3, EDGES) - 1
    assert both[0].rain[wet] == pytest.approx(1.0)
    # A longer run goes on, a shorter one leaves nothing behind, a member differs from the start.
    first = (folder / "year_01" / RESTART).stat().st_mtime_ns
    years.run_years(host, Run(6), folder, nothing)
    assert (folder / "year_01" / RESTART).stat().st_mtime_ns == first
    assert years.climate_of(folder).sizes["time"] == 6
    years.run_years(host, Run(3, member=1), folder, nothing)
    assert [path.name for path in years.year_folders(folder)] == ["year_01"]
    outgoing = years.climate_of(folder)["outgoing_longwave"]
    assert (outgoing != whole["outgoing_longwave"][:3]).any()


def test_what_the_hooks_refuse_is_said(host: Host, tmp_path: Path) -> None:
    run = Run(1, {"longwave": {"mode": "learned"}})
    with pytest.raises(HostRunError, match=r"after day 0: .*expected mode native, .* got learned"):
        run_model(host, run, tmp_path / "mode", nothing)
    run = Run(1, {"longwave": {"mode": "closure", "archive": "/nowhere.pt"}})
    with pytest.raises(HostRunError, match=r"nowhere\.pt"):
        run_model(host, run, tmp_path / "archive", nothing)


def test_a_model_that_stops_by_itself_is_said_to_have_ended_early(
    host: Host, tmp_path: Path
) -> None:
    stops = tmp_path / "stops"
    stops.write_text("#!/bin/sh\necho 'too cold on day 1' > Abort_Message\ntouch plasim_status\n")
    stops.chmod(0o755)
    with pytest.raises(HostRunError, match=r"3 days, ended with status 0 after day 0: too cold"):
        run_model(replace(host, program=stops), Run(3), tmp_path / "run", nothing)


def test_a_failing_compiler_is_said(tmp_path: Path) -> None:
    (tmp_path / "makefile").write_text("all:\n\techo no such module >&2; exit 3\n")
    with pytest.raises(HostBuildError, match=r"make ended with status 2\n.*no such module"):
        building.make(tmp_path, [], nothing)


def test_missing_compilers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "gcc" else name)
    with pytest.raises(HostBuildError, match=r"expected make, gcc, gfortran, got no gcc; .*apt"):
        building._check_tools(1)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "mpirun" else name)
    building._check_tools(1)
    with pytest.raises(HostBuildError, match=r"got no mpirun; .* openmpi-bin"):
        building._check_tools(2)
