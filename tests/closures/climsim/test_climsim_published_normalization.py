"""ClimSim's published normalisation, from files like its own."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from closures.climsim.published_normalization import published_normalization
from closures.climsim.variables import v1
from closures.errors import SpecError
from closures.spec import ClosureSpec

SPEC = ClosureSpec(
    "published",
    "1.0",
    tuple(variable.field for variable in v1().inputs),
    tuple(variable.field for variable in v1().outputs),
)
NORMALIZATION = "normalization"


def write(path: Path, values: dict[str, float], n_level: int = 60) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("lev", n_level)
        for name, value in values.items():
            profile = name.startswith(("state_t", "state_q", "ptend"))
            file.createVariable(name, "f8", ("lev",) if profile else ())[...] = value


INPUTS = ("state_t", "state_q0001", "state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX")
SURFACE = ("NETSW", "FLWDS", "PRECSC", "PRECC", "SOLS", "SOLL", "SOLSD", "SOLLD")
OUTPUTS = ("ptend_t", "ptend_q0001", *(f"cam_out_{name}" for name in SURFACE))


def folder_of(tmp_path: Path, *, nested: bool) -> Path:
    inputs, outputs = (tmp_path / part if nested else tmp_path for part in ("inputs", "outputs"))
    for kind, value in (("mean", 5.0), ("max", 9.0), ("min", 1.0)):
        values = {name: value + i for i, name in enumerate(INPUTS)}
        values["state_u"] = 3.0
        if kind == "max":
            values["pbuf_LHFLX"] = 5.0  # as its minimum: an input that never varies
        write(inputs / f"input_{kind}.nc", values)
    write(outputs / "output_scale.nc", {name: 2.0 + i for i, name in enumerate(OUTPUTS)})
    return tmp_path


@pytest.mark.parametrize("nested", [False, True])
def test_values_follow_the_order_of_the_contract(tmp_path: Path, *, nested: bool) -> None:
    inputs, outputs = published_normalization(folder_of(tmp_path, nested=nested), SPEC)
    assert inputs.mean[[0, 60, 120, 123]].tolist() == [5.0, 6.0, 7.0, 10.0]
    assert inputs.spread[[0, 119, 122, 123]].tolist() == [8.0, 8.0, 0.0, 8.0]
    assert outputs.mean.tolist() == [0.0] * 128
    np.testing.assert_allclose(outputs.spread[[0, 60, 120, 127]], [1 / 2, 1 / 3, 1 / 4, 1 / 11])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"expected ClimSim's input_mean.nc in it or in its folder"):
        published_normalization(tmp_path, SPEC)
    folder = folder_of(tmp_path, nested=False)
    write(folder / "output_scale.nc", {"ptend_t": 1.0})
    with pytest.raises(SpecError, match="expected a variable ptend_q0001, found ptend_t; give"):
        published_normalization(folder, SPEC)
    write(folder / "output_scale.nc", dict.fromkeys(OUTPUTS, 1.0), n_level=26)
    with pytest.raises(SpecError, match=r"ptend_t: expected 60 values in .*, got 26; ClimSim has"):
        published_normalization(folder, SPEC)


def test_the_files_that_are_published(real_folder: Path) -> None:
    folder = real_folder / NORMALIZATION
    if not folder.is_dir():
        pytest.skip(f"no normalisation files in {folder}")
    inputs, outputs = published_normalization(folder, SPEC)
    assert inputs.mean[120] == pytest.approx(98_624.0, abs=1.0)
    assert outputs.spread[0] == pytest.approx(1.0 / 1004.64)
    assert outputs.spread[123] == pytest.approx(1.0 / 1.31328e6)
