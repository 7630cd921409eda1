"""PlaSim's columns as a test bed of closures that learn from two fidelities."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.convection import OUTPUTS, MoistFeatures, humidity_tendency, temperature_tendency
from closures.convection.air import HEAT_CAPACITY, VAPORIZATION, Layers
from closures.convection.features import NAMES
from closures.field import Field
from closures.spec import ClosureSpec
from hybrid.experiments.multifidelity.bed import Bed, Inputs, Table, Tables
from hybrid.experiments.plasim.convection.training import layer_mass
from hybrid.experiments.plasim.learning import REFERENCES, field_of, stacked
from hybrid.experiments.plasim.responses import KELVIN
from hybrid.experiments.plasim.schemes import layer_thickness, split_in_time
from hybrid.experiments.plasim.settings import N_SEASON, TEST_PART

Array = NDArray[np.float64]

CHEAP: Mapping[str, str] = MappingProxyType(
    {"betts_miller": "Betts and Miller's scheme", "adjustment": "moist convective adjustment"}
)
"""Schemes of low fidelity by the names that the hook gives them."""

PRESENT, WARM = "present", f"p{KELVIN:.0f}k"
"""Climates."""

EVERY_HIGH = 8
"""Every so many moments of the training Kuo's scheme is shown, in the present alone; every other
one of the rest, and of the warm climate, is the cheap scheme's."""


class SteadyFeatures(nn.Module):
    """Those of `MoistFeatures` whose range a warmer climate hardly changes.

    Without temperatures, and without temperature and humidity of the ground.

    Parameters
    ----------
    features
        All of them.
    n_level
        Number of layers.
    """

    kept: Tensor

    def __init__(self, features: MoistFeatures, n_level: int) -> None:
        super().__init__()
        self.features = features
        n_feature = 8 * n_level + 2
        left_out = {*range(n_level), n_feature - 3, n_feature - 2}
        kept = [i for i in range(n_feature) if i not in left_out]
        self.register_buffer("kept", torch.tensor(kept), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``(n, n_feature)`` for raw inputs ``(n, n_input)``."""
        features: Tensor = self.features(inputs)
        return features.index_select(1, self.kept)


def convection_bed(cheap: str, columns: xr.Dataset) -> Bed:
    """Return the contract and scores of heating and moistening by moist convection.

    Parameters
    ----------
    cheap
        Name of the low fidelity, one of `CHEAP`.
    columns
        Recorded columns, for names, sizes and units.
    """
    n = columns.sizes["level"]
    inputs = tuple(field_of(columns, name, bounded=False) for name in NAMES)
    outputs = (
        Field("convective_heating", "K s-1", ("level",), (n,)),
        Field("convective_moistening", "kg kg-1 s-1", ("level",), (n,)),
    )
    spec = ClosureSpec(
        name=f"plasim_{cheap}",
        version="1.0",
        inputs=inputs,
        outputs=outputs,
        description=f"Moist convection of PlaSim from Kuo's scheme and {CHEAP[cheap]}",
        references=REFERENCES,
    )
    thickness = torch.from_numpy(layer_thickness(n))
    layers = Layers(thickness.double())
    steady = SteadyFeatures(MoistFeatures(inputs, thickness), n)
    mass = np.tile(layers.mass.numpy(), 2)
    return Bed(
        name=f"convection_{cheap}",
        title=f"PlaSim's moist convection, {CHEAP[cheap]} and Kuo's",
        spec=spec,
        parts={"heating": slice(0, n), "moistening": slice(n, 2 * n)},
        mass=mass,
        units={"heating": ("W kg-1", HEAT_CAPACITY), "moistening": ("W kg-1", VAPORIZATION)},
        inputs={
            "raw": Inputs(sum(field.size for field in inputs)),
            "invariant": Inputs(len(steady.kept), steady),
        },
        shifted=(WARM,),
        vertical=layers.middle.numpy() * 1000.0,
        settings={
            "low_fidelity": f"{CHEAP[cheap]}, in both climates",
            "high_fidelity": "Kuo's scheme with shallow mixing, in the present alone",
        },
    )


def convection_tables(cheap: str, present: xr.Dataset, warm: xr.Dataset) -> Tables:
    """Return the samples.

    Tests are of other days than the training; no moment is shown in both fidelities.

    Parameters
    ----------
    cheap
        Name of the low fidelity.
    present, warm
        Columns recorded in both climates, with what all schemes make of them.
    """
    earlier, later = split_in_time(present, TEST_PART, N_SEASON)
    warm_earlier, warm_later = split_in_time(warm, TEST_PART, N_SEASON)
    moment, warm_moment = _moments(earlier), _moments(warm_earlier)
    is_high = moment % EVERY_HIGH == 0
    is_low, is_warm_low = ~is_high & (moment % 2 == 0), warm_moment % 2 == 0
    low = xr.concat([earlier.isel(column=is_low), warm_earlier.isel(column=is_warm_low)], "column")
    # Days of both runs have the same numbers; a moment is of one of them.
    group = np.concatenate([moment[is_low], moment.max() + 1 + warm_moment[is_warm_low]])
    made = _tendencies(low, cheap)
    return Tables(
        Table(_inputs(low), made, group, made),
        _kuo(cheap, earlier.isel(column=is_high), moment[is_high]),
        {
            PRESENT: _kuo(cheap, later, _moments(later)),
            WARM: _kuo(cheap, warm_later, _moments(warm_later)),
        },
    )


def kuo_tendencies(columns: xr.Dataset) -> Array:
    """Return heating and moistening by the scheme that the model uses ``(n, 2 n_level)``."""
    condensation, moisture, heat = (
        torch.from_numpy(columns[name].to_numpy().astype(float)) for name in OUTPUTS
    )
    mass = torch.from_numpy(layer_mass(columns))
    heating = temperature_tendency(condensation, heat, mass)
    moistening = humidity_tendency(condensation, moisture, mass)
    return torch.cat([heating, moistening], dim=1).numpy()


def _kuo(cheap: str, columns: xr.Dataset, group: NDArray[np.int64]) -> Table:
    return Table(_inputs(columns), kuo_tendencies(columns), group, _tendencies(columns, cheap))


def _tendencies(columns: xr.Dataset, cheap: str) -> Array:
    names = [f"{cheap}_{what}" for what in ("heating", "moistening")]
    return np.concatenate([columns[name].to_numpy().astype(float) for name in names], axis=1)


def _inputs(columns: xr.Dataset) -> Array:
    fields = tuple(field_of(columns, name, bounded=False) for name in NAMES)
    return stacked(columns, fields).astype(float)


def _moments(columns: xr.Dataset) -> NDArray[np.int64]:
    return np.unique(columns["step"], return_inverse=True)[1].astype(np.int64)
