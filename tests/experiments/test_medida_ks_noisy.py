"""Model errors of the Kuramoto-Sivashinsky study from noisy observations, and corrected models."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error import ImplicitColumns, LibraryError, Samples, discover, gather
from hybrid.experiments.medida_ks.cases import (
    CASES,
    NATURE,
    Coefficients,
    ImperfectModel,
    missing_terms,
    percent_error,
)
from hybrid.experiments.medida_ks.corrected import CorrectedModel
from hybrid.experiments.medida_ks.noise_free import candidate_terms
from hybrid.experiments.medida_ks.noisy import Found, Observations, find_as_published
from hybrid.experiments.medida_ks.online import (
    Summary,
    climate,
    density,
    distance,
    error_growth,
    sampling_floor,
    summary,
)
from hybrid.experiments.medida_ks.truth import Truth

Array = NDArray[Any]

SMALL = Truth(nx=128, length=50.0)


@pytest.fixture(scope="module")
def samples() -> Samples:
    """A hundred samples of a small domain."""
    return SMALL.samples()


@pytest.fixture(scope="module")
def observations(samples: Samples) -> Observations:
    """The samples with 1 % of noise."""
    return Observations.of(SMALL, samples, 0.01, np.random.default_rng(1))


def test_observations_are_the_truth_with_white_noise(
    samples: Samples, observations: Observations
) -> None:
    clean = np.stack([*samples.history, samples.end], axis=1)
    noise = observations.windows - clean
    assert observations.noise == pytest.approx(0.01 * clean.std())
    assert noise.std() == pytest.approx(observations.noise, rel=0.02)
    for axis in range(3):
        pairs = noise * np.roll(noise, 1, axis=axis)
        assert abs(pairs.mean()) < 4.0 * observations.noise**2 / noise.size**0.5


def test_nothing_but_the_observations_is_used(observations: Observations) -> None:
    """Another truth behind the same observations changes nothing."""
    elsewhere = replace(SMALL, n_sample=3, gap=1.0, spin_up=1.0)
    found = [
        replace(observations, truth=truth).analysed(known=False).find(CASES["doubled"])
        for truth in (SMALL, elsewhere)
    ]
    assert found[0] == found[1]


def test_shared_terms_give_what_discover_gives(observations: Observations) -> None:
    analysed = observations.analysed(known=True)
    wrong = CASES["mixed"]
    model = ImperfectModel(wrong, SMALL.nx, SMALL.length)
    expected = discover(
        model.step,
        analysed.samples,
        candidate_terms(SMALL),
        ImplicitColumns(model.implicit),
        "evidence",
        analysed.rows,
    )
    # Rows of modes count as independent.
    assert expected.path.n_effective == expected.n_row == 100 * analysed.chosen.resolved.sum()
    found = analysed.find(wrong)
    assert found.terms == pytest.approx(expected.named, rel=1e-9)
    assert list(found.standard_errors.values()) == pytest.approx(expected.standard_errors)


def test_rows_must_fit_the_columns(observations: Observations) -> None:
    model = ImperfectModel(CASES["mixed"], SMALL.nx, SMALL.length)
    with pytest.raises(LibraryError, match=r"expected shape \(24, 100\)"):
        gather(
            model.step,
            observations.analysed(known=True).samples,
            candidate_terms(SMALL),
            ImplicitColumns(model.implicit),
            lambda fields: fields if fields.ndim == 3 else fields[:, 0],
        )


def test_terms_are_found_with_noise(observations: Observations) -> None:
    known, unknown = (observations.analysed(known=k) for k in (True, False))
    assert unknown.chosen.noise == pytest.approx(observations.noise, rel=0.02)
    for case in ("no_antidiffusion", "half_advection", "dispersion_0p5", "only_hyperdiffusion"):
        found, without = known.find(CASES[case]), unknown.find(CASES[case])
        assert found.right, (case, found)
        assert found.percent <= 2.5, case
        assert found.strength > 5.0
        assert without.terms == pytest.approx(found.terms, rel=0.02)
        assert np.abs(found.deviations(CASES[case])).max() < 4.0


def test_more_noise_hides_a_small_term(samples: Samples) -> None:
    small = Coefficients(dispersion=2e-3)
    found = [
        Observations.of(SMALL, samples, level, np.random.default_rng(0))
        .analysed(known=True)
        .find(small)
        for level in (1e-4, 2e-2)
    ]
    assert found[0].right
    assert found[0].strength > 5.0
    assert found[1] == Found({}, {}, found[1].percent, right=False, strength=found[1].strength)
    assert found[1].strength < 5.0
    assert found[1].deviations(small) == []


def test_the_published_way_is_far_off(observations: Observations) -> None:
    published = [find_as_published(observations, CASES[case]) for case in CASES]
    analysed = observations.analysed(known=True)
    filtered = [analysed.find(CASES[case]) for case in CASES]
    assert np.median([one.percent for one in published]) > 10.0
    ratios = [a.percent / b.percent for a, b in zip(published, filtered, strict=True)]
    assert np.median(ratios) > 10.0


def test_a_model_with_the_right_correction_is_nature(samples: Samples) -> None:
    start = samples.start[:3]
    nature = CorrectedModel(NATURE, {}, SMALL).run(start, 1.0, 0.5)
    assert nature is not None
    for case in ("mixed", "dispersion_no_hyperdiffusion", "cubic_0p15"):
        corrected = CorrectedModel(CASES[case], missing_terms(CASES[case]), SMALL)
        assert corrected.others is None
        found = corrected.run(start, 1.0, 0.5)
        assert found is not None
        np.testing.assert_allclose(found, nature, rtol=0.0, atol=1e-12)


def test_terms_that_the_solver_lacks_are_stepped_explicitly() -> None:
    """Decay by a term -r u, with all others 0 or below rounding."""
    plain = Coefficients(advection=0.0, antidiffusion=0.0, hyperdiffusion=1e-12)
    model = CorrectedModel(plain, {"u": -0.7}, SMALL)
    start = np.cos(2.0 * np.pi * np.arange(128) / 128)[None]
    found = model.run(start, 1.0, 1.0)
    assert found is not None
    # Adams-Bashforth, begun with a step of Euler's method.
    np.testing.assert_allclose(found[-1], np.exp(-0.7) * start, rtol=0.0, atol=2e-5)


def test_models_that_blow_up_are_none(samples: Samples) -> None:
    start = samples.start[:2]
    growing = Coefficients(hyperdiffusion=0.0)
    assert not growing.well_posed
    assert CorrectedModel(growing, {}, SMALL).run(start, 20.0, 5.0) is None
    negative = CorrectedModel(growing, {"u_xxxx": 0.1}, SMALL)
    assert negative.run(start, 1.0, 0.5) is None
    assert error_growth(negative, start, np.zeros((3, 2, 128)), 0.5) is None


def test_the_forecast_error_is_that_of_the_states(samples: Samples) -> None:
    start = samples.start[:4]
    model = CorrectedModel(NATURE, {}, SMALL)
    own = model.run(start, 1.0, 0.25)
    assert own is not None
    assert error_growth(model, start, own, 0.25) == [0.0] * 5
    shifted = own + np.arange(5.0)[:, None, None]
    found = error_growth(model, start, shifted, 0.25)
    assert found == pytest.approx(np.arange(5.0) / shifted.std())


def test_a_summary_holds_the_variance_by_wave() -> None:
    states = np.random.default_rng(0).standard_normal((7, 3, 128))
    kept = summary(states, 10.0)
    np.testing.assert_allclose(kept.spectra.sum(axis=1), (states[2:] ** 2).mean(axis=(0, 2)))
    assert kept.values.shape == (3, 5 * 16)
    np.testing.assert_array_equal(kept.values[1, :16], states[2, 1, ::8].astype(np.float32))


def test_distance_and_density_are_of_distributions() -> None:
    rng = np.random.default_rng(0)
    reference = 2.0 * rng.standard_normal(20000)
    assert distance(reference + 0.5, reference) == pytest.approx(0.25, rel=0.02)
    found = density(reference, 2.0)
    assert found[32] == pytest.approx((2.0 * np.pi) ** -0.5, rel=0.1)
    many = Summary(rng.standard_normal((12, 4000)), np.zeros((12, 1)))
    floor = sampling_floor(many, 4)
    assert len(floor) == 3
    assert max(floor) < 0.03


def test_the_climate_of_a_model_is_compared_with_the_truth() -> None:
    start = SMALL.states(12, 5)
    reference = summary(SMALL.climate(start, 60.0, 5.0), 10.0)
    found = {
        factor: climate(
            CorrectedModel(Coefficients(advection=factor), {}, SMALL),
            start[:4],
            reference,
            (50.0, 20.0),
        )
        for factor in (1.0, 0.5)
    }
    assert found[1.0] is not None
    assert found[0.5] is not None
    # With u -> u / a, the equation is that of nature: u is twice as large.
    assert found[0.5]["distance"] > 0.5
    assert found[1.0]["distance"] < 0.15


@pytest.mark.slow
def test_bars_at_one_percent_of_noise_and_at_half_a_percent() -> None:
    """Terms, medians and calibration over ten seeds, at the size of the study."""
    truth = Truth()
    found: dict[tuple[str, float, bool], list[Found]] = {}
    for seed in range(10):
        samples = truth.samples(seed)
        for i, level in enumerate((0.005, 0.01)):
            noisy = Observations.of(truth, samples, level, np.random.default_rng([seed, i]))
            for known in (True, False):
                analysed = noisy.analysed(known=known)
                for case, wrong in CASES.items():
                    one = analysed.find(wrong)
                    found.setdefault((case, level, known), []).append(one)
    deviations = []
    for (case, level, _), seeds in found.items():
        strength = np.median([one.strength for one in seeds])
        if strength <= 5.0:
            continue
        percent = np.median([one.percent for one in seeds])
        assert percent <= (1.0 if level == 0.005 else 2.5), (case, level)
        if level == 0.01:
            assert sum(one.right for one in seeds) >= 9, case
            assert percent <= 0.2 * percent_error(CASES[case]), case
        deviations += [z for one in seeds for z in one.deviations(CASES[case])]
    assert 0.7 < np.sqrt(np.mean(np.square(deviations))) < 1.4
