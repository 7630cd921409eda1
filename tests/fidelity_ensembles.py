"""Small ensembles with random weights, of columns, that tests share."""

import numpy as np
import torch
from column_specs import column_spec, normalizations
from numpy.typing import NDArray
from torch import Tensor

from closures.columns.emulator import ColumnEmulator
from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import GuardedNetwork
from closures.multifidelity import (
    EnsembleSizes,
    FeatureCount,
    FidelityEnsemble,
    NoiseNetwork,
    NoiseSizes,
    RelativeSpread,
)

# Products with fewer than a dozen outputs round in another way in other rows of a batch; closures
# that have them run one column at a time if the bridge is to be reproducible.
LAYOUT = ColumnLayout(8, ("profile", "profile", "scalar"), ("profile", "profile"))
N_MEMBER = 12
COUNTS = (3, 6)


def ensemble(form: str = "additive", n_member: int = N_MEMBER) -> FidelityEnsemble:
    """Return an ensemble with noise, whose members disagree more far from zero."""
    n_input, n_output = LAYOUT.n_input, LAYOUT.n_output
    count = FeatureCount(n_input, n_output, None if form == "single" else n_input - 3)
    sizes = EnsembleSizes(form, n_member, (24, 24), 1.0, seed=3)  # type: ignore[arg-type]
    noise = NoiseNetwork(FeatureCount(n_input, n_output), NoiseSizes((16,), seed=1))
    return FidelityEnsemble(count, sizes, noise).eval()


def spread() -> RelativeSpread:
    """Return the mean over outputs of which the first counts twice."""
    weights = np.ones(LAYOUT.n_output)
    weights[0] = 2.0
    return RelativeSpread(weights / weights.sum())


def features(n: int, seed: int = 0) -> Tensor:
    """Return normalised features of very different size from column to column."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.rand(n, 1, generator=generator) * 2.0 + 0.2
    return size * torch.randn(n, LAYOUT.n_input, generator=generator)


def raw_columns(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return inputs of the closure within its envelope, ``(n, n_input)``, some near the middle."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.02, 1.0, (n, 1))
    return (3.0 * size * rng.uniform(-1.0, 1.0, (n, LAYOUT.n_input))).astype(np.float32)


def normalized(columns: NDArray[np.float32]) -> Tensor:
    """Return what the network of the closure sees of raw columns."""
    inputs, _ = normalizations(LAYOUT)
    return torch.from_numpy(inputs.normalize(columns.astype(np.float64))).float()


def by_field(columns: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return raw columns as the host has them, by field."""
    n = LAYOUT.n_level
    return {"x0": columns[:, :n], "x1": columns[:, n : 2 * n], "x2": columns[:, 2 * n]}


def guarded_closure(network: GuardedNetwork) -> ColumnEmulator:
    """Return a closure of columns around a network."""
    inputs, outputs = normalizations(LAYOUT)
    return ColumnEmulator(column_spec(LAYOUT), network, inputs, outputs, results="guarded").eval()
