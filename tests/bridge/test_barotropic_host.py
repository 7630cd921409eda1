"""The Fortran host of two-dimensional flow against the same equations in numba."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from two_dimensional_flow import spacing, turbulence

import hybrid
from closures import Closure, ClosureSpec, Field, Grid
from closures.turbulence import LinearPolicy as PolicyClosure
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_host
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import LinearPolicy
from solvers.forcing import KolmogorovForcing

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]

N = 48
N_STEP = 60
SAVE_EVERY = 20
MODEL = Barotropic(nx=N, dt=5e-3, viscosity=1e-3, beta=20.0)
POLICY: dict[str, Any] = {
    "weights2": (-0.008, 0.004, 0.017, -0.003, 0.02, 0.005),
    "weights4": (0.004, 0.001, -0.002, 0.003, 0.001, -0.001),
    "bounds2": (-0.01, 0.03), "bounds4": (0.001, 0.006), "net_dissipation": 0.5,
}  # fmt: skip

# A transform is two sums of up to 48 products each; what the steps round adds up, and in a third of
# a time unit chaos makes little of it.
ROUNDING = N_STEP * 2 * 48 * 2.0**-52


def settings_of(model: Barotropic) -> dict[str, Any]:
    """The namelist of the host for a model of the solver."""
    forcing = model.forcing
    assert isinstance(forcing, KolmogorovForcing | None)
    return {
        "initial_file": "initial.nc",
        "output_file": "output.nc",
        "n_step": N_STEP,
        "save_every": SAVE_EVERY,
        "length_x": model.grid.length_x,
        "length_y": model.grid.length_y,
        **{
            name: getattr(model, name)
            for name in ("dt", "viscosity", "drag", "beta", "hyperviscosity")
        },
        "hyperviscosity_order": model.hyperviscosity_order,
        "forcing_wavenumber": 4.0 if forcing is None else forcing.wavenumber,
        "forcing_amplitude": 0.0 if forcing is None else forcing.strength,
    }


def hosted(model: Barotropic, omega: Array, folder: Path, **more: Any) -> Array:
    """Vorticity of the Fortran host after the start, shape ``(time, member, y, x)``."""
    write_initial(folder, {"vorticity": omega})
    run_host("barotropic", {"settings": {**settings_of(model), **more}}, folder)
    with xr.open_dataset(folder / "output.nc") as output:
        return np.asarray(output["vorticity"].to_numpy()[1:])


def write_initial(folder: Path, fields: Mapping[str, Array]) -> None:
    variables = {name: (("member", "y", "x"), values) for name, values in fields.items()}
    xr.Dataset(variables).to_netcdf(folder / "initial.nc")


def solved(model: Barotropic, omega: Array, tendency: Any = None) -> Array:
    run = model.run(steps=N_STEP, save_every=SAVE_EVERY, initial=omega, tendency=tendency)
    return np.asarray(run["vorticity"].to_numpy()[1:])


def assert_same_run(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= ROUNDING * np.abs(expected).max()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "policy.pt"
    with pytest.warns(UserWarning, match="without two bounds"):
        hybrid.export(PolicyClosure(spacing(N), **POLICY), path)
    return path


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        replace(MODEL, beta=0.0, drag=0.3, hyperviscosity=1e-8, hyperviscosity_order=3),
        replace(MODEL, nx=48, ny=32, length_y=6.0, forcing=None),
        replace(MODEL, forcing=KolmogorovForcing(wavenumber=3.0, amplitude=-2.0)),
    ],
    ids=["beta plane", "hyperviscosity", "oblong, unforced", "another forcing"],
)
def test_without_closure_the_host_solves_the_same_equations(
    model: Barotropic, tmp_path: Path
) -> None:
    omega = turbulence(N, seed=2, n_member=2)[:, : model.grid.n_y]
    found = hosted(model, omega, tmp_path)
    assert_same_run(found, solved(model, omega))
    assert np.abs(found[-1] - found[0]).max() > 0.1 * np.abs(found[0]).max()


def test_with_a_policy_the_host_follows_the_solver(archive: Path, tmp_path: Path) -> None:
    omega = turbulence(N, seed=5, n_member=2)
    found = hosted(MODEL, omega, tmp_path, archive=str(archive))
    assert_same_run(found, solved(MODEL, omega, hybrid.couple(archive)))
    assert_same_run(found, solved(replace(MODEL, eddy_viscosity=LinearPolicy(**POLICY)), omega))
    assert np.abs(found - solved(MODEL, omega)).max() > 0.01 * np.abs(found).max()


class Stirring(Closure):
    """A tendency of vorticity and velocity at every point, and of the noise of the step."""

    def __init__(
        self, names: tuple[str, ...] = ("vorticity", "u", "v"), bound: float = 1e3
    ) -> None:
        dims, shape = ("y", "x"), (None, None)
        inputs = tuple(
            Field(name, "1", dims, shape, "float64", valid_min=-bound, valid_max=bound)
            for name in names
        )
        output = Field("vorticity_tendency", "1", dims, shape, "float64")
        noise = Field("noise", "1", dims, shape, "float64")
        grid = Grid(spacing(N), ("periodic", "periodic"))
        super().__init__(
            ClosureSpec(
                *("stirring", "1.0", inputs, (output,)), noise=(noise,), locality="grid", grid=grid
            )
        )

    def forward(self, vorticity: Tensor, u: Tensor, v: Tensor, noise: Tensor) -> tuple[Tensor]:
        return (torch.sin(u) - 0.5 * torch.cos(v) * vorticity + 0.1 * noise,)


def exported(closure: Closure, folder: Path) -> Path:
    hybrid.export(closure, folder / "closure.pt")
    return folder / "closure.pt"


def test_closures_see_velocity_and_the_noise_of_the_step(tmp_path: Path) -> None:
    path = exported(Stirring(), tmp_path)
    omega = turbulence(N, seed=6, n_member=2)
    found = hosted(MODEL, omega, tmp_path, archive=str(path), seed=3)
    assert_same_run(found, solved(MODEL, omega, hybrid.couple(path, seed=3)))
    other = solved(MODEL, omega, hybrid.couple(path, seed=4))
    assert np.abs(found - other).max() > 1e-4 * np.abs(found).max()


def test_a_member_that_the_guard_leaves_alone_has_no_closure(tmp_path: Path) -> None:
    path = exported(Stirring(bound=8.0), tmp_path)
    calm, wild = 0.2 * turbulence(N, seed=7), turbulence(N, seed=8)
    omega = np.concatenate([calm, wild])
    found = hosted(MODEL, omega, tmp_path, archive=str(path), policy="host")
    assert_same_run(found[:, :1], solved(MODEL, calm, hybrid.couple(path)))
    assert_same_run(found[:, 1:], solved(MODEL, wild))


def test_the_output_says_what_it_is(archive: Path, tmp_path: Path) -> None:
    omega = turbulence(N)
    hosted(MODEL, omega, tmp_path, archive=str(archive), n_step=25, save_every=10, seed=5)
    with xr.open_dataset(tmp_path / "output.nc") as output:
        vorticity = output["vorticity"]
        assert vorticity.dims == ("time", "member", "y", "x")
        assert {output[name].attrs["units"] for name in ("time", "x", "y", "vorticity")} == {"1"}
        np.testing.assert_allclose(output["time"], [0.0, 0.05, 0.1])
        np.testing.assert_allclose(output["x"], np.arange(N) * spacing(N)[1])
        assert_same_run(vorticity.to_numpy()[0], omega)
        assert output.attrs["source"] == "hybrid-barotropic-host"
        assert output.attrs["archive"] == str(archive)
        assert output.attrs["seed"] == "5"
        assert (output.attrs["beta"], output.attrs["dt"]) == (20.0, 5e-3)


def test_progress_is_reported_and_the_guard_counts(archive: Path, tmp_path: Path) -> None:
    write_initial(tmp_path, {"vorticity": turbulence(N)})
    said: list[float] = []
    settings = {**settings_of(MODEL), "n_step": 100, "archive": str(archive)}
    (summary,) = run_host("barotropic", {"settings": settings}, tmp_path, said.append)
    assert said == sorted(said)
    assert (said[-1], len(said)) == (1.0, 50)
    assert "100" in summary


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial_file": "missing.nc"}, r"missing\.nc: No such file or directory"),
        ({"initial_file": ""}, "initial_file: expected a netCDF file, got none"),
        ({"output_file": ""}, "output_file: expected a path, got none"),
        ({"n_step": 0}, "n_step: expected at least one step"),
        ({"save_every": 0}, "save_every: expected at least 1"),
        ({"dt": -0.005}, r"length_x, length_y, dt: expected positive numbers, got .* -5\.000E-03"),
        ({"drag": -0.1}, r"viscosity, drag, hyperviscosity: expected no negative number, got "),
        (
            {"hyperviscosity_order": 1},
            "hyperviscosity_order: expected a power of the Laplacian of at least 2, got 1",
        ),
        (
            {"forcing_wavenumber": 16.0},
            "forcing_wavenumber: expected waves that the grid keeps, got 16.000 16.000 waves .* 15",
        ),
        (
            {"forcing_wavenumber": 2.5},
            "forcing_wavenumber: expected whole numbers of waves along x and y, got 2.5",
        ),
        ({"length_y": 6.0}, "forcing_wavenumber: expected whole numbers of waves .* 3.819"),
        ({"viscocity": 1e-3}, "group settings: .*viscocity"),
        ({"archive": "missing.pt"}, r"missing\.pt"),
        ({"dt": 1.0, "n_step": 60}, "vorticity is no longer finite at step"),
    ],
)
def test_messages_of_the_host(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_initial(tmp_path, {"vorticity": turbulence(N)})
    with pytest.raises(HostError, match=f"(?s)barotropic host: .*{message}"):
        run_host("barotropic", {"settings": {**settings_of(MODEL), **changed}}, tmp_path)


def test_closures_that_do_not_fit_are_refused(
    archive: Path, column_archive: Path, tmp_path: Path
) -> None:
    finer = turbulence(64)
    with pytest.raises(HostError, match=r"expected a grid with spacing 0\.1308\d+ along"):
        hosted(replace(MODEL, nx=64), finer, tmp_path, archive=str(archive))
    with pytest.raises(HostError, match="grid"):
        hosted(MODEL, turbulence(N), tmp_path, archive=str(column_archive))
    strange = exported(Stirring(("vorticity", "u", "psi")), tmp_path)
    message = "psi: expected an input among vorticity, u and v, which this model has; export"
    with pytest.raises(HostError, match=message):
        hosted(MODEL, turbulence(N), tmp_path, archive=str(strange))


@pytest.mark.parametrize(
    ("dims", "message"),
    [
        (("y", "x"), r"initial\.nc: vorticity: expected dimensions \(member, y, x\)"),
        (None, r"initial\.nc: variable vorticity: .*[Vv]ariable not found"),
    ],
)
def test_initial_files_of_another_form(
    dims: tuple[str, ...] | None, message: str, tmp_path: Path
) -> None:
    values = turbulence(N)
    variables = (
        {"w": (("n", "y", "x"), values)} if dims is None else {"vorticity": (dims, values[0])}
    )
    xr.Dataset(variables).to_netcdf(tmp_path / "initial.nc")
    with pytest.raises(HostError, match=message):
        run_host("barotropic", {"settings": settings_of(MODEL)}, tmp_path)
