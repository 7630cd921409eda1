"""Eddy viscosities as archives: the same run in every way to compute them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from two_dimensional_flow import spacing, turbulence

import hybrid
from closures import SpecError
from closures import turbulence as closures
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import LinearPolicy
from solvers.errors import TendencyError

N = 48
N_STEP = 60
MODEL = Barotropic(nx=N, dt=5e-3, viscosity=1e-3, beta=20.0)
WEIGHTS = (-0.008, 0.004, 0.017, -0.003, 0.02, 0.005)
POLICIES: dict[str, dict[str, Any]] = {
    "c2": {"weights2": WEIGHTS},
    "c2 and c4": {
        "weights2": WEIGHTS, "weights4": (0.004, 0.001, -0.002, 0.003, 0.001, -0.001),
        "bounds2": (-0.01, 0.03), "bounds4": (0.001, 0.006), "net_dissipation": 0.5,
    },
    "strain": {"weights2": WEIGHTS, "scale": "smagorinsky", "filter_width": 0.3},
}  # fmt: skip

# In a step the closure changes the vorticity by some thousandths of it; the ways to compute what
# it does differ by 1e-12 of that, see tests/solvers/test_eddy_viscosity.py.
ROUNDING = N_STEP * 0.01 * 1e-12


def exported(policy: str, folder: Path) -> Path:
    path = folder / "policy.pt"
    with pytest.warns(UserWarning, match="without two bounds: vorticity"):
        hybrid.export(closures.LinearPolicy(spacing(N), **POLICIES[policy]), path)
    return path


def of_vorticity(function: Callable[..., tuple[torch.Tensor, ...]]) -> Any:
    """A closure in torch as a Python function of the solver's fields."""

    def tendency(fields: Any, step: int) -> NDArray[np.float64]:
        vorticity = torch.from_numpy(fields["vorticity"].copy())
        return np.asarray(function(vorticity[np.newaxis])[0][0].numpy())

    return tendency


def advanced(model: Barotropic, tendency: Any = None, n_member: int = 1) -> NDArray[Any]:
    """Spectra of the vorticity of some members, after all steps."""
    omega = turbulence(N, seed=5, n_member=2)[:n_member]
    integration = model.start(omega, tendency=tendency)
    assert isinstance(integration, BarotropicIntegration)
    integration.advance(N_STEP)
    return integration.vorticity_spectrum


@pytest.mark.fortran
@pytest.mark.parametrize("policy", POLICIES)
def test_all_ways_to_compute_a_policy_give_the_same_run(policy: str, tmp_path: Path) -> None:
    archive = exported(policy, tmp_path)
    eager = closures.LinearPolicy(spacing(N), **POLICIES[policy])
    scripted = torch.jit.load(str(archive))  # type: ignore[no-untyped-call]
    inside = replace(MODEL, eddy_viscosity=LinearPolicy(**POLICIES[policy]))
    found = {
        "in the time loop": advanced(inside, n_member=2),
        "archive": advanced(MODEL, hybrid.couple(archive), n_member=2),
        "eager": advanced(MODEL, of_vorticity(eager)),
        "TorchScript": advanced(MODEL, of_vorticity(scripted)),
    }
    expected = found.pop("in the time loop")
    size = np.abs(expected).max()
    assert np.abs(expected[:1] - advanced(MODEL)).max() > 0.01 * size
    for way, spectra in found.items():
        difference = np.abs(spectra - expected[: len(spectra)]).max()
        assert difference <= ROUNDING * size, way


@pytest.mark.fortran
def test_an_archive_serves_grids_of_its_spacing_alone(tmp_path: Path) -> None:
    source = hybrid.couple(exported("c2", tmp_path))
    # Half as wide again and half as deep, with the same distance of points.
    wide = replace(MODEL, nx=72, ny=24, length_x=3.0 * np.pi, forcing=None)
    omega = turbulence(72)[:, :24]
    inside = replace(wide, eddy_viscosity=LinearPolicy(weights2=WEIGHTS))
    (expected, found) = (model.start(omega) for model in (inside, wide))
    found.couple(source)
    for integration in (expected, found):
        integration.advance(5)
    spectra = [integration.prognostic["vorticity"] for integration in (expected, found)]
    assert np.abs(spectra[1] - spectra[0]).max() <= ROUNDING * np.abs(spectra[0]).max()
    message = r"expected a grid with spacing 0\.130\d+ along 'y', .* got 0\.0981\d+"
    with pytest.raises(TendencyError, match=message):
        replace(MODEL, nx=64).start(tendency=source)


@pytest.mark.parametrize(
    "make",
    [
        closures.EddyViscosity,
        closures.DynamicEddyViscosity,
        closures.Backscatter,
        lambda *a, **how: closures.LinearPolicy(*a, weights2=WEIGHTS, **how),
    ],
)
def test_a_closure_knows_what_it_was_made_for(make: Callable[..., closures.EddyViscosity]) -> None:
    (vorticity,) = make(spacing(N), largest_vorticity=40.0).spec.inputs
    assert (vorticity.valid_min, vorticity.valid_max) == (-40.0, 40.0)
    with pytest.raises(SpecError, match="largest_vorticity: expected a positive number"):
        make(spacing(N), largest_vorticity=0.0)
