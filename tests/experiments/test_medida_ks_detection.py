"""The map of how weak a term is found."""

import numpy as np
import pytest

from closures.model_error import Samples
from hybrid.experiments.medida_ks.cases import Coefficients
from hybrid.experiments.medida_ks.detection import Point, detect, points
from hybrid.experiments.medida_ks.noisy import Found, Observations
from hybrid.experiments.medida_ks.settings import MAP_LEVELS, WeakTerm
from hybrid.experiments.medida_ks.truth import Truth

SMALL = Truth(nx=128, length=50.0)
WEAK = WeakTerm((0.01, 0.2), (25, 100))


@pytest.fixture(scope="module")
def samples() -> Samples:
    """A hundred samples of a small domain."""
    return SMALL.samples()


@pytest.fixture(scope="module")
def found(samples: Samples) -> dict[str, Found]:
    """What is found at each point of a small map."""
    return dict(detect(SMALL, samples, WEAK, 0))


def test_every_point_is_looked_at(found: dict[str, Found]) -> None:
    assert list(found) == [point.name for point in points(WEAK)]
    assert Point(0.01, 25, "").name == "0.01_25"
    assert Point(0.2, 100, "n05").name == "0.2_100_n05"


def test_a_strong_term_is_found_and_a_weak_one_without_noise_alone(
    found: dict[str, Found],
) -> None:
    assert all(found[Point(size, 100, "").name].right for size in WEAK.sizes)
    assert found["0.2_100_n05"].terms["u^2 u_x"] == pytest.approx(0.2, rel=0.05)
    for n_sample in WEAK.n_sample:
        assert not found[Point(0.01, n_sample, "n2").name].right


def test_a_term_stands_out_more_with_its_size_with_samples_and_with_less_noise(
    found: dict[str, Found],
) -> None:
    strength = {name: one.strength for name, one in found.items()}
    for level in list(MAP_LEVELS)[1:]:
        few, many = strength[f"0.2_25_{level}"], strength[f"0.2_100_{level}"]
        assert many / few == pytest.approx(2.0, rel=0.35)
        assert many / strength[f"0.01_100_{level}"] == pytest.approx(20.0, rel=0.02)
    falling = [strength[Point(0.2, 100, level).name] for level in MAP_LEVELS]
    assert falling == sorted(falling, reverse=True)


def test_all_samples_with_their_noise_are_the_case_of_the_study(
    samples: Samples, found: dict[str, Found]
) -> None:
    """Columns that sizes share, and the first of the windows, change nothing."""
    rng = np.random.default_rng([0, list(MAP_LEVELS).index("n1")])
    observed = Observations.of(SMALL, samples, MAP_LEVELS["n1"], rng)
    wrong = Coefficients(cubic_advection=0.2)
    assert observed.analysed(known=True).find(wrong) == found["0.2_100_n1"]
    few = Observations.of(SMALL, samples, MAP_LEVELS["n1"], np.random.default_rng(0)).first(25)
    assert few.windows.shape == (25, 3, 128)


def test_the_first_of_more_samples_are_those_of_fewer() -> None:
    """So that a map with more samples has the points of one with fewer."""
    short = Truth(nx=64, length=25.0, n_sample=20, gap=1.0, spin_up=5.0)
    more = Truth(nx=64, length=25.0, n_sample=40, gap=1.0, spin_up=5.0)
    np.testing.assert_array_equal(more.samples(3).end[:20], short.samples(3).end)
