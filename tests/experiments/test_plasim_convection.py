"""The hook in the place of moist convection, compiled into a tiny stand-in of PlaSim."""

from pathlib import Path

import numpy as np
import pytest
from plasim_rain_stand_in import (
    ADJUSTMENT_PART,
    BETTS_MILLER_PART,
    RAIN,
    write_rainy_stand_in,
)

import hybrid
from closures.convection import OUTPUTS, ConvectionEmulator
from closures.training import Training
from hybrid.experiments.plasim import building
from hybrid.experiments.plasim.building import (
    CONVECTION_HOOKS,
    RADIATION_HOOKS,
    Host,
    ensure_host,
)
from hybrid.experiments.plasim.climate import (
    N_LATITUDE,
    N_LONGITUDE,
    read_climate,
    read_maps,
)
from hybrid.experiments.plasim.columns import read_columns
from hybrid.experiments.plasim.convection.offline import score_convection
from hybrid.experiments.plasim.convection.training import (
    Target,
    layer_mass,
    predict,
    restored,
    train_convection,
)
from hybrid.experiments.plasim.errors import SourceError
from hybrid.experiments.plasim.insertion import ALTERNATIVES, CONVECTION, alone, with_hook
from hybrid.experiments.plasim.learning import stored
from hybrid.experiments.plasim.model_run import Run
from hybrid.experiments.plasim.report import read_report
from hybrid.experiments.plasim.running import run_model

pytestmark = pytest.mark.fortran

STEPS_A_DAY = 4
DUMP = {"mode": "dump", "interval": 1, "stride": 2}
WIDTHS = (24,)

FIRST_RAIN = 3e-5
"""Of the stand-in before its first step [kg m-2 s-1]."""


def nothing(_fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    folder = tmp_path_factory.mktemp("plasim")
    tree = write_rainy_stand_in(folder / "tree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "source_tree", lambda _folder: tree)
        return ensure_host(folder, nothing, hooks=CONVECTION_HOOKS)


@pytest.fixture(scope="module")
def recorded(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "recorded"
    return run_model(host, Run(2, {"convection": DUMP}), folder, nothing)


@pytest.fixture(scope="module")
def emulator(recorded: Path) -> ConvectionEmulator:
    columns = read_columns(recorded, "convection", 2)
    return train_convection(columns, WIDTHS, Training(8, batch_size=64), {}, nothing)


@pytest.fixture(scope="module")
def archive(emulator: ConvectionEmulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "convection.pt"
    hybrid.export(emulator, path)
    return path


def rain_and_tendencies(folder: Path) -> list[np.ndarray]:
    """Return precipitation, and what tells of the cloud's layers and of the tendencies."""
    climate = read_climate(folder)
    return [climate[name].to_numpy() for name in ("precipitation", "sensible_heat", "latent_heat")]


def test_what_is_recorded_closes_the_budgets_of_the_scheme(recorded: Path) -> None:
    columns = read_columns(recorded, "convection", 2)
    assert columns["moisture_accession"].attrs == {"units": "kg kg-1 s-1"}
    assert set(np.unique(columns["step"])) == set(range(2 * STEPS_A_DAY))
    target = Target.of(columns)
    assert 0.2 < target.is_deep.mean() < 0.8
    assert 0.02 < target.is_shallow.mean() < 0.8
    for name, inside in (("moisture_flux", 1e-6), ("heat_flux", 1e-3)):
        flux = columns[name].to_numpy()
        assert np.abs(flux).max() > inside
        assert np.abs(flux[:, [0, -1]]).max() < 1e-9 * np.abs(flux).max()
    # The scheme mixes the eighth and the ninth layer, and leaves rounding at other interfaces.
    assert list(np.flatnonzero(target.transport())) == [7, 9 + 7]
    # Four fifths of what the eight lowest layers gain.
    rain = target.condensation[target.is_deep].sum(axis=1)
    # The stand-in's layers are equally thick, those of the target are PlaSim's.
    mass = columns["surface_pressure"].to_numpy()[target.is_deep] / 9.80665 / 10.0
    accession = columns["moisture_accession"].to_numpy()[target.is_deep][:, 2:].sum(axis=1)
    np.testing.assert_allclose(rain, 0.8 * accession * mass, rtol=2e-4)


def test_what_other_schemes_make_of_columns_is_recorded_and_changes_nothing(
    host: Host, recorded: Path, tmp_path: Path
) -> None:
    varied = {"convection": {**DUMP, "varied": True}}
    folder = run_model(host, Run(2, varied), tmp_path / "varied", nothing)
    columns, plain = (read_columns(each, "convection", 2) for each in (folder, recorded))
    for name in plain.data_vars:
        np.testing.assert_array_equal(columns[name].to_numpy(), plain[name].to_numpy())
    for found, native in zip(
        rain_and_tendencies(folder), rain_and_tendencies(recorded), strict=True
    ):
        np.testing.assert_array_equal(found, native)
    for name, part in (("betts_miller", BETTS_MILLER_PART), ("adjustment", ADJUSTMENT_PART)):
        for what, before in (
            ("heating", columns["temperature"].to_numpy().astype(float) - 270.0),
            ("moistening", -columns["specific_humidity"].to_numpy().astype(float)),
        ):
            expected = part * before
            np.testing.assert_allclose(
                columns[f"{name}_{what}"].to_numpy(),
                expected,
                rtol=1e-5,
                atol=1e-5 * np.abs(expected).max(),
            )
    assert columns["betts_miller_heating"].attrs == {"units": "K s-1"}
    assert columns["adjustment_moistening"].attrs == {"units": "kg kg-1 s-1"}


def test_a_ramp_that_has_not_begun_is_the_host(
    host: Host, recorded: Path, archive: Path, tmp_path: Path
) -> None:
    settings = {"mode": "ramp", "archive": str(archive), "first": 100, "last": 200}
    folder = run_model(host, Run(2, {"convection": settings}), tmp_path / "ramp", nothing)
    for found, native in zip(
        rain_and_tendencies(folder), rain_and_tendencies(recorded), strict=True
    ):
        # Tendencies are put together again from condensation and fluxes.
        np.testing.assert_allclose(found, native, rtol=1e-5, atol=1e-12)


def test_a_shadow_run_is_the_host_to_the_last_bit(
    host: Host, recorded: Path, emulator: ConvectionEmulator, archive: Path, tmp_path: Path
) -> None:
    settings = {"mode": "shadow", "archive": str(archive)}
    folder = run_model(host, Run(2, {"convection": settings}), tmp_path / "shadow", nothing)
    for found, native in zip(
        rain_and_tendencies(folder), rain_and_tendencies(recorded), strict=True
    ):
        np.testing.assert_array_equal(found, native)
    dump = {"convection": {**DUMP, "stride": 1}}
    columns = read_columns(
        run_model(host, Run(2, dump), tmp_path / "all", nothing), "convection", 1
    )
    error = np.concatenate(predict(emulator, columns), axis=1) - np.concatenate(
        [columns[name].to_numpy().astype(float) for name in OUTPUTS], axis=1
    )
    lines = [line.split() for line in (folder / "hybrid_report").read_text().splitlines()]
    told = np.array([[float(x) for x in words[3:]] for words in lines if len(words) == 6])
    rms = np.sqrt((error**2).mean(axis=0))
    # The report has the differences of doubles, the file those of 4-byte numbers; a column that
    # lies on the edge of a cloud may be in it for one and not for the other.
    np.testing.assert_allclose(told[:, 1], rms, rtol=2e-2, atol=1e-9)


def test_the_host_makes_of_a_closure_what_it_says(
    host: Host, emulator: ConvectionEmulator, archive: Path, tmp_path: Path
) -> None:
    settings = {
        "mode": "closure",
        "archive": str(archive),
        "recorded": True,
        "interval": 1,
        "stride": 1,
    }
    folder = run_model(host, Run(1, {"convection": settings}), tmp_path / "closure", nothing)
    columns = read_columns(folder, "convection", 1)
    rain = (
        columns["condensation"].to_numpy().sum(axis=1).reshape(STEPS_A_DAY, N_LATITUDE, N_LONGITUDE)
    )
    assert rain.max() > 0.0
    maps = read_maps(folder)["precipitation"].to_numpy()[0, ::-1]
    # Radiation, which writes the maps, is before rain: the first step has what it began with.
    np.testing.assert_allclose(
        maps, (FIRST_RAIN + rain[:-1].sum(axis=0)) / STEPS_A_DAY / 1000.0, rtol=1e-4, atol=1e-13
    )
    found = predict(emulator, columns)
    same = np.isclose(found[0].sum(axis=1), rain.reshape(-1), rtol=1e-3, atol=1e-9)
    assert same.mean() > 0.999
    report = read_report(folder)["convection"]
    assert (report["native"].count, report["closure"].count) == (0, STEPS_A_DAY)


def test_the_host_computes_what_the_guard_leaves_to_it(
    host: Host, recorded: Path, tmp_path: Path
) -> None:
    columns = read_columns(recorded, "convection", 2)
    low = columns["surface_pressure"].to_numpy() < 1.0e5
    part = train_convection(
        columns.isel(column=low), WIDTHS, Training(2, batch_size=64), {}, nothing
    )
    hybrid.export(part, tmp_path / "low.pt")
    settings = {"mode": "closure", "archive": str(tmp_path / "low.pt"), "policy": "host",
                "recorded": True, "interval": 1, "stride": 2}  # fmt: skip
    folder = run_model(host, Run(2, {"convection": settings}), tmp_path / "guarded", nothing)
    found = read_columns(folder, "convection", 2)
    for name in OUTPUTS:
        of_host = columns[name].to_numpy()[~low]
        np.testing.assert_allclose(
            found[name].to_numpy()[~low], of_host, rtol=1e-5, atol=1e-6 * np.abs(of_host).max()
        )
    assert (found["condensation"].to_numpy()[low] != columns["condensation"].to_numpy()[low]).any()
    report = read_report(folder)["convection"]
    assert 0.2 < report["fallback"].count / report["evaluated"].count < 0.9
    rained = int((folder / "log").read_text().split("rained:")[1].split()[0])
    assert 0 < rained < report["fallback"].count


def test_held_convection_is_that_of_the_step_before(host: Host, tmp_path: Path) -> None:
    settings = {"every": 2, "recorded": True, "interval": 1, "stride": 1}
    folder = run_model(host, Run(1, {"convection": settings}), tmp_path / "held", nothing)
    columns = read_columns(folder, "convection", 1)
    assert sorted(set(columns["step"].to_numpy())) == [0, 2]
    rain = columns["condensation"].to_numpy().sum(axis=1).reshape(2, N_LATITUDE, N_LONGITUDE)
    maps = read_maps(folder)["precipitation"].to_numpy()[0, ::-1]
    expected = (FIRST_RAIN + 2.0 * rain[0] + rain[1]) / STEPS_A_DAY / 1000.0
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-13)
    report = read_report(folder)["convection"]
    assert (report["native"].count, report["held"].count) == (2, 2)


def test_scores_and_what_is_kept_of_a_network(recorded: Path, emulator: ConvectionEmulator) -> None:
    columns = read_columns(recorded, "convection", 2)
    again = restored(stored(emulator), WIDTHS)
    for one, other in zip(predict(emulator, columns), predict(again, columns), strict=True):
        np.testing.assert_array_equal(one, other)
    scores = score_convection(emulator, columns)
    found = predict(emulator, columns)[0]
    rains, rained = found.sum(axis=1) > 0.0, columns["condensation"].to_numpy().sum(axis=1) > 0.0
    assert scores.hit_rate == pytest.approx((rains & rained).sum() / rained.sum())
    assert scores.false_alarms == pytest.approx((rains & ~rained).sum() / rains.sum())
    assert scores.hit_rate > 0.7
    assert -1.0 < scores.bias < 1.0
    assert scores.precipitation_r2 < 1.0
    assert len(scores.condensation_r2) == len(scores.vapour_r2) == 10
    assert layer_mass(columns).shape == found.shape


def test_radiation_has_a_build_of_its_own() -> None:
    assert not {path.name for path in RADIATION_HOOKS.sources} & {"convection.f90", "rain.f90"}
    assert {path.name for path in CONVECTION_HOOKS.sources} >= {"convection.f90", "rain.f90"}
    assert "convection" not in RADIATION_HOOKS.interfaces


def test_two_lines_of_the_scheme_differ_and_another_one_is_refused() -> None:
    interface = CONVECTION["convection"]
    text = with_hook(RAIN, interface)
    changed = [
        new.strip()
        for old, new in zip(RAIN.splitlines(), text.splitlines(), strict=True)
        if old != new
    ]
    assert changed == ["subroutine kuo_phys", "end subroutine kuo_phys"]
    with pytest.raises(
        SourceError, match=r"rainmod\.f90, subroutine kuo: expected it to set dprscl"
    ):
        with_hook(RAIN.replace("dprscl(:,:) = 0.0", ""), interface)


def test_a_scheme_stands_alone_with_a_module_of_its_own(tmp_path: Path) -> None:
    source = write_rainy_stand_in(tmp_path / "tree") / "plasim" / "src"
    for interface in ALTERNATIVES:
        text = (source / interface.file).read_text()
        code = alone(text, interface)
        assert code.count(f"rainmod_{interface.name}") == 3
        assert "nothing_of_this_name" not in code
        with pytest.raises(SourceError, match=f"{interface.file}, subroutine {interface.name}"):
            alone(text.replace("end module rainmod", "end module"), interface)
