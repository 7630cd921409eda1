"""Sunlight at the ground: what is absorbed, and what there is at night."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from closures.constraints.packing import replaced
from closures.constraints.ranges import FieldRanges

ALBEDO_OF = {
    "cam_out_sols": "cam_in_asdir",
    "cam_out_soll": "cam_in_aldir",
    "cam_out_solsd": "cam_in_asdif",
    "cam_out_solld": "cam_in_aldif",
}
"""Downwelling flux [W m-2] to the albedo [1] of its band and direction."""


class NetSunlight(nn.Module):
    """What the ground absorbs: ``NETSW = sum of S_k (1 - albedo_k)`` over the four fluxes.

    The network's own NETSW is replaced. The sum is evaluated in float64 and rounded once, so the
    identity holds to 6e-8 of NETSW for the albedos and fluxes as the closure has them, also where
    an albedo is nearly 1. A host with float64 albedos near 1 knows more digits of ``1 - albedo``
    than float32 holds: by these the error is below 6e-8 of the downwelling flux, and was more than
    1e-6 of NETSW in 7 of 12,900 lit real columns, whose albedos were 0.98 and more and which
    absorbed less than 0.08 W m-2.

    In ClimSim's files the identity holds to 4.5e-13 W m-2 in every column.

    Parameters
    ----------
    ranges
        Where ``cam_out_netsw``, the four fluxes and the four albedos lie.

    Raises
    ------
    MissingFieldError
        If the closure has not all of them.

    References
    ----------
    Beucler et al. 2021, Enforcing analytic constraints in neural networks emulating physical
    systems, Phys. Rev. Lett. 126, 098302: an output that an equation gives is not predicted.
    """

    fluxes: Tensor
    albedos: Tensor

    def __init__(self, ranges: FieldRanges) -> None:
        super().__init__()
        ranges.require(
            "net_sunlight",
            inputs=ALBEDO_OF.values(),
            outputs=("cam_out_netsw", *ALBEDO_OF),
            remedy="choose a variable set with the four albedos, such as V2 or V1 with albedos, "
            "or leave the layer out",
        )
        self.netsw = ranges.outputs["cam_out_netsw"].start
        fluxes = [ranges.outputs[name].start for name in ALBEDO_OF]
        albedos = [ranges.inputs[name].start for name in ALBEDO_OF.values()]
        self.register_buffer("fluxes", torch.tensor(fluxes))
        self.register_buffer("albedos", torch.tensor(albedos))

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with NETSW [W m-2] replaced."""
        flux = outputs.index_select(1, self.fluxes).to(torch.float64)
        albedo = inputs.index_select(1, self.albedos).to(torch.float64)
        net = (flux * (1.0 - albedo)).sum(dim=1, keepdim=True)
        return replaced(outputs, self.netsw, net)


class NightSunlight(nn.Module):
    """Downwelling sunlight is never negative, and at night at most what training columns had.

    Night is ``pbuf_solin <= 0``, which in ClimSim's files is where ``pbuf_coszrs`` is 0 (48.8 %
    of columns). The fluxes there lag behind the sun: 3 % of night columns are still lit, by up
    to 1.8 (SOLS), 9.9 (SOLL), 10.0 (SOLSD) and 8.0 (SOLLD) W m-2, and NETSW reaches 5.5 W m-2;
    together that is 0.1 % of the diffuse and 0.01 % of the direct flux. Zeroing them, as coupled
    models have done (a limit of 0), is wrong there by that much.

    Parameters
    ----------
    ranges
        Where ``pbuf_solin`` and the fluxes lie.
    limits
        Downwelling flux to its largest value at night [W m-2].

    Raises
    ------
    MissingFieldError
        If the closure has not all of them.
    ValueError
        If a limit is negative.

    References
    ----------
    Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a
    comprehensive atmospheric model, J. Adv. Model. Earth Syst.: zero sunlight at night.
    """

    lowest: Tensor
    at_night: Tensor

    def __init__(self, ranges: FieldRanges, limits: Mapping[str, float]) -> None:
        super().__init__()
        ranges.require("night", inputs=("pbuf_solin",), outputs=limits)
        if min(limits.values(), default=0.0) < 0.0:
            raise ValueError(f"night: expected limits >= 0 W m-2, got {dict(limits)}")
        self.sun = ranges.inputs["pbuf_solin"].start
        lowest = torch.full((ranges.n_output,), -torch.inf)
        at_night = torch.full((ranges.n_output,), torch.inf)
        for name, limit in limits.items():
            lowest[ranges.outputs[name]] = 0.0
            at_night[ranges.outputs[name]] = limit
        self.register_buffer("lowest", lowest)
        self.register_buffer("at_night", at_night)

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with the fluxes [W m-2] limited."""
        dark = inputs[:, self.sun : self.sun + 1] <= 0.0
        limited = torch.where(dark, torch.minimum(outputs, self.at_night), outputs)
        return torch.maximum(limited, self.lowest)


class Longwave(nn.Module):
    """Downwelling longwave radiation is positive.

    Parameters
    ----------
    ranges
        Where ``cam_out_flwds`` lies.
    least
        Its least value [W m-2]; in ClimSim's files FLWDS is never below 60.9.

    Raises
    ------
    MissingFieldError
        If there is no such output.
    ValueError
        If `least` is not positive.
    """

    lowest: Tensor

    def __init__(self, ranges: FieldRanges, least: float) -> None:
        super().__init__()
        ranges.require("longwave", outputs=("cam_out_flwds",))
        if least <= 0.0:
            raise ValueError(f"longwave: expected a least flux above 0 W m-2, got {least}")
        lowest = torch.full((ranges.n_output,), -torch.inf)
        lowest[ranges.outputs["cam_out_flwds"]] = least
        self.register_buffer("lowest", lowest)

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with FLWDS [W m-2] limited."""
        return torch.maximum(outputs, self.lowest)
