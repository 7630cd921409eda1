"""The eddy viscosity inside the time loop: equal to the closures, and at work in a run."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from two_dimensional_flow import spacing, turbulence

from closures import Closure
from closures import turbulence as closures
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import (
    Backscatter,
    DynamicEddyViscosity,
    EddyViscosity,
    LinearPolicy,
    Viscosity,
)

N = 48
MODEL = Barotropic(nx=N, dt=5e-3, viscosity=1e-3, beta=20.0)
GIVEN: list[dict[str, Any]] = [
    {"scale": "leith", "c2": 0.01},
    {"scale": "smagorinsky", "c2": 0.02, "c4": 0.001},
    {"scale": "leith", "c2": -0.007, "c4": 0.004, "filter_width": 0.3},
    {"scale": "leith", "c2": -0.05, "c4": 0.002, "net_dissipation": 0.1},
    {"scale": "uniform", "c2": 0.1, "c4": -0.001},
]
FOUND: list[dict[str, Any]] = [
    {"scale": scale, "average": average, "clipping": clipping}
    for scale in ("leith", "smagorinsky")
    for average in ("global", "local")
    for clipping in ("none", "coefficient", "numerator")
]

WEIGHTS = (-0.008, 0.004, 0.017, -0.003, 0.02, 0.005)
LEARNED: list[dict[str, Any]] = [
    {"weights2": WEIGHTS},
    {
        "weights2": WEIGHTS, "weights4": (0.004, 0.001, -0.002, 0.003, 0.001, -0.001),
        "bounds2": (-0.01, 0.03), "bounds4": (0.001, 0.006), "net_dissipation": 0.5,
    },
    {"weights2": WEIGHTS, "scale": "smagorinsky", "net_dissipation": None},
]  # fmt: skip


def pairs() -> list[tuple[Viscosity, Closure]]:
    """Every choice, for the solver and as a closure."""
    step = spacing(N)
    given: list[tuple[Viscosity, Closure]] = [
        (EddyViscosity(**how), closures.EddyViscosity(step, **how)) for how in GIVEN
    ]
    found: list[tuple[Viscosity, Closure]] = [
        (DynamicEddyViscosity(**how), closures.DynamicEddyViscosity(step, **how)) for how in FOUND
    ]
    learned: list[tuple[Viscosity, Closure]] = [
        (LinearPolicy(**how), closures.LinearPolicy(step, **how)) for how in LEARNED
    ]
    how = {"c4": 0.003, "returned": 0.7}
    return [*given, *found, *learned, (Backscatter(**how), closures.Backscatter(step, **how))]


PAIRS = pairs()


def started(viscosity: Viscosity | None, initial: Any, **how: Any) -> BarotropicIntegration:
    integration = replace(MODEL, eddy_viscosity=viscosity, **how).start(initial)
    assert isinstance(integration, BarotropicIntegration)
    return integration


# Third and fourth derivatives multiply rounding by the cube of the largest wavenumber, in both.
@pytest.mark.parametrize(("viscosity", "closure"), PAIRS, ids=lambda value: str(value)[:90])
def test_time_loop_and_closure_agree(viscosity: Viscosity, closure: Any) -> None:
    omega = turbulence(N, seed=4, n_member=2)
    integration = started(viscosity, omega)
    (expected,) = closure(torch.from_numpy(omega))
    for member in range(2):
        difference = np.abs(integration.eddy_tendency(member) - expected[member].numpy()).max()
        assert difference <= 1e-12 * expected[member].abs().max().item()


@pytest.mark.parametrize(("viscosity", "closure"), PAIRS[2:6:3], ids=["given", "dynamic"])
@pytest.mark.parametrize("stepper", ["AB3-CN", "IF-RK4"])
def test_a_run_is_that_with_the_closure_coupled(
    viscosity: Viscosity, closure: Any, stepper: str
) -> None:
    def tendency(fields: Any, step: int) -> Any:
        return closure(torch.from_numpy(fields["vorticity"].copy())[None])[0][0].numpy()

    omega = turbulence(N, seed=5)
    inside = started(viscosity, omega, stepper=stepper)
    coupled = replace(MODEL, stepper=stepper).start(omega, tendency=tendency)
    assert isinstance(coupled, BarotropicIntegration)
    for integration in (inside, coupled):
        integration.advance(20)
    difference = np.abs(inside.vorticity_spectrum - coupled.vorticity_spectrum).max()
    assert difference <= 1e-11 * np.abs(coupled.vorticity_spectrum).max()


def test_uniform_viscosity_is_a_larger_viscosity_of_the_fluid() -> None:
    omega = turbulence(N, seed=6)
    eddy = started(EddyViscosity(scale="uniform", c2=2e-3), omega, dt=1e-3, stepper="IF-RK4")
    thicker = replace(MODEL, dt=1e-3, stepper="IF-RK4", viscosity=3e-3)
    fluid = thicker.start(omega)
    assert isinstance(fluid, BarotropicIntegration)
    for integration in (eddy, fluid):
        integration.advance(20)
    # One is explicit and the other exact: they differ by the error of a fourth-order step.
    difference = np.abs(eddy.vorticity_spectrum - fluid.vorticity_spectrum).max()
    assert difference <= 1e-8 * np.abs(fluid.vorticity_spectrum).max()


def test_coefficients_may_be_fields_that_change() -> None:
    omega = turbulence(N, seed=7)
    integration = started(EddyViscosity(c2=0.01), omega)
    uniform = integration.eddy_tendency()
    integration.eddy.coefficients[0, 0] *= 2.0
    assert np.allclose(integration.eddy_tendency(), 2.0 * uniform, rtol=1e-12, atol=1e-12)


def test_each_member_may_have_a_policy_of_its_own() -> None:
    omega = np.repeat(turbulence(N, seed=7), 2, axis=0)
    integration = started(LinearPolicy(weights2=WEIGHTS), omega)
    integration.eddy.weights[1, 0] = [0.01, 0, 0, 0, 0, 0]
    leith = started(EddyViscosity(c2=0.01), omega).eddy_tendency()
    assert np.allclose(integration.eddy_tendency(1), leith, rtol=1e-12, atol=1e-12)
    assert np.abs(integration.eddy_tendency(0) - leith).max() > 0.1 * np.abs(leith).max()


def test_single_precision_is_near_double() -> None:
    omega = turbulence(N, seed=8)
    viscosity = EddyViscosity(c2=-0.007, c4=0.004, net_dissipation=0.1)
    double = started(viscosity, omega).eddy_tendency()
    single = started(viscosity, omega, dtype="float32").eddy_tendency()
    assert np.abs(single - double).max() <= 1e-3 * np.abs(double).max()


def test_members_and_threads_do_not_change_a_run() -> None:
    omega = turbulence(N, seed=9, n_member=3)
    model = replace(MODEL, eddy_viscosity=DynamicEddyViscosity())
    together = model.start(omega, n_thread=2)
    alone = model.start(omega[1:2])
    for integration in (together, alone):
        assert isinstance(integration, BarotropicIntegration)
        integration.advance(10)
    assert isinstance(together, BarotropicIntegration)
    assert isinstance(alone, BarotropicIntegration)
    assert np.array_equal(together.vorticity_spectrum[1], alone.vorticity_spectrum[0])


def test_a_run_says_which_viscosity_it_had() -> None:
    model = replace(MODEL, eddy_viscosity=Backscatter(returned=0.25))
    assert "returned=0.25" in model.attributes()["eddy_viscosity"]
    assert "eddy_viscosity" not in MODEL.attributes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: EddyViscosity(scale="leech"),
            "eddy viscosity: scale: expected one of uniform, smagorinsky, leith, got 'leech'",
        ),
        (
            lambda: EddyViscosity(c4=np.inf),
            "eddy viscosity: c4: expected a finite number, got inf",
        ),
        (
            lambda: EddyViscosity(net_dissipation=-0.1),
            "eddy viscosity: net_dissipation: expected a number of 0 to 1 or None, got -0.1",
        ),
        (
            lambda: DynamicEddyViscosity(filter_width=-1.0),
            "eddy viscosity: filter_width: expected a positive length or None, got -1.0",
        ),
        (
            lambda: LinearPolicy(weights2=(1.0, 2.0)),
            "eddy viscosity: weights2: expected 6 finite numbers, got (1.0, 2.0)",
        ),
        (
            lambda: LinearPolicy(bounds4=(0.1, 0.0)),
            "eddy viscosity: bounds4: expected a lower and an upper bound, got (0.1, 0.0)",
        ),
        (
            lambda: Backscatter(c4=-0.1),
            "eddy viscosity: c4: expected no negative number, got -0.1",
        ),
        (
            lambda: Backscatter(returned=1.1),
            "eddy viscosity: returned: expected a number of 0 to 1, got 1.1",
        ),
        (
            lambda: replace(MODEL, eddy_viscosity=EddyViscosity(), dealias=False),
            (
                "eddy_viscosity: expected dealias=True, got False; its fluxes have waves that an "
                "aliased grid would fold back"
            ),
        ),
        (
            lambda: started(None, turbulence(N)).eddy_tendency(),
            "eddy_viscosity: expected a model that has one, got None",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the whole text is compared
        make()
    assert str(error.value) == message
