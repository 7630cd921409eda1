"""Maps of the members' spread in the generated columns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from closures.multifidelity import EnsembleSizes, FeatureCount, FidelityEnsemble
from hybrid.climsim_scores.figures.globe import Globe
from hybrid.experiments.multifidelity.bed import Table, Tables
from hybrid.experiments.multifidelity.columns import ColumnSizes, column_bed, column_tables
from hybrid.experiments.multifidelity.shown import Shown
from hybrid.experiments.multifidelity.spread_maps import column_spread
from solvers.column_physics import generated_grid

N_COLUMN = 384


@pytest.fixture(scope="module")
def tables() -> Tables:
    sizes = ColumnSizes(2, 1, 2, warmings=(0.0, 8.0), tested=(4,), n_spin_up=2)
    return column_tables(sizes, lambda _: None)


class Apart(FidelityEnsemble):
    """Two members that differ by as much as the first feature of a column, at every level."""

    def members(self, features: Tensor) -> Tensor:
        half = 0.5 * features[:, :1].expand(-1, self.n_output)
        return torch.stack([half, -half])


def test_spread_is_the_mean_over_moments_of_each_column(tables: Tables) -> None:
    bed = column_bed()
    how = Shown.of(bed, tables, "raw", 15.0)
    count = FeatureCount(bed.inputs["raw"].n_feature, 120)
    network = Apart(count, EnsembleSizes("single", 2, (4,)))
    table = tables.tests["p4k"]
    found = column_spread(network, how, bed, table, N_COLUMN)
    # The standard deviation of x / 2 and -x / 2 is |x| / sqrt(2).
    first = how.features(table.inputs)[:, 0].double().abs().numpy() / np.sqrt(2.0)
    heating = slice(0, 60)
    unit = bed.mass[heating] @ how.outputs.spread[heating] / bed.mass[heating].sum()
    expected = first.reshape(2, N_COLUMN).mean(axis=0) * unit * bed.units["heating"][1]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_moments_of_other_columns_are_refused(tables: Tables) -> None:
    bed = column_bed()
    how = Shown.of(bed, tables, "raw", 15.0)
    network = Apart(FeatureCount(bed.inputs["raw"].n_feature, 120), EnsembleSizes("single", 2))
    table = tables.tests["present"]
    fewer = Table(table.inputs[1:], table.outputs[1:], table.group[1:])
    shifted = replace(table, group=np.roll(table.group, 1))
    for wrong in (fewer, shifted):
        with pytest.raises(ValueError, match="expected moments of 384 columns each, got"):
            column_spread(network, how, bed, wrong, N_COLUMN)


def test_pixels_have_the_value_of_the_nearest_column() -> None:
    grid = generated_grid()
    globe = Globe.of(grid.lat, grid.lon)
    assert globe.nearest.shape == (globe.latitudes.size - 1, globe.longitudes.size - 1)
    assert set(globe.nearest.ravel()) == set(range(N_COLUMN))
    # A pixel right at a column is that column's.
    i, j = 30, 100
    lat, lon = (
        float(np.degrees(edges[k : k + 2].mean()))
        for edges, k in ((globe.latitudes, i), (globe.longitudes, j))
    )
    moved = Globe.of(np.append(grid.lat, lat), np.append(grid.lon, lon % 360.0))
    assert moved.nearest[i, j] == N_COLUMN
