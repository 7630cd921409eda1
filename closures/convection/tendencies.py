"""What a host makes of condensation and fluxes.

Condensed water leaves the vapour of its layer and warms it; fluxes carry moisture and heat from
layer to layer. With mass m of a layer, fluxes positive downward:

    m dq/dt = F(k) - F(k + 1) - C,   m cp dT/dt = H(k) - H(k + 1) + L C
"""

import torch
from torch import Tensor

from closures.convection.air import HEAT_CAPACITY, VAPORIZATION


def exchange_of(fluxes: Tensor) -> Tensor:
    """Return what each layer keeps ``(n, n_level)`` of fluxes ``(n, n_level + 1)``."""
    return fluxes[:, :-1] - fluxes[:, 1:]


def humidity_tendency(condensation: Tensor, moisture_flux: Tensor, mass: Tensor) -> Tensor:
    """Return dq/dt ``(n, n_level)`` [kg kg-1 s-1].

    Parameters
    ----------
    condensation
        ``(n, n_level)`` [kg m-2 s-1].
    moisture_flux
        Positive downward ``(n, n_level + 1)`` [kg m-2 s-1].
    mass
        Of the layers ``(n, n_level)`` [kg m-2].
    """
    return (exchange_of(moisture_flux) - condensation) / mass


def temperature_tendency(condensation: Tensor, heat_flux: Tensor, mass: Tensor) -> Tensor:
    """Return dT/dt of dry air's heat capacity ``(n, n_level)`` [K s-1].

    Parameters
    ----------
    condensation, mass
        As in `humidity_tendency`.
    heat_flux
        Positive downward ``(n, n_level + 1)`` [W m-2].
    """
    kept = exchange_of(heat_flux) + VAPORIZATION * condensation
    return torch.div(kept, mass * HEAT_CAPACITY)
