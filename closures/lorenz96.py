"""Closures of the slow Lorenz-96 equations: cubic, AR(1) residual, and a network with both.

All act on one slow variable at a time (a column is one X_k) and everything is dimensionless.
Deterministic and stochastic parts add up: ``cubic + ar1`` is the closure of Wilks (2005).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from closures.base import Closure
from closures.field import DType, Field
from closures.spec import ClosureSpec

_WILKS = "Wilks (2005), doi:10.1256/qj.04.03"
_ARNOLD = "Arnold, Moroz and Palmer (2013), doi:10.1098/rsta.2011.0479"

_X = Field("x", "1")
_TENDENCY = Field("x_tendency", "1")
_RESIDUAL = Field("residual", "1", valid_min=-6.0, valid_max=6.0)
_NOISE = Field("noise", "1")


class CubicClosure(Closure):
    """A cubic polynomial in x: ``U(x) = b0 + b1 x + b2 x^2 + b3 x^3``.

    Parameters
    ----------
    coefficients
        b0, b1, b2, b3 [1].
    valid_min, valid_max
        Range of x in the training data [1]; None is unchecked.
    provenance
        Where the coefficients come from.
    dtype
        Precision of x and of the tendency: that of the host, "float64", keeps all its digits.

    Raises
    ------
    ValueError
        If there are not four finite coefficients.

    Examples
    --------
    >>> CubicClosure([1.0, 0.0, 0.0, 2.0])(torch.tensor([2.0]))
    (tensor([17.]),)
    """

    def __init__(
        self,
        coefficients: Sequence[float],
        valid_min: float | None = None,
        valid_max: float | None = None,
        provenance: Mapping[str, str] | None = None,
        dtype: DType = "float32",
    ) -> None:
        values = [float(value) for value in coefficients]
        if len(values) != 4 or not all(math.isfinite(value) for value in values):
            raise ValueError(f"coefficients: expected four finite numbers b0 to b3, got {values}")
        super().__init__(
            ClosureSpec(
                name="cubic",
                version="1.0",
                inputs=(replace(_X, valid_min=valid_min, valid_max=valid_max, dtype=dtype),),
                outputs=(replace(_TENDENCY, dtype=dtype),),
                description="cubic fit of the subgrid tendency of Lorenz-96",
                references=(_ARNOLD,),
                provenance=provenance or {},
            )
        )
        self.b0, self.b1, self.b2, self.b3 = values

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the tendency, shape ``(n,)``, of `x`, shape ``(n,)``."""
        return (((self.b3 * x + self.b2) * x + self.b1) * x + self.b0,)


class AR1Closure(Closure):
    """A first-order autoregressive tendency with no inputs.

    ``e <- phi e + sqrt(1 - phi^2) z`` with z standard normal, and ``U = sigma e``. The state e
    is standardised: its stationary distribution is standard normal.

    Parameters
    ----------
    phi
        Autocorrelation of the residual over one model step [1].
    sigma
        Standard deviation of the tendency [1].
    provenance
        Where the numbers come from; it should name the model step that `phi` belongs to.

    Raises
    ------
    ValueError
        If `phi` is not in [0, 1) or `sigma` is negative.
    """

    def __init__(
        self, phi: float, sigma: float, provenance: Mapping[str, str] | None = None
    ) -> None:
        _check_phi(phi)
        if not sigma >= 0.0:
            raise ValueError(f"sigma: expected a standard deviation >= 0, got {sigma}")
        super().__init__(
            ClosureSpec(
                name="ar1",
                version="1.0",
                inputs=(),
                outputs=(_TENDENCY,),
                state=(_RESIDUAL,),
                noise=(_NOISE,),
                description="first-order autoregressive residual",
                references=(_WILKS, _ARNOLD),
                provenance=provenance or {},
            )
        )
        self.phi, self.sigma = float(phi), float(sigma)
        self.innovation = math.sqrt(1.0 - self.phi**2)

    def forward(self, residual: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tendency and the new residual, shapes ``(n,)``."""
        new = self.phi * residual + self.innovation * noise
        return self.sigma * new, new


@dataclass(frozen=True)
class Scaling:
    """Means and standard deviations of x and of its tendency in the training data [1]."""

    x_mean: float
    x_std: float
    u_mean: float
    u_std: float

    def __post_init__(self) -> None:
        if not (self.x_std > 0.0 and self.u_std > 0.0):
            raise ValueError(f"scaling: expected positive standard deviations, got {self}")


class MLPClosure(Closure):
    """A network for mean and standard deviation of the tendency, with an AR(1) residual.

    ``U = m(x) + s(x) e`` and ``e <- phi e + sqrt(1 - phi^2) z``: both m and log s are outputs
    of one network, which outside the training range keeps its value at the edge.

    Parameters
    ----------
    n_hidden
        Width of the two hidden layers.
    x_min, x_max
        Range of x in the training data [1].
    phi
        Autocorrelation of the residual over one model step [1].
    provenance
        Where the weights come from.

    Raises
    ------
    ValueError
        If `phi` is not in [0, 1) or the range of x is empty.
    """

    def __init__(
        self,
        n_hidden: int,
        x_min: float,
        x_max: float,
        phi: float = 0.0,
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        _check_phi(phi)
        if not x_min < x_max:
            raise ValueError(f"x_min, x_max: expected a range, got {x_min} to {x_max}")
        super().__init__(
            ClosureSpec(
                name="mlp_ar1",
                version="1.0",
                inputs=(replace(_X, valid_min=x_min, valid_max=x_max),),
                outputs=(_TENDENCY,),
                state=(_RESIDUAL,),
                noise=(_NOISE,),
                description="network for mean and spread of the tendency, AR(1) residual",
                references=(_WILKS, _ARNOLD),
                provenance=provenance or {},
            )
        )
        self.first = nn.Linear(1, n_hidden)
        self.second = nn.Linear(n_hidden, n_hidden)
        self.last = nn.Linear(n_hidden, 2)
        self.x_min, self.x_max = float(x_min), float(x_max)
        self.phi = float(phi)
        self.innovation = math.sqrt(1.0 - self.phi**2)

    def distribution(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the tendency, shapes ``(n,)`` [1]."""
        inside = x.clamp(self.x_min, self.x_max).unsqueeze(-1)
        hidden = torch.tanh(self.second(torch.tanh(self.first(inside))))
        mean, log_spread = self.last(hidden).unbind(-1)
        return mean, log_spread.exp()

    def forward(self, x: Tensor, residual: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tendency and the new residual, shapes ``(n,)``."""
        mean, spread = self.distribution(x)
        new = self.phi * residual + self.innovation * noise
        return torch.addcmul(mean, spread, new), new

    def in_units_of(
        self, scaling: Scaling, phi: float, provenance: Mapping[str, str]
    ) -> "MLPClosure":
        """Return a closure of x, from this one, which was trained on standardised x and U.

        The normalisation goes into the weights of the first and the last layer: it costs
        nothing when the closure runs.
        """
        low, high = (scaling.x_mean + scaling.x_std * edge for edge in (self.x_min, self.x_max))
        closure = MLPClosure(self.first.out_features, low, high, phi, provenance)
        closure.load_state_dict(self.state_dict())
        with torch.no_grad():
            closure.first.weight /= scaling.x_std
            closure.first.bias.sub_(closure.first.weight[:, 0] * scaling.x_mean)
            closure.last.weight[0] *= scaling.u_std
            closure.last.bias[0] = scaling.u_mean + scaling.u_std * closure.last.bias[0]
            closure.last.bias[1] += math.log(scaling.u_std)
        return closure


def _check_phi(phi: float) -> None:
    if not 0.0 <= phi < 1.0:
        raise ValueError(f"phi: expected an autocorrelation in [0, 1), got {phi}")
