"""Similarity of climates to the truth's: formulas, symmetric cases, and an independent distance."""

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from two_layer_climates import CUTOFF, made_climate

from hybrid.experiments.quasigeostrophic.runs.averages import SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, FIELDS
from hybrid.experiments.quasigeostrophic.scores.similarity import (
    DISTRIBUTIONAL,
    FLUXES,
    METRICS,
    SPECTRAL,
    distances,
    pooled,
    similarities,
    summary,
    thinned,
)


def shifted(run: xr.Dataset, by: float) -> xr.Dataset:
    """Return a climate with all fields and spectra shifted."""
    return run.map(lambda variable: variable + by)


def wasserstein_by_quantiles(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the distance of two samples, the area between their quantile functions."""
    n = np.lcm(a.size, b.size)
    quantiles = (np.repeat(np.sort(each.ravel()), n // each.size) for each in (a, b))
    first, second = quantiles
    return float(np.abs(first - second).mean())


def test_there_are_eighteen_metrics() -> None:
    assert len(METRICS) == len(set(METRICS)) == 18
    assert (len(DISTRIBUTIONAL), len(SPECTRAL)) == (10, 8)


def test_a_shift_is_the_distance() -> None:
    truth = made_climate(0)
    found = distances(shifted(truth, -0.3), truth, CUTOFF)
    assert found == pytest.approx(dict.fromkeys(METRICS, 0.3))


def test_distributions_are_compared_across_grids() -> None:
    coarse, fine = made_climate(1, n=8), made_climate(2, n=16, offset=0.2)
    found = distances(coarse, fine, CUTOFF)
    for name in FIELDS:
        for layer in (0, 1):
            fields = (run[name].isel(layer=layer).to_numpy() for run in (coarse, fine))
            assert found[f"{name}_{layer + 1}"] == pytest.approx(wasserstein_by_quantiles(*fields))


def test_only_wavenumbers_below_the_cutoff_count() -> None:
    truth = made_climate(0)
    spectra = [*SPECTRA, *FLUXES]
    beyond, below = truth.copy(deep=True), truth.copy(deep=True)
    for name in spectra:
        beyond[name][..., 7:] += 5.0
        below[name][..., 6] += 5.0
    assert {distances(beyond, truth, CUTOFF)[name] for name in SPECTRAL} == {0.0}
    for name in SPECTRAL:
        assert distances(below, truth, CUTOFF)[name] == pytest.approx(5.0 / np.sqrt(7.0))


def test_scores_are_one_for_the_truth_and_nothing_for_the_baseline() -> None:
    truth, low = made_climate(0), shifted(made_climate(0), 0.5)
    baseline = distances(low, truth, CUTOFF)

    def scores(run: xr.Dataset) -> dict[str, float]:
        return similarities(distances(run, truth, CUTOFF), baseline)

    assert scores(truth) == dict.fromkeys(METRICS, 1.0)
    assert scores(low) == dict.fromkeys(METRICS, 0.0)
    assert scores(shifted(truth, -0.1)) == pytest.approx(dict.fromkeys(METRICS, 0.8))
    assert scores(shifted(truth, 1.5)) == pytest.approx(dict.fromkeys(METRICS, -2.0))


def test_a_summary_has_the_mean_the_worst_and_both_kinds() -> None:
    scores = dict.fromkeys(DISTRIBUTIONAL, 0.5) | dict.fromkeys(SPECTRAL, 0.95)
    scores["v_2"] = -0.5
    found = summary(scores)
    expected = {"mean": (9 * 0.5 - 0.5 + 8 * 0.95) / 18, "min": -0.5}
    assert found == pytest.approx({**expected, "distributional": 0.4, "spectral": 0.95})


def test_pooled_runs_have_all_states_and_mean_spectra() -> None:
    runs = [made_climate(seed) for seed in (1, 2, 3)]
    together = pooled(runs)
    assert together.q.size == 3 * runs[0].q.size
    for name in ("enstrophy_spectrum", "bottom_drag"):
        expected = np.mean([run[name] for run in runs], axis=0)
        np.testing.assert_allclose(together[name], expected, rtol=1e-14)
    doubled = distances(pooled([runs[0], runs[0]]), runs[0], CUTOFF)
    assert doubled == pytest.approx(dict.fromkeys(METRICS, 0.0), abs=1e-14)


def test_a_thinned_run_has_the_points_of_a_coarser_grid() -> None:
    run = made_climate(0, n=16)
    np.testing.assert_array_equal(thinned(run, 4).q, run.q[..., ::4, ::4])
    assert thinned(run, 4).bottom_drag.identical(run.bottom_drag)
    # Other grids have no points in common with it.
    assert thinned(run, 12).identical(run)
    assert thinned(run, 32).identical(run)


def test_lost_runs_and_other_wavenumbers_are_refused() -> None:
    truth, lost = made_climate(0), xr.Dataset(attrs={BLEW_UP: 1e6})
    with pytest.raises(ValueError, match="expected finite runs, got one that blew up"):
        distances(lost, truth, CUTOFF)
    with pytest.raises(ValueError, match="all of them finite, got 2 of which 1 blew up"):
        pooled([truth, lost])
    other = truth.assign_coords(wavenumber=truth.wavenumber * 0.5)
    with pytest.raises(ValueError, match="expected the 7 wavenumbers of the truth below"):
        distances(other, truth, CUTOFF)
