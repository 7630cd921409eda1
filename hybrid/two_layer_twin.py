"""The two-layer model in torch: gradients of closures through many of its steps.

The numerics of `solvers.TwoLayerQG`, step for step and wave for wave. The compiled model is for
runs; this one is for training a closure by what it does in a run.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from solvers.quasigeostrophic import TwoLayerQG
from solvers.time_stepping import ADAMS_BASHFORTH_3

TendencyOf = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Tendency of q [s-2] of q [s-1], u and v [m s-1] without the mean flow, all ``(n, 2, y, x)``."""


class TwinState(NamedTuple):
    """A batch of flows, and what their next step needs of the steps before.

    Parameters
    ----------
    q
        Spectra of potential vorticity, unnormalised, shape ``(n, 2, l, k)`` [s-1].
    past
        Up to two tendencies of the steps before, the newest first, same shape [s-2].
    """

    q: Tensor
    past: tuple[Tensor, ...] = ()


class TwoLayerTwin(nn.Module):
    """Steps of a two-layer model for a batch of flows, differentiable by all that goes in.

    Parameters
    ----------
    model
        The model, whose precision this has, too.

    Examples
    --------
    >>> twin = TwoLayerTwin(TwoLayerQG(nx=16, dt=3600.0))
    >>> q = torch.zeros(3, 2, 16, 16, dtype=torch.float64)
    >>> twin.rollout(q, n_saved=2, every=5).shape
    torch.Size([3, 2, 2, 16, 16])
    """

    k: Tensor
    l: Tensor  # noqa: E741 -- the name of the literature
    inversion: Tensor
    pv_gradient: Tensor
    mean_flow: Tensor
    drag: Tensor
    keep: Tensor

    def __init__(self, model: TwoLayerQG) -> None:
        super().__init__()
        self.model = model
        self.shape = model.grid.shape
        grid, layers = model.grid, np.s_[:, None, None]
        k2 = grid.wavenumber_squared
        keep = grid.exponential_filter if model.filter else np.ones_like(k2)
        self._constant("k", grid.k[None, :])
        self._constant("l", grid.l[:, None])
        self._constant("inversion", _inversion(model))
        self._constant("pv_gradient", np.array(model.pv_gradient)[layers])
        self._constant("mean_flow", np.array([model.u1, model.u2])[layers])
        self._constant("drag", np.array([0.0, model.bottom_drag])[layers] * k2)
        self._constant("keep", keep)

    def _constant(self, name: str, values: NDArray[np.float64]) -> None:
        kind = getattr(torch, self.model.dtype)
        self.register_buffer(name, torch.tensor(values, dtype=kind))

    def start(self, q: Tensor) -> TwinState:
        """Return flows with potential vorticity ``(n, 2, y, x)`` [s-1], with no past."""
        return TwinState(torch.fft.rfft2(q.to(self.k.dtype)))

    def on_grid(self, spectrum: Tensor) -> Tensor:
        """Return the field of a spectrum, ``(..., y, x)``."""
        field: Tensor = torch.fft.irfft2(spectrum, s=self.shape)
        return field

    def streamfunction(self, q: Tensor) -> Tensor:
        """Return the spectrum of psi [m2 s-1] of that of q [s-1], ``(..., 2, l, k)``."""
        upper, lower = q[..., 0, :, :], q[..., 1, :, :]
        of_upper, of_lower = self.inversion[:, 0], self.inversion[:, 1]
        return torch.stack(
            [
                of_upper[0] * upper + of_lower[0] * lower,
                of_upper[1] * upper + of_lower[1] * lower,
            ],
            dim=-3,
        )

    def tendency(self, q: Tensor, closure: TendencyOf | None = None) -> Tensor:
        """Return the spectrum of dq/dt [s-2] of that of q, with what a closure adds."""
        psi = self.streamfunction(q)
        ik, il = 1j * self.k, 1j * self.l
        field, u, v = self.on_grid(q), self.on_grid(-il * psi), self.on_grid(ik * psi)
        flux_x = torch.fft.rfft2((u + self.mean_flow) * field)
        flux_y = torch.fft.rfft2(v * field)
        made: Tensor = -ik * (flux_x + self.pv_gradient * psi) - il * flux_y + self.drag * psi
        if closure is not None:
            made = made + torch.fft.rfft2(closure(field, u, v).to(field.dtype))
        return made

    def step(self, state: TwinState, closure: TendencyOf | None = None) -> TwinState:
        """Return the state a time step later: Adams-Bashforth, then the filter."""
        newest = self.tendency(state.q, closure)
        known = (newest, *state.past)
        weights = ADAMS_BASHFORTH_3.weights[len(known) - 1]
        q = state.q
        for weight, tendency in zip(weights, known, strict=False):
            q = q + self.model.dt * float(weight) * tendency
        q = self.keep * q
        return TwinState(q, known[: ADAMS_BASHFORTH_3.n_past])

    def rollout(
        self, q: Tensor, n_saved: int, every: int, closure: TendencyOf | None = None
    ) -> Tensor:
        """Run flows from rest in time: the first steps are of lower order, as in the model.

        Parameters
        ----------
        q
            Potential vorticity to begin with, shape ``(n, 2, y, x)`` [s-1].
        n_saved
            States that are returned.
        every
            Steps from one to the next.
        closure
            What is added to the tendency; None: nothing.

        Returns
        -------
        Tensor
            Potential vorticity, shape ``(n, n_saved, 2, y, x)`` [s-1], the beginning not with it.
        """
        state, saved = self.start(q), []
        for _ in range(n_saved):
            for _ in range(every):
                state = self.step(state, closure)
            saved.append(self.on_grid(state.q))
        return torch.stack(saved, dim=1)


def _inversion(model: TwoLayerQG) -> NDArray[np.float64]:
    """Return psi of layer i of a unit of q in layer j, shape ``(2, 2, l, k)`` [m2]."""
    units = np.eye(2)[:, :, None, None] * np.ones(model.grid.spectral_shape)
    return np.stack([model.invert(unit) for unit in units], axis=1)
