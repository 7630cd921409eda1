"""The benchmark of the barotropic step times the same flow on all sides."""

import numpy as np
import pytest

from benchmarks import barotropic_step
from solvers.barotropic import Barotropic, BarotropicIntegration


@pytest.mark.parametrize("stress_form", [True, False])
def test_plain_numpy_computes_the_same_flow(stress_form: bool) -> None:
    model = Barotropic(nx=32, dt=2e-3, viscosity=1e-3, beta=2.0)
    start = 3.0 * model.random_state(1, np.random.default_rng(1))
    integration = model.start(start)
    assert isinstance(integration, BarotropicIntegration)
    integration.advance(100)
    plain = barotropic_step.NumpyBarotropic(model, start[0], stress_form=stress_form)
    plain.advance(100)
    error = np.abs(plain.w - integration.vorticity_spectrum[0]).max()
    assert error <= 1e-13 * np.abs(plain.w).max()
