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


def test_the_table_has_a_row_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barotropic_step, "ROUNDS", 1)
    monkeypatch.setattr(barotropic_step, "SECONDS_A_TURN", 1e-3)
    cost = barotropic_step.measure(16)
    assert barotropic_step.table([cost, cost]).row_count == 2
    # Four transforms of 16 x 16 numbers take more than 100 ns, and no step a tenth of a second.
    for seconds in (cost.compiled, cost.transforms, cost.numpy, cost.numpy_stress_form):
        assert 1e-7 < seconds < 0.1
