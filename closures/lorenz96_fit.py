"""Offline fits of the Lorenz-96 closures from pairs of x and its subgrid tendency.

Every function takes a Dataset with variables ``x`` and ``x_tendency``, dimensions
``(time, member, k)``, sampled once a step of the model that will use the closure: the memory of
the residual is a number per model step.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from closures.lorenz96 import AR1Closure, CubicClosure, MLPClosure, Scaling

Array = NDArray[np.float64]
Memory = Literal["lag_one", "integral"]


@dataclass(frozen=True)
class MLPTraining:
    """How the network is trained.

    Parameters
    ----------
    n_hidden
        Width of the two hidden layers.
    n_step
        Number of Adam steps; the learning rate falls to zero along a cosine.
    batch_size
        Samples a step, drawn at random from all times, members and k.
    learning_rate
        Initial learning rate.
    seed
        Seed of the initial weights and of the batches.
    """

    n_hidden: int = 32
    n_step: int = 1500
    batch_size: int = 4096
    learning_rate: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_hidden, self.n_step, self.batch_size) < 1 or not self.learning_rate > 0.0:
            raise ValueError(f"training: expected positive sizes and rate, got {self}")


def fit_cubic(pairs: xr.Dataset) -> CubicClosure:
    """Fit a cubic polynomial by least squares."""
    x, u = _arrays(pairs)
    cubic = np.polynomial.Polynomial.fit(x.ravel(), u.ravel(), deg=3)
    return CubicClosure(
        cubic.convert().coef.tolist(), float(x.min()), float(x.max()), _provenance(pairs)
    )


def fit_ar1(pairs: xr.Dataset, closure: CubicClosure, memory: Memory = "lag_one") -> AR1Closure:
    """Fit an AR(1) process to what a deterministic closure leaves over.

    Parameters
    ----------
    pairs
        Training data.
    closure
        Deterministic part.
    memory
        How `phi` is found, see `memory_per_step`.
    """
    x, u = _arrays(pairs)
    with torch.no_grad():
        fitted = closure(torch.from_numpy(x).float())[0].double().numpy()
    residual = u - fitted
    return AR1Closure(
        memory_per_step(residual, memory),
        float(residual.std()),
        {**_provenance(pairs), "memory": memory},
    )


def fit_mlp(pairs: xr.Dataset, training: MLPTraining, memory: Memory = "integral") -> MLPClosure:
    """Train the network by maximum likelihood, then fit the memory of its residual.

    Mean and spread minimise the Gaussian negative log likelihood together; `phi` is found from
    the standardised residual.

    Parameters
    ----------
    pairs
        Training data.
    training
        Sizes, rate and seed.
    memory
        How `phi` is found, see `memory_per_step`.
    """
    x, u = _arrays(pairs)
    scaling = Scaling(float(x.mean()), float(x.std()), float(u.mean()), float(u.std()))
    x_scaled = (x - scaling.x_mean) / scaling.x_std
    u_scaled = (u - scaling.u_mean) / scaling.u_std
    generator = torch.Generator().manual_seed(training.seed)
    closure = MLPClosure(training.n_hidden, float(x_scaled.min()), float(x_scaled.max()))
    _initialise(closure, generator)
    _maximise_likelihood(
        closure,
        torch.from_numpy(x_scaled.ravel()).float(),
        torch.from_numpy(u_scaled.ravel()).float(),
        training,
        generator,
    )
    phi = memory_per_step(_standardised(closure, x_scaled, u_scaled), memory)
    provenance = {**_provenance(pairs), "memory": memory, "seed": str(training.seed)}
    return closure.in_units_of(scaling, phi, provenance).eval()


def memory_per_step(residual: Array, memory: Memory) -> float:
    """Return phi of an AR(1) process with the memory of `residual`.

    Parameters
    ----------
    residual
        Series, shape ``(time, ...)``, one sample a model step.
    memory
        ``"lag_one"``: the autocorrelation at one step, as Wilks (2005) and Arnold et al. (2013)
        do. ``"integral"``: the AR(1) process with the same integral time scale
        ``T = integral of r up to its first zero``, hence ``phi = exp(-1 / T)``. The true
        residual is smooth: its autocorrelation leaves 1 with slope zero and then swings below
        zero, so that lag one alone gives a memory several times too long.

    Raises
    ------
    ValueError
        If the autocorrelation never reaches zero: the series is too short.
    """
    anomaly = residual - residual.mean()
    if memory == "lag_one":
        return _correlation(anomaly, 1)
    total = 0.5
    for lag in range(1, anomaly.shape[0]):
        correlation = _correlation(anomaly, lag)
        if correlation <= 0.0:
            return float(np.exp(-1.0 / total))
        total += correlation
    raise ValueError(
        f"residual: expected an autocorrelation that reaches zero within {anomaly.shape[0]} "
        "steps, it did not; use a longer series"
    )


def _correlation(anomaly: Array, lag: int) -> float:
    return float(np.mean(anomaly[lag:] * anomaly[:-lag]) / np.mean(anomaly**2))


def _arrays(pairs: xr.Dataset) -> tuple[Array, Array]:
    dims = ("time", "member", "k")
    for name in ("x", "x_tendency"):
        if name not in pairs or set(pairs[name].dims) != set(dims):
            raise ValueError(f"pairs: expected variable {name!r} with dimensions {dims}")
    return (
        pairs["x"].transpose(*dims).to_numpy().astype(np.float64),
        pairs["x_tendency"].transpose(*dims).to_numpy().astype(np.float64),
    )


def _provenance(pairs: xr.Dataset) -> dict[str, str]:
    time = pairs["time"].to_numpy()
    return {
        "data": str(pairs.attrs.get("source", "unknown")),
        "n_sample": str(pairs["x"].size),
        "model_step": f"{time[1] - time[0]:.6g}",
        **{
            name: str(pairs.attrs[name])
            for name in ("forcing", "h", "c", "b")
            if name in pairs.attrs
        },
    }


def _initialise(closure: MLPClosure, generator: torch.Generator) -> None:
    # Gains and biases that spread the bends of tanh over the standardised inputs.
    for layer, gain in ((closure.first, 2.0), (closure.second, 1.0), (closure.last, 0.1)):
        torch.nn.init.xavier_normal_(layer.weight, gain, generator=generator)
        torch.nn.init.normal_(layer.bias, 0.0, 0.5 * gain, generator=generator)


def _maximise_likelihood(
    closure: MLPClosure, x: Tensor, u: Tensor, training: MLPTraining, generator: torch.Generator
) -> None:
    optimizer = torch.optim.Adam(closure.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.n_step)
    for _ in range(training.n_step):
        batch = torch.randint(x.numel(), (training.batch_size,), generator=generator)
        mean, spread = closure.distribution(x[batch])
        error = (u[batch] - mean) / spread
        loss = (0.5 * error**2 + spread.log()).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def _standardised(closure: MLPClosure, x: Array, u: Array) -> Array:
    residual = np.empty_like(u)
    with torch.no_grad():
        for member in range(x.shape[1]):
            mean, spread = closure.distribution(torch.from_numpy(x[:, member]).float())
            residual[:, member] = (u[:, member] - mean.numpy()) / spread.numpy()
    return residual
