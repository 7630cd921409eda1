"""The search for coefficients of Leith+E: its space, its direction, and lost runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid.experiments.quasigeostrophic import tuning
from hybrid.experiments.quasigeostrophic.configurations import CONFIGURATIONS, HOUR, Duration
from hybrid.experiments.quasigeostrophic.tuning import (
    CHOSEN,
    CHOSEN_DECONVOLVED,
    LOST,
    Coefficients,
    Found,
    Search,
    search,
)
from solvers import Deconvolution, LeithE
from solvers.spectral import FILTER_CUTOFF

FLOW = replace(CONFIGURATIONS["eddy"], n_truth=64, n_coarse=32)
SHORT = Duration(
    years=0.1, spin_up=0.05, sampled_every=48.0 * HOUR, snapshot_every=96.0 * HOUR, n_snapshot=2
)
NEAR = np.array([0.9, -1.2, 0.7])


def nearness(coefficients: Coefficients) -> float:
    """Minus the squared distance from `NEAR`, in the search space."""
    place = [
        np.log(coefficients.c4 / 0.002) / np.log(1.4),
        (coefficients.returned - 1.23) / 0.06,
        (coefficients.cutoff - 0.72) / 0.03,
    ]
    return -float(np.sum((np.array(place) - NEAR) ** 2))


def searched(settings: Search) -> Found:
    random = np.random.default_rng(3)
    return search(FLOW, SHORT, settings, 5, random, lambda _fraction: None)


def test_a_search_goes_where_coefficients_are_worth_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning._Worth, "of", lambda *_arguments: nearness)
    found = searched(Search(n_generation=40, population=8))
    # From sqrt(NEAR . NEAR) = 1.7, in 320 evaluations of a parabola in three dimensions.
    np.testing.assert_allclose(found.place, NEAR, atol=0.05)
    assert found.value == pytest.approx(nearness(Coefficients.at(found.place)))
    assert len(found.medians) == 40
    assert found.medians[-1] > found.medians[0]


def test_coefficients_have_signs_that_closures_take() -> None:
    for place in (np.zeros(3), np.full(3, -30.0), np.full(3, 30.0)):
        coefficients = Coefficients.at(place)
        assert coefficients.c4 > 0.0
        assert coefficients.returned >= 0.0
        assert FILTER_CUTOFF <= coefficients.cutoff <= 1.0
    least = Coefficients.at(np.full(3, -30.0))
    assert least.returned == 0.0
    assert not least.deconvolves


def test_the_ratio_of_the_layers_is_that_of_the_flow() -> None:
    for flow in CONFIGURATIONS.values():
        closure = Coefficients(0.003, 1.2).in_loop(flow.coarse)
        assert isinstance(closure, LeithE)
        upper, lower = closure.c2
        # Of speeds where both layers have the same energy.
        assert lower**2 / upper**2 == pytest.approx(flow.delta)


@pytest.mark.parametrize("chosen", [CHOSEN, CHOSEN_DECONVOLVED], ids=["without", "with"])
def test_the_loop_and_the_archive_have_the_same_coefficients(chosen: Coefficients) -> None:
    in_loop, closure = chosen.in_loop(FLOW.coarse), chosen.closure(FLOW.coarse)
    leith = in_loop.closure if isinstance(in_loop, Deconvolution) else in_loop
    assert isinstance(in_loop, Deconvolution) is chosen.deconvolves
    assert leith is not None
    assert leith.c4 == (chosen.c4, chosen.c4)
    run = FLOW.coarse.start(FLOW.initial(32, 0), tendency=in_loop)
    fields = run.fields()
    given = (torch.from_numpy(fields[field.name].to_numpy()) for field in closure.spec.inputs)
    (wanted,) = closure(*given)
    run.advance(1)
    (found,) = run.closure_outputs(0)
    largest = float(wanted.abs().max())
    np.testing.assert_allclose(found.array, wanted[0].numpy(), atol=1e-9 * largest)


def test_coefficients_that_lose_a_run_are_worth_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    worth = tuning._Worth.of(FLOW, SHORT, range(5, 6), 1)
    assert np.isfinite(worth(Coefficients.at(np.zeros(3))))
    # Diffusion far beyond what the time step bears.
    assert worth(replace(Coefficients.at(np.zeros(3)), c4=1e9)) == LOST
