"""The ClimSim column host in this process writes what the closure makes of its arrays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge import HostError
from fortran_bridge.binding import Binding
from fortran_bridge.hosts import ClimsimHost
from fortran_bridge.native_closure import NativeClosure

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]
N_COLUMN, N_LEVEL = 4, 3
PROFILE = (("level",), (N_LEVEL,))
FLUXES = ("pbuf_solin", "pbuf_lhflx", "pbuf_shflx")
SCALARS = {
    "cam_out_flwds": "W m-2",
    "cam_out_netsw": "W m-2",
    "cam_out_precc": "m s-1",
    "cam_out_precsc": "m s-1",
    "cam_out_soll": "W m-2",
    "cam_out_solld": "W m-2",
    "cam_out_sols": "W m-2",
    "cam_out_solsd": "W m-2",
}


class Cooling(Closure):
    """Each output depends on other inputs, so that none can stand for another."""

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="cooling",
                version="1.0",
                inputs=(
                    Field("state_t", "K", *PROFILE),
                    Field("state_q0001", "kg kg-1", *PROFILE),
                    Field("state_ps", "Pa"),
                    *(Field(name, "W m-2") for name in FLUXES),
                ),
                outputs=(
                    Field("ptend_t", "K s-1", *PROFILE),
                    Field("ptend_q0001", "kg kg-1 s-1", *PROFILE),
                    *(Field(name, units) for name, units in SCALARS.items()),
                ),
            )
        )

    def forward(
        self, t: Tensor, q: Tensor, ps: Tensor, solin: Tensor, lhflx: Tensor, shflx: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        heating = 1e-5 * (ps[:, None] / 1e5 - t / 300.0)
        rain, snow = 1e-10 * ps, 1e-10 * t[:, 0]
        soll, solld, sols, solsd = 0.1 * solin, 0.2 * solin, 0.3 * solin, 0.4 * solin
        return (heating, -1e-4 * q, lhflx, shflx, rain, snow, soll, solld, sols, solsd)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closures") / "cooling.pt"
    hybrid.export(Cooling(), path)
    return path


def fill(host: ClimsimHost, seed: int) -> None:
    """Give every input array other values."""
    rng = np.random.default_rng(seed)
    host.input("state_t")[...] = rng.uniform(200.0, 300.0, size=(N_COLUMN, N_LEVEL))
    host.input("state_q0001")[...] = rng.uniform(0.0, 0.02, size=(N_COLUMN, N_LEVEL))
    host.input("state_ps")[...] = rng.uniform(9e4, 1e5, size=N_COLUMN)
    for name in FLUXES:
        host.input(name)[...] = rng.uniform(0.0, 1e3, size=N_COLUMN)


def through_c(archive: Path, host: ClimsimHost) -> dict[str, Any]:
    """Compute all outputs from the host's inputs through the C interface."""
    columns = Binding(NativeClosure(archive), N_COLUMN)
    for field in Cooling().spec.inputs:
        dims = ("column", *field.dims)
        columns.put(field.name, host.input(field.name), dims=dims, units=field.units)
    columns.apply(1)
    found: dict[str, Any] = {}
    for field in Cooling().spec.outputs:
        found[field.name] = np.zeros((N_COLUMN, *field.sizes))
        dims = ("column", *field.dims)
        columns.get(field.name, found[field.name], dims=dims, units=field.units)
    return found


def test_every_output_is_that_of_the_c_interface(archive: Path) -> None:
    host = ClimsimHost(archive, N_COLUMN, N_LEVEL)
    arrays = {name: host.output(name) for name in ("ptend_t", "ptend_q0001", *SCALARS)}
    for step in (1, 2):
        fill(host, seed=step)
        host.advance(step)
        expected = through_c(archive, host)
        for name, array in arrays.items():
            assert array.all()
            assert np.array_equal(array, expected[name]), name


def test_flagged_columns_keep_what_the_host_put_there(tmp_path: Path) -> None:
    closure = Cooling()
    (temperature,) = (field for field in closure.spec.inputs if field.name == "state_t")
    limited = replace(temperature, valid_max=290.0)
    inputs = tuple(limited if f is temperature else f for f in closure.spec.inputs)
    closure.spec = replace(closure.spec, inputs=inputs)
    hybrid.export(closure, tmp_path / "limited.pt")
    host = ClimsimHost(tmp_path / "limited.pt", N_COLUMN, N_LEVEL, policy="host")
    fill(host, seed=1)
    host.input("state_t")[...] = 280.0
    host.input("state_t")[1, 0] = 291.0
    host.output("ptend_t")[...] = 5.0
    host.advance(1)
    flagged = np.arange(N_COLUMN) == 1
    assert host.mask().tolist() == flagged.tolist()
    assert (host.output("ptend_t")[flagged] == 5.0).all()
    assert not (host.output("ptend_t")[~flagged] == 5.0).any()
    with pytest.raises(HostError, match="policy"):
        ClimsimHost(tmp_path / "limited.pt", N_COLUMN, N_LEVEL, policy="none")


def test_errors_raise_with_the_text_of_errmsg(archive: Path, column_archive: Path) -> None:
    with pytest.raises(HostError, match=r"^climsim host: nowhere\.pt: expected a readable arch"):
        ClimsimHost("nowhere.pt", N_COLUMN, N_LEVEL)
    with pytest.raises(HostError, match="no less than 0 columns and 1 level, got -1 and 3"):
        ClimsimHost(archive, -1, N_LEVEL)
    with pytest.raises(HostError, match="state_t: expected 3 levels, as the closure has, got 5"):
        ClimsimHost(archive, N_COLUMN, 5)
    with pytest.raises(HostError, match=r"column_network\.pt: precipitation: expected a tendency"):
        ClimsimHost(column_archive, N_COLUMN, 5)
    host = ClimsimHost(archive, N_COLUMN, N_LEVEL)
    with pytest.raises(HostError, match="state_u: expected one of the closure's inputs, got none"):
        host.input("state_u")
    fill(host, seed=1)
    host.input("state_ps")[2] = np.nan
    with pytest.raises(HostError, match="state_ps: expected finite values, got NaN in column 3"):
        host.advance(1)
    assert not host.output("ptend_t").any()


def test_no_columns_at_all(archive: Path) -> None:
    host = ClimsimHost(archive, 0, N_LEVEL)
    host.advance(1)
    assert host.output("ptend_t").shape == (0, N_LEVEL)
