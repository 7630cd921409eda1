"""Climates of two-layer flow, made of random numbers, for tests of scores."""

import numpy as np
import xarray as xr

from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS

CUTOFF = 7.5
N_RING = 10


def made_climate(seed: int, n: int = 16, offset: float = 0.0) -> xr.Dataset:
    """Return random fields and spectra on `n` points a side, all of them shifted."""
    rng = np.random.default_rng(seed)
    fields = {
        name: (("time", "layer", "y", "x"), rng.normal(offset, 1.0, (3, 2, n, n)))
        for name in FIELDS
    }
    spectra = {
        name: (("layer", "wavenumber"), offset + rng.random((2, N_RING))) for name in SPECTRA
    }
    budget = {name: (("wavenumber",), offset + rng.random(N_RING)) for name in BUDGET}
    coordinates = {"wavenumber": np.arange(N_RING) + 0.5, "time": np.arange(3.0) + seed}
    return xr.Dataset({**fields, **spectra, **budget}, coords=coordinates)
