"""A part of the model's small-scale filter undone, inside the time loop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.deconvolution_kernel import call, context_of
from solvers.fft import plan_transform
from solvers.leith_e import LeithE
from solvers.spectral import FILTER_CUTOFF, small_scale_filter
from solvers.tendency_function import function_address
from solvers.tendency_source import BoundTendency, GridField
from solvers.two_layers import require_two_layers


@dataclass(frozen=True, kw_only=True)
class Deconvolution:
    r"""Undo a part of the filter that ends each step of two-layer flow, and add it to a closure.

    .. math::
        \hat T = \frac{1}{\Delta t} \left(\frac{g}{f} - 1\right) \hat q
        \quad\text{where } f > f_0, \text{ else } 0,

    with the filter f of the model and one of the same form, g, that begins at shorter waves: a
    field that does not change otherwise is g q at the end of a step, in place of f q. What the
    filter takes out of the step's own tendency stays out. On waves of which f leaves less than
    :math:`f_0`, nothing is done.

    The same, as archives take it, is `closures.quasigeostrophic.Deconvolution`.

    Parameters
    ----------
    dt
        Time step of the model [s].
    cutoff
        Where g begins, as a part of pi over the grid spacing [1], beyond the model's 0.65.
    closure
        Closure that it is added to; None: none.
    least
        :math:`f_0` [1].

    Raises
    ------
    ValueError
        If one of these is out of range.
    TendencyError
        When it is coupled, if the model is none of two layers.

    References
    ----------
    Stolz and Adams (1999), Phys. Fluids 11, 1699-1701, for deconvolution as a closure.

    Examples
    --------
    >>> from solvers import LeithE, TwoLayerQG
    >>> model = TwoLayerQG(nx=32)
    >>> leith = LeithE(
    ...     c2=(-1.0, -0.5), c4=(0.002, 0.002), returned=1.2, largest_factor=0.1, delta=model.delta
    ... )
    >>> closure = Deconvolution(dt=model.dt, cutoff=0.7, closure=leith)
    >>> run = model.run(days=1, save_every=1, tendency=closure)
    """

    dt: float
    cutoff: float
    closure: LeithE | None = None
    least: float = 1e-3

    def __post_init__(self) -> None:
        if not 0.0 < self.dt < math.inf:
            raise ValueError(f"Deconvolution: dt: expected a positive number, got {self.dt}")
        if not FILTER_CUTOFF <= self.cutoff <= 1.0:
            raise ValueError(
                f"Deconvolution: cutoff: expected a number from {FILTER_CUTOFF:g}, where the "
                f"model's filter begins, to 1, got {self.cutoff}"
            )
        if not 0.0 < self.least < 1.0:
            raise ValueError(
                f"Deconvolution: least: expected a number between 0 and 1, got {self.least}"
            )

    @property
    def description(self) -> str:
        """What data say of the run's closure."""
        return repr(self)

    def bind(
        self, member: int, fields: Sequence[GridField], tendencies: Sequence[GridField]
    ) -> BoundTendency:
        """Return the compiled function with work space of a member.

        Raises
        ------
        TendencyError
            If the fields are not those of two layers.
        """
        require_two_layers("Deconvolution", fields, tendencies)
        inner = None if self.closure is None else self.closure.bind(member, fields, tendencies)
        array = fields[0].array
        n_y, n_x = array.shape[-2:]
        transform = plan_transform((n_y, n_x), array.dtype)
        gain = self._gain(n_y, n_x) / (self.dt * n_y * n_x)
        addresses = (0, 0) if inner is None else (inner.function, inner.context)
        context = context_of(array.dtype, gain, (n_y, n_x), transform.addresses, addresses)
        function = function_address(call, array.dtype.name)
        return BoundTendency(function, context.ctypes.data, keep_alive=(context, transform, inner))

    def _gain(self, n_y: int, n_x: int) -> np.ndarray:
        """Return g / f - 1 of each wave, 0 where nothing is done."""
        x = 2.0 * np.pi * np.arange(n_x // 2 + 1) / n_x
        y = 2.0 * np.pi * np.fft.fftfreq(n_y)
        w = np.hypot(x, y[:, np.newaxis])
        f, g = small_scale_filter(w), small_scale_filter(w, self.cutoff)
        return np.where(f > self.least, g / np.maximum(f, self.least) - 1.0, 0.0)
