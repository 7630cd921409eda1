"""A linear policy that looks at the flow now and then, and holds its coefficients in between."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from two_dimensional_flow import turbulence

from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import EddyViscosity, LinearPolicy

N = 48
INTERVAL = 5
POLICY = LinearPolicy(
    weights2=(-0.008, 0.004, 0.017, -0.003, 0.02, 0.005),
    weights4=(0.004, 0.001, -0.002, 0.003, 0.001, -0.001),
    bounds4=(0.0, 0.006),
    update_interval=INTERVAL,
)
MODEL = Barotropic(nx=N, dt=5e-3, viscosity=1e-3, eddy_viscosity=POLICY)
OMEGA = turbulence(N, seed=3, n_member=2)


def started(model: Barotropic = MODEL, n_thread: int = 1) -> BarotropicIntegration:
    integration = model.start(OMEGA, n_thread=n_thread)
    assert isinstance(integration, BarotropicIntegration)
    return integration


@pytest.mark.parametrize("stepper", ["AB3-CN", "IF-RK4"])
def test_coefficients_are_held_from_update_to_update(stepper: str) -> None:
    model = replace(MODEL, stepper=stepper)
    held = started(model, n_thread=2)
    # By hand: one integration finds coefficients, the other has them given.
    finder = started(replace(model, eddy_viscosity=replace(POLICY, update_interval=1)))
    given = started(replace(model, eddy_viscosity=EddyViscosity(c4=1.0, net_dissipation=0.1)))
    for step in range(12):
        if step % INTERVAL == 0:
            finder.vorticity_spectrum[...] = given.vorticity_spectrum
            for member in range(2):
                finder.eddy_tendency(member)
            given.eddy.coefficients[...] = finder.eddy.coefficients
        given.advance(1)
    held.advance(12)
    np.testing.assert_array_equal(held.vorticity_spectrum, given.vorticity_spectrum)
    always = started(replace(model, eddy_viscosity=replace(POLICY, update_interval=1)))
    always.advance(12)
    difference = np.abs(held.vorticity_spectrum - always.vorticity_spectrum).max()
    assert 1e-6 < difference / np.abs(always.vorticity_spectrum).max() < 1e-2


@pytest.mark.parametrize("stepper", ["AB3-CN", "IF-RK4"])
def test_a_run_continues_with_the_coefficients_it_held(stepper: str) -> None:
    model = replace(MODEL, stepper=stepper)
    whole = model.run(steps=14, save_every=7, initial=OMEGA)
    first = model.run(steps=7, save_every=7, initial=OMEGA)
    second = model.run(steps=7, save_every=7, initial=first)
    for name in ("vorticity", "restart_vorticity", "restart_eddy_coefficients"):
        last = {"time": -1} if name == "vorticity" else {}
        np.testing.assert_array_equal(second[name].isel(last), whole[name].isel(last))
    # What is held is that of the last update, not of the last step.
    begun_anew = started(model)
    begun_anew.vorticity_spectrum[...] = _complex(first["restart_vorticity"])
    begun_anew.eddy_tendency()
    held = first["restart_eddy_coefficients"].to_numpy()
    assert np.abs(begun_anew.eddy.coefficients[0] - held[0]).max() > 1e-4


def _complex(pairs: xr.DataArray) -> Any:
    values = pairs.to_numpy()
    return values[..., 0] + 1j * values[..., 1]


def test_a_policy_that_always_looks_has_nothing_to_continue_from() -> None:
    model = replace(MODEL, eddy_viscosity=replace(POLICY, update_interval=1))
    names = {str(name) for name in model.run(steps=2, initial=OMEGA).data_vars}
    assert not {name for name in names if name.startswith("restart_eddy")}


def test_looking_at_a_tendency_does_not_change_a_run() -> None:
    seen, unseen = started(), started()
    for _ in range(8):
        seen.eddy_tendency(1)
        seen.advance(1)
    unseen.advance(8)
    np.testing.assert_array_equal(seen.vorticity_spectrum, unseen.vorticity_spectrum)


def test_coefficients_are_found_at_once_where_none_are_held() -> None:
    integration, begun = started(), started()
    integration.step = 3
    for one in (integration, begun):
        one.advance(1)
    np.testing.assert_array_equal(integration.eddy.coefficients, begun.eddy.coefficients)
    # A member that is replaced asks for its own.
    integration.vorticity_spectrum[1] = 2.0 * integration.vorticity_spectrum[0]
    integration.vorticity_spectrum[1, :, 5:] = 0.0
    before = integration.eddy.coefficients.copy()
    integration.eddy.found[1] = 0
    integration.step = 1
    integration.advance(1)
    np.testing.assert_array_equal(integration.eddy.coefficients[0], before[0])
    assert np.abs(integration.eddy.coefficients[1] - before[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("interval", "error", "message"),
    [
        (0, ValueError, "eddy viscosity: update_interval: expected at least 1 step, got 0"),
        (2.5, TypeError, "eddy viscosity: update_interval: expected a whole number .*, got 2.5"),
        (True, TypeError, "eddy viscosity: update_interval: expected a whole number .*, got True"),
    ],
)
def test_what_is_no_interval_is_refused(
    interval: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        LinearPolicy(update_interval=interval)
