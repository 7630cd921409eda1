"""What a coarse grid can hold of a truth whose waves are known."""

import numpy as np
import pytest
import xarray as xr

from hybrid.experiments.quasigeostrophic.runs.climate import FIELDS, fields_of
from hybrid.experiments.quasigeostrophic.scores.ceilings import ceilings
from hybrid.experiments.quasigeostrophic.scores.similarity import DISTRIBUTIONAL
from solvers.quasigeostrophic import TwoLayerQG

FINE, COARSE = TwoLayerQG(nx=64), TwoLayerQG(nx=32)

# The filter of the coarse grid begins at 0.65 of its 16 waves.
RESOLVED, FILTERED, LOST = (2, 3, 5), (13,), (20, 25)


def climate(model: TwoLayerQG, numbers: tuple[int, ...], factor: float = 1.0) -> xr.Dataset:
    """Return two states of waves along x and y, in both layers."""
    y, x = (np.arange(n) * 2.0 * np.pi / n for n in (model.grid.n_y, model.grid.n_x))
    rng = np.random.default_rng(0)
    q = np.zeros((2, 2, len(y), len(x)))
    for number in numbers:
        amplitudes, phases = rng.uniform(0.5, 1.5, (2, 2)), rng.uniform(0.0, 6.0, (2, 2))
        for place in np.ndindex(2, 2):
            wave = np.sin(number * x + phases[place]) + np.cos(number * y)[:, np.newaxis]
            q[place] += factor * 1e-6 * amplitudes[place] * wave
    fields = fields_of(model, q)
    dims = ("time", "layer", "y", "x")
    coordinates = {name: model.coordinates()[name] for name in ("y", "x")}
    return xr.Dataset({name: (dims, fields[name]) for name in FIELDS}, coordinates)


@pytest.mark.parametrize(
    ("numbers", "held"),
    [
        (RESOLVED, {"truncated", "filtered"}),
        ((*RESOLVED, *FILTERED), {"truncated"}),
        ((*RESOLVED, *FILTERED, *LOST), set()),
    ],
)
def test_the_grid_holds_what_is_longer_than_its_cells(
    numbers: tuple[int, ...], held: set[str]
) -> None:
    truth, plain = climate(FINE, numbers), climate(COARSE, RESOLVED, 0.3)
    found = ceilings([truth, truth], [plain, plain], COARSE)
    for name, scores in found.items():
        assert set(scores) == set(DISTRIBUTIONAL)
        if name in held:
            assert min(scores.values()) == pytest.approx(1.0, abs=1e-6)
        else:
            # The shortest waves are most of the enstrophy.
            assert min(scores, key=scores.__getitem__).startswith("enstrophy")
            assert min(scores.values()) < 0.9
    means = [np.mean(list(scores.values())) for scores in found.values()]
    assert means[0] >= means[1]
