"""Factors from units of outputs to energy fluxes."""

from dataclasses import replace

import numpy as np
import pytest

from closures.climsim.energy import energy_of_inputs, energy_per_unit
from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.variables import VariableSet, v1
from closures.field import Field

GRID = ColumnGrid(
    area=np.ones(1),
    lat=np.zeros(1),
    lon=np.zeros(1),
    hyai=np.array([0.0, 0.2, 0.0]),
    hybi=np.array([0.0, 0.0, 1.0]),
    hyam=np.array([0.1, 0.1]),
    hybm=np.array([0.0, 0.5]),
    p0=1e5,
)
LAYERS = np.array([20_000.0, 80_000.0]) / 9.80616


def with_wind() -> VariableSet:
    """V1 with two levels, the wind, and its tendencies."""
    plain = v1(2)

    def profile(name: str, units: str) -> Field:
        return Field(name, units, ("level",), (2,))

    state, tendency = plain.inputs[0], plain.outputs[0]
    winds = [replace(state, field=profile(f"state_{c}", "m s-1"), label=c) for c in "uv"]
    changes = [replace(tendency, field=profile(f"ptend_{c}", "m s-2"), label=f"d{c}") for c in "uv"]
    return VariableSet(
        name="with wind",
        inputs=(*plain.inputs, *winds),
        outputs=(*plain.outputs, *changes),
    )


def test_winds_count_with_the_speed_before_the_step() -> None:
    variables = with_wind()
    inputs = np.zeros((1, variables.n_input))
    ranges = variables.slices("inputs")
    inputs[:, ranges["state_ps"]] = 1e5
    inputs[:, ranges["state_u"]] = [3.0, 0.0]
    inputs[:, ranges["state_v"]] = [-4.0, 2.0]
    factors = energy_of_inputs(inputs, variables, GRID)
    for name in ("ptend_u", "ptend_v"):
        part = variables.slices("outputs")[name]
        np.testing.assert_allclose(factors[0, part], LAYERS * [5.0, 2.0], rtol=1e-14)
    heating = variables.slices("outputs")["ptend_t"]
    np.testing.assert_allclose(factors[0, heating], LAYERS * 1004.64, rtol=1e-14)


def test_winds_without_a_speed() -> None:
    with pytest.raises(DataError, match="ptend_u: expected state_u and state_v among the inputs"):
        energy_per_unit(np.array([1e5]), with_wind(), GRID)


def test_units_without_an_energy() -> None:
    plain = v1(2)
    odd = replace(plain.outputs[2], field=Field("cam_out_netsw", "kg"))
    variables = replace(plain, outputs=(*plain.outputs[:2], odd))
    with pytest.raises(DataError, match=r"cam_out_netsw: expected units among K s-1.*, got kg"):
        energy_per_unit(np.array([1e5]), variables, GRID)
