"""Normalised samples of a candidate, and back again."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from closures.multifidelity import Samples
from closures.normalization import Normalization, fit_normalization
from hybrid.experiments.multifidelity.bed import Bed, Inputs, Table, Tables

Array = NDArray[np.float64]

LEAST_SPREAD = 1e-3
"""Least spread of a level's target, as a share of the largest of its variable: those below are not
scored either."""

_BLOCK = 8192


@dataclass(frozen=True)
class Shown:
    """How raw samples are shown to a network.

    Parameters
    ----------
    way
        Way to show inputs.
    inputs, outputs
        Normalisation.
    limit
        Largest magnitude of a normalised input.
    """

    way: Inputs
    inputs: Normalization
    outputs: Normalization
    limit: float

    @classmethod
    def of(cls, bed: Bed, tables: Tables, way: str, limit: float) -> "Shown":
        """Fit the normalisation.

        Inputs by the low-fidelity samples, whose climates include those of the tests, for all
        candidates alike, as published; outputs by the fidelity that varies more.
        """
        chosen = bed.inputs[way]
        features = _derived(chosen, tables.low.inputs).double().numpy()
        found = fit_normalization(features)
        spread = found.spread.copy()
        for part, share in chosen.floors:
            spread[part] = np.maximum(spread[part], share * spread[part].max())
        low, high = tables.low.outputs, tables.high.outputs
        deviation = np.maximum(low.std(axis=0), high.std(axis=0))
        for part in bed.parts.values():
            deviation[part] = np.maximum(deviation[part], LEAST_SPREAD * deviation[part].max())
        return cls(
            chosen,
            Normalization(found.mean, spread),
            Normalization(low.mean(axis=0), deviation),
            limit,
        )

    def features(self, inputs: Array) -> Tensor:
        """Return normalised features ``(n, n_feature)``, float32."""
        mean = torch.from_numpy(self.inputs.mean).float()
        scale = torch.from_numpy(self.inputs.scale).float()
        normalized = (_derived(self.way, inputs) - mean) * scale
        return normalized.clamp(-self.limit, self.limit)

    def samples(self, table: Table, *, correction: bool) -> Samples:
        """Return normalised samples; of a correction, what the code leaves."""
        outputs = table.outputs
        if correction:
            assert table.code is not None
            targets = (outputs - table.code) * self.outputs.scale
        else:
            targets = self.outputs.normalize(outputs)
        return Samples(self.features(table.inputs), torch.from_numpy(targets).float(), table.group)

    def physical(self, members: Array, code: Array | None) -> Array:
        """Return outputs in the units of the contract; of a correction, with the code's."""
        if code is None:
            return self.outputs.denormalize(members)
        return members * self.outputs.spread + code


def _derived(way: Inputs, inputs: Array) -> Tensor:
    raw = torch.from_numpy(np.asarray(inputs, dtype=np.float32))
    if way.derived is None:
        return raw
    with torch.no_grad():
        blocks = [way.derived(raw[i : i + _BLOCK]) for i in range(0, len(raw), _BLOCK)]
    return torch.cat(blocks)
