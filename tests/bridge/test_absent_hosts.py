"""Hosts that were not built: what to install, or what there is."""

from pathlib import Path

import pytest

from fortran_bridge.build import Prefix
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import program, run_host


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quasigeostrophic", r"got none; install FFTW 3 \(libfftw3-dev\) and run `hybrid bridge b"),
        ("climsim-mpi", r"got none; install MPI \(libopenmpi-dev\) and run `hybrid bridge build"),
        ("barotropi", "hybrid-barotropi-host, got none; there are barotropic, lorenz96"),
    ],
)
def test_an_absent_host_says_what_to_do(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for there in ("lorenz96", "barotropic"):
        (tmp_path / "bin" / f"hybrid-{there}-host").touch()
    monkeypatch.setattr(program, "ensure_built", lambda: Prefix(tmp_path))
    with pytest.raises(HostError, match=f"{name} host: expected the program .*{message}"):
        run_host(name, {"settings": {}}, tmp_path)
    assert not list(tmp_path.glob("*.nml"))
