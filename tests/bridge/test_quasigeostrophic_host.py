"""The Fortran host of two-layer flow against the same equations in numba and in torch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray
from two_layer_flow import OBLONG, vigorous

import hybrid
from closures.quasigeostrophic import JansenHeldBackscatter, Stratification, ZannaBolton2020
from closures.quasigeostrophic.networks import Architecture, NetworkClosure, StochasticNetwork
from fortran_bridge import hosts
from fortran_bridge.build import Prefix
from fortran_bridge.errors import HostError
from hybrid.two_layer_twin import TwoLayerTwin
from solvers import TwoLayerQG

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]

MODEL = TwoLayerQG(nx=32, dt=3600.0)
N_STEP = 100
LARGEST = {"q": 1e-3, "u": 20.0, "v": 20.0}


@pytest.fixture(scope="module", autouse=True)
def _needs_fftw(prefix: Prefix) -> None:
    if not prefix.host("quasigeostrophic").exists():
        pytest.skip(
            "no two-layer host, which is built with FFTW alone; install libfftw3-dev and run "
            "hybrid bridge build --force"
        )


def flows(model: TwoLayerQG, n_member: int = 2) -> Array:
    """Vigorous flows, shape ``(member, layer, y, x)``."""
    return np.stack([vigorous(model, seed) for seed in range(n_member)])


def settings_of(model: TwoLayerQG) -> dict[str, Any]:
    """The namelist of the host for a model of the solver."""
    names = (
        *("dt", "beta", "deformation_radius", "delta", "u1", "u2", "bottom_drag"),
        "filter",
    )
    return {
        "initial_file": "initial.nc",
        "output_file": "output.nc",
        "n_step": N_STEP,
        "save_every": N_STEP // 2,
        "length_x": model.grid.length_x,
        "length_y": model.grid.length_y,
        **{name: getattr(model, name) for name in names},
    }


def write_initial(folder: Path, q: Array, name: str = "q") -> None:
    dims = ("member", "layer", "y", "x")[4 - q.ndim :]
    xr.Dataset({name: (dims, q, {"units": "s-1"})}).to_netcdf(folder / "initial.nc")


def hosted(model: TwoLayerQG, q: Array, folder: Path, **more: Any) -> Array:
    """q of the Fortran host after the start, shape ``(time, member, layer, y, x)``."""
    write_initial(folder, q)
    hosts.run_host("quasigeostrophic", {"settings": {**settings_of(model), **more}}, folder)
    with xr.open_dataset(folder / "output.nc", decode_times=False) as output:
        return np.asarray(output["q"].to_numpy()[1:])


def solved(model: TwoLayerQG, q: Array, tendency: Any = None) -> Array:
    run = model.run(steps=N_STEP, save_every=N_STEP // 2, initial=q, tendency=tendency)
    return np.asarray(run["q"].to_numpy()[1:])


def difference(a: Array, b: Array) -> float:
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / np.abs(b).max())


@pytest.mark.parametrize(
    "model",
    [MODEL, OBLONG, replace(MODEL, filter=False, bottom_drag=1e-5, u2=0.01, beta=3e-11)],
    ids=["eddy", "oblong, another flow", "unfiltered"],
)
def test_without_closure_the_host_solves_the_same_equations(
    model: TwoLayerQG, tmp_path: Path
) -> None:
    q = 0.8 * flows(model)
    found = hosted(model, q, tmp_path)
    assert difference(found, solved(model, q)) < 1e-12
    assert difference(found[-1], q) > 0.1


def network(model: TwoLayerQG, kind: str) -> NetworkClosure:
    """A network whose tendency is a few per cent of that of the flow."""
    q = flows(model)
    psi = model.invert(np.fft.rfft2(q))
    grid = model.grid
    u, v = np.fft.irfft2(-1j * grid.l[:, None] * psi), np.fft.irfft2(1j * grid.k * psi)
    architecture = {
        "gated": Architecture(n_channel=4, n_block=1),
        "fcnn": Architecture(kind="fcnn", inputs=("q", "u", "v"), layers=((4, 5), (4, 3))),
    }[kind]
    closure = NetworkClosure((grid.dy, grid.dx), architecture, largest=LARGEST).eval()
    closure.set_scales(*(torch.from_numpy(each) for each in (q, u, v, 0.05 * model.tendency(q))))
    return closure


@pytest.mark.parametrize("kind", ["gated", "fcnn"])
def test_a_network_runs_alike_in_fortran_in_the_compiled_loop_and_in_torch(
    kind: str, tmp_path: Path
) -> None:
    q, closure, path = flows(MODEL), network(MODEL, kind), tmp_path / "network.pt"
    hybrid.export(closure, path)
    found = hosted(MODEL, q, tmp_path, archive=str(path))
    compiled = solved(MODEL, q, hybrid.couple(path))
    with torch.no_grad():
        twin = TwoLayerTwin(MODEL).rollout(
            torch.from_numpy(q), 2, N_STEP // 2, lambda q, u, v: closure(q, u, v)[0]
        )
    # The network is in single precision. All three were rounded on their own.
    assert difference(found, compiled) < 1e-5
    assert difference(found, twin.numpy().swapaxes(0, 1)) < 1e-5
    assert difference(found, solved(MODEL, q)) > 1e-3


def test_noise_of_a_closure_is_that_of_the_compiled_loop(tmp_path: Path) -> None:
    q, path = flows(MODEL), tmp_path / "stochastic.pt"
    closure = StochasticNetwork(network(MODEL, "gated"), MODEL.dt, correlation_time=5 * MODEL.dt)
    hybrid.export(closure, path)
    one, other = (hosted(MODEL, q, tmp_path, archive=str(path), seed=seed) for seed in (1, 2))
    assert difference(one, solved(MODEL, q, hybrid.couple(path, seed=1))) < 1e-5
    assert difference(one, other) > 1e-3


def test_closures_in_double_precision_run_alike_to_rounding(tmp_path: Path) -> None:
    spacing, q = (MODEL.grid.dy, MODEL.grid.dx), flows(MODEL)
    stratification = Stratification.of(MODEL.deformation_radius, MODEL.delta)
    closure = 0.5 * JansenHeldBackscatter(
        spacing, stratification, largest={"q": LARGEST["q"]}
    ) + ZannaBolton2020(spacing, largest={name: LARGEST[name] for name in "uv"})
    path = tmp_path / "formula.pt"
    hybrid.export(closure, path)
    found = hosted(MODEL, q, tmp_path, archive=str(path))
    assert difference(found, solved(MODEL, q, hybrid.couple(path))) < 1e-11
    assert difference(found, solved(MODEL, q)) > 1e-3


def test_the_file_says_what_it_holds(tmp_path: Path) -> None:
    hosted(OBLONG, flows(OBLONG, 1), tmp_path)
    with xr.open_dataset(tmp_path / "output.nc", decode_times=False) as output:
        assert dict(output.sizes) == {"time": 3, "member": 1, "layer": 2, "y": 48, "x": 64}
        assert {name: output[name].units for name in ("q", "time", "x", "y")} == {
            "q": "s-1", "time": "s", "x": "m", "y": "m",
        }  # fmt: skip
        np.testing.assert_array_equal(output["time"], [0.0, 60000.0, 120000.0])
        np.testing.assert_allclose(output["y"][:2], [0.0, OBLONG.grid.dy])
        assert output.attrs["delta"] == OBLONG.delta
        assert output.attrs["filter"] == "true"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dt": -60.0}, r"length_x, length_y, dt: expected positive numbers, got .* -6\.000E\+01"),
        ({"delta": 0.0}, "deformation_radius, delta: expected positive numbers, got  1.500E"),
        ({"bottom_drag": -1e-7}, "bottom_drag: expected no negative drag, got -1"),
        ({"n_step": 0}, "n_step: expected at least one step"),
        ({"initial_file": ""}, "initial_file: expected a netCDF file, got none"),
        ({"initial_file": "missing.nc"}, r"missing\.nc: No such file"),
        ({"gamma": 1.0}, "group settings: .*gamma"),
        ({"archive": "missing.pt"}, r"missing\.pt"),
        ({"dt": 1e6}, "q is no longer finite at step"),
    ],
)
def test_messages_of_the_host(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_initial(tmp_path, flows(MODEL, 1))
    settings = {**settings_of(MODEL), **changed}
    with pytest.raises(HostError, match=f"(?s)quasigeostrophic host: .*{message}"):
        hosts.run_host("quasigeostrophic", {"settings": settings}, tmp_path)


@pytest.mark.parametrize(
    ("q", "name", "message"),
    [
        (np.zeros((2, 8, 8)), "q", r"initial\.nc: q: expected dimensions \(member, layer, y, x\)"),
        (np.zeros((1, 2, 8, 8)), "vorticity", r"initial\.nc: variable q: .*[Vv]ariable not found"),
        (np.zeros((1, 3, 8, 8)), "q", "two layers, got 8 x 8 points, layers: 3, members: 1"),
        (np.zeros((1, 2, 8, 7)), "q", "q: expected even numbers of points .* got 7 x 8"),
    ],
)
def test_initial_files_of_another_form(q: Array, name: str, message: str, tmp_path: Path) -> None:
    write_initial(tmp_path, q, name)
    with pytest.raises(HostError, match=message):
        hosts.run_host("quasigeostrophic", {"settings": settings_of(MODEL)}, tmp_path)


def test_closures_that_do_not_fit_are_refused(column_archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    hybrid.export(network(MODEL, "gated"), path)
    with pytest.raises(HostError, match=r"expected a grid with spacing 31250"):
        hosted(replace(MODEL, nx=48), flows(replace(MODEL, nx=48)), tmp_path, archive=str(path))
    with pytest.raises(HostError, match="grid"):
        hosted(MODEL, flows(MODEL), tmp_path, archive=str(column_archive))


def test_the_same_run_gives_the_same_bits(tmp_path: Path) -> None:
    q = flows(MODEL, 1)
    assert np.array_equal(hosted(MODEL, q, tmp_path), hosted(MODEL, q, tmp_path))
