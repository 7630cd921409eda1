"""Closures on ClimSim's V1 columns whose results are known: single, with members, with noise."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from closures import Closure, ClosureSpec, Field
from closures.climsim.variables import v1

V1 = v1()

Outputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def spec(name: str, outputs: tuple[Field, ...], noise: tuple[Field, ...] = ()) -> ClosureSpec:
    return ClosureSpec(
        name=name,
        version="1.0",
        inputs=tuple(v.field for v in V1.inputs),
        outputs=outputs,
        noise=noise,
        provenance={"variables": "V1"},
    )


class Linear(Closure):
    """Each output a multiple of one input, or the sum of two."""

    def __init__(self) -> None:
        super().__init__(spec("linear", tuple(v.field for v in V1.outputs)))

    def forward(
        self,
        state_t: Tensor,
        state_q0001: Tensor,
        state_ps: Tensor,
        pbuf_solin: Tensor,
        pbuf_lhflx: Tensor,
        pbuf_shflx: Tensor,
    ) -> Outputs:
        flux = 0.25 * pbuf_solin
        rain = 1e-13 * state_ps
        return (
            1e-8 * state_t,
            -1e-6 * state_q0001,
            flux,
            pbuf_lhflx + pbuf_shflx,
            0.1 * rain,
            rain,
            flux,
            flux,
            flux,
            flux,
        )


class Members(Closure):
    """`Linear` times 1, 2, ..., one factor a member."""

    factors: Tensor

    def __init__(self, n_member: int) -> None:
        outputs = tuple(
            replace(v.field, dims=("realization", *v.field.dims), shape=(n_member, *v.field.shape))
            for v in V1.outputs
        )
        super().__init__(spec("members", outputs))
        self.linear: nn.Module = Linear()
        self.register_buffer("factors", 1.0 + torch.arange(n_member).float())

    def forward(
        self,
        state_t: Tensor,
        state_q0001: Tensor,
        state_ps: Tensor,
        pbuf_solin: Tensor,
        pbuf_lhflx: Tensor,
        pbuf_shflx: Tensor,
    ) -> Outputs:
        a, b, c, d, e, f, g, h, i, j = self.linear(
            state_t, state_q0001, state_ps, pbuf_solin, pbuf_lhflx, pbuf_shflx
        )
        profile = self.factors[None, :, None]
        scalar = self.factors[None, :]
        return (
            a[:, None, :] * profile,
            b[:, None, :] * profile,
            c[:, None] * scalar,
            d[:, None] * scalar,
            e[:, None] * scalar,
            f[:, None] * scalar,
            g[:, None] * scalar,
            h[:, None] * scalar,
            i[:, None] * scalar,
            j[:, None] * scalar,
        )


class Drawn(Closure):
    """`Linear` times 1 + a normal random number for each column."""

    def __init__(self) -> None:
        outputs = tuple(v.field for v in V1.outputs)
        super().__init__(spec("drawn", outputs, (Field("draw", "1"),)))
        self.linear: nn.Module = Linear()

    def forward(
        self,
        state_t: Tensor,
        state_q0001: Tensor,
        state_ps: Tensor,
        pbuf_solin: Tensor,
        pbuf_lhflx: Tensor,
        pbuf_shflx: Tensor,
        draw: Tensor,
    ) -> Outputs:
        factor = 1.0 + draw
        a, b, c, d, e, f, g, h, i, j = self.linear(
            state_t, state_q0001, state_ps, pbuf_solin, pbuf_lhflx, pbuf_shflx
        )
        column = factor[:, None]
        return (
            a * column,
            b * column,
            c * factor,
            d * factor,
            e * factor,
            f * factor,
            g * factor,
            h * factor,
            i * factor,
            j * factor,
        )
