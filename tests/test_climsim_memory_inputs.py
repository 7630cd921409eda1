"""Consecutive generated steps as training data of networks with a memory: v4, v5 and v6.

Every derived input of the shards is computed again here, from the files, by its definition.
"""

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from closures.climsim.files import list_pairs
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.loader import Shards
from closures.climsim.variables import variable_set
from hybrid.cli import app

Array = NDArray[np.float64]
BLOCK = 4
N_BLOCK = 2
N_HISTORY = 2
SUMS = {
    "q0001": ("q0001",),
    "q0002": ("q0002",),
    "q0003": ("q0003",),
    "qn": ("q0002", "q0003"),
    "q0": ("q0001", "q0002", "q0003"),
    "t": ("t",),
    "u": ("u",),
    "v": ("v",),
}
"""Variables of the files that make up one of the sets."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blocks")
    given = ["--pairs", str(BLOCK * N_BLOCK), "--consecutive", str(BLOCK), "--spin-up", "2"]
    result = CliRunner().invoke(app, ["climsim", "generate", str(path), *given])
    assert result.exit_code == 0, result.output
    return path


def test_blocks_are_consecutive_and_apart(folder: Path) -> None:
    steps = np.array([pair.step for pair in list_pairs(folder)]).reshape(N_BLOCK, BLOCK)
    assert (np.diff(steps, axis=1) == 1).all()
    assert steps[1, 0] - steps[0, -1] > 100 * 72


@pytest.mark.parametrize("name", ["v4", "v5", "v6"])
def test_derived_inputs_are_their_formulas(folder: Path, tmp_path: Path, name: str) -> None:
    given = ["--variables", name, "--no-shuffle"]
    result = CliRunner().invoke(app, ["climsim", "convert", str(folder), str(tmp_path), *given])
    assert result.exit_code == 0, result.output
    shards = Shards.open(tmp_path)
    pairs = list_pairs(folder)
    # Of each block the first two steps are history alone.
    used = [i for i in range(len(pairs)) if i % BLOCK >= N_HISTORY]
    assert [source.mli for source in shards.manifest.sources] == [pairs[i].mli.name for i in used]
    assert len(shards.manifest.skipped) == N_HISTORY * N_BLOCK
    inputs = np.concatenate([np.load(path) for path in sorted(tmp_path.glob("*inputs*.npy"))])
    variables = variable_set(name)
    latitude = np.radians(read_grid(find_grid(folder)).lat)
    values = [(contents(pair.mli), contents(pair.mlo)) for pair in pairs]
    for row, index in enumerate(used):
        here = inputs[row * 384 : (row + 1) * 384]
        for field, part in variables.slices("inputs").items():
            expected = formula(field, index, values, latitude)
            found = here[:, part] if expected.ndim == 2 else here[:, part.start]
            scale = np.abs(expected).max() or 1.0
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7 * scale)


def contents(path: Path) -> dict[str, Array]:
    """Return the variables of a file, columns first, the names in lower case."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return {
            name.lower(): np.asarray(file[name][...], dtype=np.float64).T for name in file.variables
        }


def formula(
    field: str, now: int, values: list[tuple[dict[str, Array], dict[str, Array]]], latitude: Array
) -> Array:
    """Return an input of step `now`; ``tm_`` is one step earlier than without."""
    lag = 1 if field.startswith("tm_") else 0
    name = field.removeprefix("tm_")
    before, after = 0, 1

    def total(step: int, file: int, variable: str) -> Array:
        parts = [values[step][file][f"state_{part}"] for part in SUMS[variable]]
        summed: Array = np.sum(parts, axis=0)
        return summed

    if name.endswith("_dyn"):
        of = name.split("_")[1]
        return (total(now - lag, before, of) - total(now - lag - 1, after, of)) / 1200.0
    if name.endswith("_prvphy"):
        of = name.split("_")[1]
        step = now - lag - 1
        return (total(step, after, of) - total(step, before, of)) / 1200.0
    here = values[now - lag][before]
    special: dict[str, Callable[[], Array]] = {
        "clat": lambda: np.cos(latitude),
        "slat": lambda: np.sin(latitude),
        "icol": lambda: np.arange(1.0, 385.0),
        "liq_partition": lambda: np.clip((here["state_t"] - 253.16) / 20.0, 0.0, 1.0),
        "state_rh": lambda: here["state_q0001"] / saturated(here["state_t"], here["state_pmid"]),
        "state_qn": lambda: here["state_q0002"] + here["state_q0003"],
        "cam_in_snowhice": lambda: np.where(
            here["cam_in_snowhice"] > 1e29, 0.0, here["cam_in_snowhice"]
        ),
    }
    return special[name]() if name in special else here[name]


def saturated(temperature: Array, pressure: Array) -> Array:
    """Return 287 e_s / (461 p), the polynomials written out as sums of powers."""
    liquid_powers = [
        6.11239921, 0.443987641, 0.142986287e-1, 0.264847430e-3, 0.302950461e-5,
        0.206739458e-7, 0.640689451e-10, -0.952447341e-13, -0.976195544e-15,
    ]  # fmt: skip
    ice_powers = [
        6.11147274, 0.503160820, 0.188439774e-1, 0.420895665e-3, 0.615021634e-5,
        0.602588177e-7, 0.385852041e-9, 0.146898966e-11, 0.252751365e-14,
    ]  # fmt: skip
    degrees = temperature - 273.16
    warm = np.maximum(degrees, -80.0)
    liquid = sum(c * warm**k for k, c in enumerate(liquid_powers))
    ice = sum(c * degrees**k for k, c in enumerate(ice_powers))
    d = np.maximum(degrees, -100.0)
    ice = np.where(temperature <= 185.0, 0.00763685 + d * (0.000151069 + d * 7.48215e-7), ice)
    ice = np.where(temperature > 273.15, liquid, ice)
    weight = np.clip((temperature - 253.16) / 20.0, 0.0, 1.0)
    pressure_of_vapour = 100.0 * (weight * liquid + (1.0 - weight) * ice)
    humidity: Array = 287.0 * pressure_of_vapour / (461.0 * pressure)
    return humidity
