"""Coefficients of Leith+E: what they mean, and the fit to runs with known climates."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray
from two_layer_climates import CUTOFF, made_climate

from hybrid.experiments.quasigeostrophic.calibration.coefficients import (
    CALIBRATED,
    CHOSEN,
    CHOSEN_DECONVOLVED,
    CHOSEN_OF_STRAIN,
    Coefficients,
    MomentumCoefficients,
    SixthOrderCoefficients,
)
from hybrid.experiments.quasigeostrophic.calibration.emulator import ClimateEmulator, Curves
from hybrid.experiments.quasigeostrophic.calibration.fit import Box, fit
from hybrid.experiments.quasigeostrophic.calibration.trials import Trials
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, FIELDS
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS
from hybrid.experiments.quasigeostrophic.scores.similarity import (
    METRICS,
    SPECTRAL,
    distances,
    pooled,
)
from solvers import Deconvolution, LeithE
from solvers.spectral import FILTER_CUTOFF

FLOW = replace(CONFIGURATIONS["eddy"], n_truth=64, n_coarse=32)
NEAR = np.array([0.4, -0.3, 0.2, -0.5])
LOST = xr.Dataset(attrs={BLEW_UP: 3e7})


def climate_at(place: NDArray[np.float64], seed: int) -> xr.Dataset:
    """Return a climate whose fields and spectra grow with coefficients, each with some of them."""
    run = made_climate(seed).assign_attrs(cutoff=CUTOFF)
    strengths = dict(
        zip(FIELDS, 1.0 + 0.3 * np.roll([*place, place[0] - place[1]], 1), strict=True)
    )
    for name, strength in strengths.items():
        run[name] = strength * run[name]
    for i, name in enumerate((*SPECTRA, *BUDGET)):
        run[name] = run[name] * 0.02 + 1.0 + place[i % 4] + 0.2 * place[0] * place[1]
    return run


@pytest.fixture(scope="module")
def trials() -> Trials:
    """128 runs all over the box, one of which was lost, and 16 truths with known coefficients."""
    places = Box().places(128, np.random.default_rng(0))
    runs = [(place, climate_at(place, 1000 + i)) for i, place in enumerate(places)]
    truths = [climate_at(NEAR, i) for i in range(16)]
    plain = [climate_at(np.array([-1.0, -1.0, 1.0, 1.0]), 50 + i) for i in range(16)]
    return Trials.of([*runs, (np.ones(4), LOST)], truths, plain)


def test_the_fit_finds_the_coefficients_of_the_truth(trials: Trials) -> None:
    found = fit(Box(), {"eddy": trials}, np.random.default_rng(1), n_again=8)
    assert (found.n_run, found.n_lost) == (128, 1)
    assert 0.9 < found.mean["eddy"] < 1.0
    assert found.worst["eddy"] > 0.7
    np.testing.assert_allclose(found.place, NEAR, atol=0.05)
    # Three standard deviations of each.
    assert np.all(np.abs(np.array(found.place) - NEAR) < 3.0 * np.array(found.spread))
    assert np.all(np.array(found.spread) < 0.05)
    # The best of single runs is further off.
    truth, plain = trials.truths.mean(axis=0), trials.plain.mean(axis=0)
    baseline = trials.curves.distances(plain, truth)
    values = (1.0 - trials.curves.distances(trials.vectors, truth) / baseline).mean(axis=1)
    luckiest = trials.places[int(np.argmax(values))]
    assert abs(luckiest - NEAR).max() > 2.0 * abs(np.array(found.place) - NEAR).max()


def test_the_search_ends_at_the_same_place_from_whatever_it_begins_with(trials: Trials) -> None:
    one, other = (fit(Box(), {"eddy": trials}, np.random.default_rng(i), n_again=2) for i in (1, 2))
    np.testing.assert_allclose(one.place, other.place, atol=2e-3)


def test_places_near_lost_runs_are_not_chosen(trials: Trials) -> None:
    lost = NEAR + np.array([[0.0] * 4, [0.02] * 4])
    more = replace(
        trials,
        places=np.concatenate([trials.places, lost]),
        is_finite=np.concatenate([trials.is_finite, [False, False]]),
    )
    found = fit(Box(), {"eddy": more}, np.random.default_rng(1), n_again=2)
    nearest = more.places[np.argmin(np.sum((more.places - found.place) ** 2, axis=1))]
    assert not np.any(np.all(nearest == lost, axis=1))
    assert found.n_lost == 3


def test_runs_drawn_again_are_as_many(trials: Trials) -> None:
    again = trials.drawn_again(np.random.default_rng(0))
    assert again.vectors.shape == trials.vectors.shape
    assert (again.is_finite.sum(), (~again.is_finite).sum()) == (128, 1)
    for place, vector in zip(again.places[again.is_finite], again.vectors, strict=True):
        i = int(np.flatnonzero(np.all(trials.places == place, axis=1))[0])
        np.testing.assert_array_equal(vector, trials.vectors[i])
    np.testing.assert_array_equal(again.places[~again.is_finite], np.ones((1, 4)))


def test_a_fit_asks_for_more_runs_than_it_has_terms() -> None:
    runs = [climate_at(NEAR, i) for i in range(2)]
    places = Box().places(32, np.random.default_rng(0))
    lost = Trials.of([(place, LOST) for place in places], runs, runs)
    with pytest.raises(ValueError, match=r"expected more than 15 runs that stayed finite.* got 0"):
        fit(Box(), {"eddy": lost}, np.random.default_rng(0), n_again=2)


def test_vectors_of_climates_have_their_distances() -> None:
    truth, made = ([made_climate(10 * i + j, offset=0.5 * i) for j in range(3)] for i in (0, 1))
    curves = Curves.around([*truth, *made], CUTOFF)
    own, wanted = (np.mean([curves.of(run) for run in runs], axis=0) for runs in (made, truth))
    found = curves.distances(own, wanted)
    expected = distances(pooled(made), pooled(truth), CUTOFF)
    # Distribution functions are kept at steps of 1/800 of somewhat more than the range.
    assert dict(zip(METRICS, found, strict=True)) == pytest.approx(expected, rel=5e-3)
    exact = [expected[name] for name in SPECTRAL]
    np.testing.assert_allclose(found[-len(SPECTRAL) :], exact, rtol=1e-12)


def test_several_flows_have_a_say_each(trials: Trials) -> None:
    # Distances are absolute: between two truths on one side and one on the other, two win.
    other = np.array([-0.4, 0.3, 0.2, -0.5])

    def beside(place: NDArray[np.float64], seed: int) -> Trials:
        truths = [trials.curves.of(climate_at(place, seed + i)) for i in range(16)]
        return replace(trials, truths=np.array(truths))

    flows = {"here": trials, "there": beside(other, 300), "and there": beside(other, 400)}
    found = fit(Box(), flows, np.random.default_rng(1), n_again=2)
    assert (found.n_run, found.n_lost) == (3 * 128, 3)
    np.testing.assert_allclose(found.place, other, atol=0.1)
    assert found.mean["here"] < 0.8
    assert found.mean["there"] > 0.9
    turned = {"here": trials, "here too": trials, "there": flows["there"]}
    found = fit(Box(), turned, np.random.default_rng(1), n_again=2)
    np.testing.assert_allclose(found.place, NEAR, atol=0.1)


def test_quadratic_functions_are_learned_exactly() -> None:
    random = np.random.default_rng(1)
    places = random.uniform(-1.0, 1.0, (12, 3))

    def truth(place: NDArray[np.float64]) -> NDArray[np.float64]:
        a, b, c = place
        return np.array([1.0 + a - b * c, a * a - 3.0 * c, b * b + a * b])

    emulator = ClimateEmulator.fitted(places, np.array([truth(place) for place in places]))
    np.testing.assert_allclose(emulator(NEAR[None, :3])[0], truth(NEAR[:3]), rtol=1e-10)


def test_boxes_narrow_around_what_was_found_but_where_it_is_at_an_end() -> None:
    boxes = [Box()]
    # The first is at an end of the second coefficient's range, the next of the last one's.
    for place, widths in (
        ([0.8, 0.96, -0.5, 0.0], [1.0, 2.0, 1.0, 1.0]),
        ([0.9, 0.5, -0.99, 0.1], [0.5, 1.0, 1.0, 0.5]),
        ([0.9, 0.5, -0.99, 0.1], [0.25, 0.5, 0.5, 0.25]),
    ):
        boxes.append(boxes[-1].narrowed_around(place))
        low, high = np.array(boxes[-1].low), np.array(boxes[-1].high)
        np.testing.assert_allclose(0.5 * (high + low), place)
        np.testing.assert_allclose(high - low, widths)


def test_places_fill_a_box_evenly() -> None:
    box = Box((0.0, -1.0, 2.0, 0.0), (1.0, 3.0, 2.5, 0.1))
    places = box.places(64, np.random.default_rng(0))
    assert places.shape == (64, 4)
    assert np.all((places >= box.low) & (places <= box.high))
    # Evenly: each half of each range has half of the places.
    middle = 0.5 * (np.array(box.low) + box.high)
    np.testing.assert_array_equal((places < middle).sum(axis=0), 32)


def test_coefficients_have_values_that_closures_take() -> None:
    # The second round may go half the range beyond the first.
    for place in (np.full(4, -1.5), np.zeros(4), np.full(4, 1.5)):
        coefficients = SixthOrderCoefficients.at(place)
        assert coefficients.c6 > 0.0
        assert coefficients.returned > 0.9
        assert FILTER_CUTOFF < coefficients.cutoff < 1.0
        assert coefficients.deconvolves
    assert SixthOrderCoefficients.at([0.0, 0.0, 9.0, 0.0]).cutoff == 1.0
    assert not SixthOrderCoefficients.at([0.0, 0.0, -9.0, 0.0]).deconvolves
    assert not CHOSEN.deconvolves


def test_the_ratio_of_the_layers_is_that_of_the_flow() -> None:
    for flow in CONFIGURATIONS.values():
        closure = MomentumCoefficients(c4=0.003, returned=1.2).in_loop(flow.coarse)
        assert isinstance(closure, LeithE)
        upper, lower = closure.c2
        # Of speeds where both layers have the same energy.
        assert lower**2 / upper**2 == pytest.approx(flow.delta)
        sixth = SixthOrderCoefficients(c6=0.001, exponent=0.5, returned=1.2).in_loop(flow.coarse)
        assert isinstance(sixth, LeithE)
        assert sixth.c6 == pytest.approx((0.001, 0.001 / flow.delta**0.5))


@pytest.mark.parametrize(
    "chosen",
    [CHOSEN, CHOSEN_DECONVOLVED, CHOSEN_OF_STRAIN, CALIBRATED],
    ids=["without", "with", "of strain", "calibrated"],
)
def test_the_loop_and_the_archive_have_the_same_coefficients(chosen: Coefficients) -> None:
    in_loop, closure = chosen.in_loop(FLOW.coarse), chosen.closure(FLOW.coarse)
    leith = in_loop.closure if isinstance(in_loop, Deconvolution) else in_loop
    assert isinstance(in_loop, Deconvolution) is chosen.deconvolves
    assert leith is not None
    expected = {
        CHOSEN: ((0.0027, 0.0027), (0.0, 0.0)),
        CALIBRATED: ((0.0, 0.0), pytest.approx((0.000496, 0.000496 * 4.0**0.25))),
    }
    if chosen in expected:
        assert (leith.c4, leith.c6) == expected[chosen]
    run = FLOW.coarse.start(FLOW.initial(32, 0), tendency=in_loop)
    fields = run.fields()
    given = (torch.from_numpy(fields[field.name].to_numpy()) for field in closure.spec.inputs)
    (wanted,) = closure(*given)
    run.advance(1)
    (found,) = run.closure_outputs(0)
    largest = float(wanted.abs().max())
    np.testing.assert_allclose(found.array, wanted[0].numpy(), atol=1e-9 * largest)
