"""When climates in bf16 count as those in float32."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hybrid.reduced_precision.climates import COARSEST, compare
from hybrid.reduced_precision.errors import PrecisionError

Array = NDArray[np.float64]
SPREAD = np.linspace(-1.0, 1.0, 201)


def runs(*shifts: float) -> list[dict[str, Array]]:
    """Climates of one variable that differ by a shift, which is their distance."""
    return [{"x [1]": SPREAD + shift} for shift in shifts]


def test_distances_of_shifted_climates_are_the_shifts() -> None:
    (found,) = compare(runs(0.0, 0.01, 0.03), runs(0.0, 0.01, 0.05))
    # Float32 runs 0 and 1, 0 and 2, 1 and 2.
    assert found.full == pytest.approx((0.01, 0.03, 0.02))
    # Each bf16 run from the float32 runs of the two other seeds.
    assert found.reduced == pytest.approx((0.01, 0.03, 0.01, 0.02, 0.05, 0.04))
    assert found.spread == pytest.approx(0.03)
    assert found.distance == pytest.approx(0.16 / 6)
    deviation = np.sqrt(SPREAD.std() ** 2 + np.std([0.0, 0.01, 0.03]) ** 2)
    assert found.standard_deviation == pytest.approx(deviation)


def test_a_mean_distance_within_the_spread_passes() -> None:
    (found,) = compare(runs(0.0, 0.01, 0.03), runs(0.01, 0.02, 0.03))
    assert found.distance < found.spread
    assert found.problem == ""


def test_a_climate_that_drifts_beyond_the_spread_does_not() -> None:
    (found,) = compare(runs(0.0, 0.01, 0.03), runs(0.04, 0.05, 0.07))
    assert found.problem == (
        "x [1]: runs in bf16 are 0.04 from those in float32, which are at most 0.03 from each other"
    )


def test_runs_too_short_to_tell_do_not_pass_whatever_bf16_does() -> None:
    shifts = (0.0, 0.1, 0.3)
    (found,) = compare(runs(*shifts), runs(*(shift + 1e-6 for shift in shifts)))
    assert found.is_undecided
    assert found.distance <= found.spread
    assert found.spread > COARSEST * found.standard_deviation
    assert found.problem.endswith("of its standard deviation, more than 0.1: too short to tell")


def test_a_run_that_blows_up_does_not_pass() -> None:
    blown_up = [*runs(0.0, 0.01), {"x [1]": np.array([np.nan])}]
    (found,) = compare(runs(0.0, 0.01, 0.03), blown_up)
    assert found.problem == "x [1]: a run in bf16 does not stay finite"


def test_what_never_varies_must_not_vary_in_bf16() -> None:
    """As the share of columns that are lost."""
    full, reduced = runs(0.0, 0.01, 0.03), runs(0.01, 0.02, 0.03)
    for climate in (*full, *reduced):
        climate["lost [1]"] = np.zeros(4)
    _, lost = compare(full, reduced)
    assert lost.problem == ""
    reduced[2]["lost [1]"] = np.array([0.0, 0.0, 0.0, 0.1])
    _, lost = compare(full, reduced)
    assert "at most 0 from each other" in lost.problem
    assert not lost.is_undecided


def test_a_host_that_uses_no_seed_shows_nothing() -> None:
    with pytest.raises(PrecisionError, match="expected those of different seeds to differ"):
        compare(runs(0.0, 0.0, 0.0), runs(0.01, 0.01, 0.01))


def test_a_host_that_does_not_compute_in_bf16_shows_nothing() -> None:
    with pytest.raises(
        PrecisionError, match="in bf16 to differ from those in float32, got the same"
    ):
        compare(runs(0.0, 0.01, 0.03), runs(0.0, 0.01, 0.03))


def test_shapes_do_not_matter() -> None:
    flat = runs(0.0, 0.01, 0.03)
    shaped = [{"x [1]": climate["x [1]"].reshape(3, 67)} for climate in flat]
    assert compare(shaped, flat) == compare(flat, shaped)


def test_a_closure_that_its_host_does_not_survive_is_no_measure() -> None:
    blown_up = [*runs(0.0, 0.01), {"x [1]": np.array([np.inf])}]
    with pytest.raises(PrecisionError, match=r"x \[1\]: expected finite values of every run in"):
        compare(blown_up, runs(0.0, 0.01, 0.03))


@pytest.mark.parametrize(("full", "reduced"), [((0.0, 1.0), (0.0, 1.0)), ((0, 1, 2), (0, 1))])
def test_too_few_runs_are_refused(full: tuple[float, ...], reduced: tuple[float, ...]) -> None:
    with pytest.raises(PrecisionError, match=r"runs: expected as many .* at least 3, got"):
        compare(runs(*full), runs(*reduced))


def test_other_variables_are_refused() -> None:
    other = [*runs(0.0, 0.01), {"y [1]": SPREAD}]
    with pytest.raises(PrecisionError, match=r"the same variables of each, x \[1\], got y \[1\]"):
        compare(runs(0.0, 0.01, 0.03), other)
    with pytest.raises(PrecisionError, match=r"at least one, got none"):
        compare([{}] * 3, [{}] * 3)
