"""What holds exactly in ClimSim's files, and must hold in the generated sample."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
from numpy.typing import NDArray

from closures.climsim.files import Pair, list_pairs
from closures.climsim.grid import find_grid, read_grid

Array = NDArray[np.float64]

PROFILE, SCALAR = ("lev", "ncol"), ("ncol",)
MLI = {
    **{f"cam_in_{n}": SCALAR for n in ("ALDIF", "ALDIR", "ASDIF", "ASDIR", "ICEFRAC", "LANDFRAC")},
    **{f"cam_in_{n}": SCALAR for n in ("LWUP", "OCNFRAC", "SNOWHICE", "SNOWHLAND")},
    **{f"pbuf_{n}": SCALAR for n in ("COSZRS", "LHFLX", "SHFLX", "SOLIN", "TAUX", "TAUY")},
    "state_ps": SCALAR,
    **{f"state_{n}": PROFILE for n in ("pmid", "q0001", "q0002", "q0003", "t", "u", "v")},
    **{f"pbuf_{n}": PROFILE for n in ("CH4", "N2O", "ozone")},
}
MLO = {
    **{f"cam_out_{n}": SCALAR for n in ("FLWDS", "NETSW", "PRECC", "PRECSC")},
    **{f"cam_out_{n}": SCALAR for n in ("SOLL", "SOLLD", "SOLS", "SOLSD")},
    **{f"state_{n}": PROFILE for n in ("q0001", "q0002", "q0003", "t", "u", "v")},
}


class Step:
    """All variables of one pair, columns first."""

    def __init__(self, pair: Pair) -> None:
        with netCDF4.Dataset(pair.mli) as before, netCDF4.Dataset(pair.mlo) as after:
            self.before = {name: np.asarray(before[name][...]).T for name in MLI}
            self.after = {name: np.asarray(after[name][...]).T for name in MLO}

    def tendency(self, name: str) -> Array:
        change: Array = (self.after[f"state_{name}"] - self.before[f"state_{name}"]) / 1200.0
        return change


@pytest.fixture(scope="module")
def steps(any_folder: Path) -> list[Step]:
    return [Step(pair) for pair in list_pairs(any_folder)]


@pytest.mark.parametrize(("kind", "expected"), [("mli", MLI), ("mlo", MLO)])
def test_header_is_the_same_in_real_files_and_sample(
    any_folder: Path, kind: str, expected: dict[str, tuple[str, ...]]
) -> None:
    for pair in list_pairs(any_folder)[:3]:
        with netCDF4.Dataset(getattr(pair, kind)) as file:
            assert file.data_model == "NETCDF3_64BIT_DATA"
            assert {name: len(size) for name, size in file.dimensions.items()} == {
                "ncol": 384,
                "lev": 60,
            }
            assert not any(size.isunlimited() for size in file.dimensions.values())
            header = {name: (v.dimensions, v.dtype.str[1:]) for name, v in file.variables.items()}
            assert header == {
                "ymd": ((), "i4"),
                "tod": ((), "i4"),
                **{name: (dims, "f8") for name, dims in expected.items()},
            }
            assert (file.ne, file.fv_nphys, file.calendar) == (4, 2, "NO_LEAP")
            assert int(file["ymd"][...]) == 10000 * pair.year + 100 * pair.month + pair.day
            assert int(file["tod"][...]) == pair.second


def test_midpoint_pressure(any_folder: Path, steps: list[Step]) -> None:
    grid = read_grid(find_grid(any_folder))
    for step in steps:
        expected = grid.hyam * 1e5 + np.outer(step.before["state_ps"], grid.hybm)
        np.testing.assert_allclose(step.before["state_pmid"], expected, rtol=4e-16)
        np.testing.assert_allclose(
            grid.midpoint_pressure(step.before["state_ps"]), expected, rtol=4e-16
        )


def test_net_sunlight_is_what_the_four_fluxes_leave(steps: list[Step]) -> None:
    for step in steps:
        expected = sum(
            step.after[f"cam_out_{flux}"] * (1.0 - step.before[f"cam_in_{albedo}"])
            for flux, albedo in (
                ("SOLS", "ASDIR"),
                ("SOLL", "ALDIR"),
                ("SOLSD", "ASDIF"),
                ("SOLLD", "ALDIF"),
            )
        )
        np.testing.assert_allclose(step.after["cam_out_NETSW"], expected, rtol=0, atol=1e-12)


def test_snow_is_part_of_precipitation(steps: list[Step]) -> None:
    snow = np.concatenate([step.after["cam_out_PRECSC"] for step in steps])
    rain = np.concatenate([step.after["cam_out_PRECC"] for step in steps])
    assert (snow >= 0.0).all()
    assert (snow <= rain).all()
    assert 0.001 < (snow > 0.0).mean() < 0.9
    assert 0.01 < (rain == 0.0).mean() < 0.9


def test_no_sunlight_without_sun(steps: list[Step]) -> None:
    down = np.concatenate([step.before["pbuf_COSZRS"] <= 0.0 for step in steps])
    light = np.concatenate([step.before["pbuf_SOLIN"] for step in steps])
    assert (light[down] == 0.0).all()
    assert (light[~down] > 0.0).all()
    assert 0.4 < down.mean() < 0.6


def test_uppermost_levels_change_only_in_temperature(steps: list[Step]) -> None:
    for step in steps:
        for name in ("q0002", "q0003", "u", "v"):
            assert (step.tendency(name)[:, :12] == 0.0).all(), name
        assert (step.tendency("q0001")[:, 4:12] == 0.0).all()
        assert (np.abs(step.tendency("t")[:, :12]).max(axis=0) > 0.0).all()
        assert (np.abs(step.tendency("q0001")[:, 12:]).max(axis=0) > 0.0).all()


def test_columns_lose_the_water_that_falls_out(any_folder: Path, steps: list[Step]) -> None:
    grid = read_grid(find_grid(any_folder))
    lost, rain = [], []
    for step in steps:
        mass = grid.layer_thickness(step.before["state_ps"]) / 9.80616
        water = sum(step.tendency(name) for name in ("q0001", "q0002", "q0003"))
        lost.append(-86400.0 * (water * mass).sum(axis=1))
        rain.append(86400.0 * 1000.0 * step.after["cam_out_PRECC"])
    weight = np.tile(grid.area, len(steps))
    mean_loss, mean_rain = (
        np.average(np.concatenate(values), weights=weight) for values in (lost, rain)
    )
    assert 1.5 < mean_rain < 5.0  # mm/day
    # In the mean of all pairs 0.1 % of the rain: evaporation is not part of the tendencies.
    assert mean_loss == pytest.approx(mean_rain, rel=0.02)


def test_no_change_of_water_in_the_sample_but_by_precipitation(sample_folder: Path) -> None:
    grid = read_grid(find_grid(sample_folder))
    for pair in list_pairs(sample_folder):
        step = Step(pair)
        mass = grid.layer_thickness(step.before["state_ps"]) / 9.80616
        water = sum(step.tendency(name) for name in ("q0001", "q0002", "q0003"))
        rain = 1000.0 * step.after["cam_out_PRECC"]
        np.testing.assert_allclose(-(water * mass).sum(axis=1), rain, rtol=0, atol=1e-14)
