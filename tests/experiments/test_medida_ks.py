"""Discovery of the model errors of the Kuramoto-Sivashinsky study, without noise."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from closures.model_error import BlackBoxColumns, Samples, discover
from hybrid.experiments.medida_ks.__main__ import app
from hybrid.experiments.medida_ks.cases import (
    CASES,
    NATURE,
    Coefficients,
    ImperfectModel,
    missing_terms,
    percent_error,
)
from hybrid.experiments.medida_ks.noise_free import candidate_terms, scores
from hybrid.experiments.medida_ks.truth import Truth
from solvers import KuramotoSivashinsky, SteadyForcing

Array = NDArray[np.float64]

SMALL = Truth(nx=128, length=50.0)


@pytest.fixture(scope="module")
def samples() -> Samples:
    """A hundred samples of a small domain."""
    return SMALL.samples()


def test_there_is_every_case_of_the_study() -> None:
    assert len(CASES) == 21
    percents = {name: percent_error(model) for name, model in CASES.items()}
    assert percents["no_advection"] == pytest.approx(57.74, abs=0.005)
    assert percents["half_hyperdiffusion"] == pytest.approx(28.87, abs=0.005)
    assert percents["dispersion_no_advection"] == pytest.approx(64.55, abs=0.005)
    assert percents["doubled"] == pytest.approx(100.0)


def test_the_error_of_a_correction() -> None:
    model = Coefficients(advection=0.25, dispersion=0.1)
    assert missing_terms(model) == {"u u_x": -0.75, "u_xxx": 0.1}
    assert missing_terms(NATURE) == {}
    assert percent_error(model, missing_terms(model)) == 0.0
    spurious = {**missing_terms(model), "u^2": 0.3}
    assert percent_error(model, spurious) == pytest.approx(100.0 * 0.3 / 3.0**0.5)
    assert percent_error(NATURE, {"u u_x": 0.3}) == pytest.approx(100.0 * 0.3 / 3.0**0.5)


def test_samples_are_consecutive_states_of_nature(samples: Samples) -> None:
    assert len(samples) == 100
    before, start = samples.history
    nature = KuramotoSivashinsky(nx=128, length=50.0, dt=1e-3)
    for first, second in ((before, start), (start, samples.end)):
        run = nature.run(steps=5, save_every=5, initial=first)
        np.testing.assert_allclose(run.u[-1], second, rtol=0.0, atol=1e-11)
    # Samples of one trajectory, every tenth, are not each other's copies.
    apart = [np.corrcoef(start[i], start[i + 10])[0, 1] for i in range(90)]
    assert abs(np.mean(apart)) < 0.4
    assert np.max(apart) < 0.95


def test_the_seed_makes_the_samples(samples: Samples) -> None:
    few = Truth(nx=128, length=50.0, n_sample=10)
    np.testing.assert_array_equal(few.samples().end, few.samples().end)
    assert np.abs(few.samples(1).end - few.samples().end).max() > 0.1


@pytest.mark.parametrize(("form", "bar"), [("operator", 1e-3), ("black_box", 0.05)])
def test_every_model_error_is_found(samples: Samples, form: str, bar: float) -> None:
    for score in scores(SMALL, samples, form):
        assert score.right, (score.case, str(score.error))
        assert score.after <= bar, score.case
        # The evidence alone, without the L-curve, says the same.
        path = score.error.path
        assert path.choose("evidence").support == path.choose("l_curve").support, score.case


def test_the_published_library_is_hundreds_of_times_further_off(samples: Samples) -> None:
    consistent = {score.case: score.after for score in scores(SMALL, samples)}
    published = {score.case: score.after for score in scores(SMALL, samples, "at_the_end")}
    ratios = [published[case] / consistent[case] for case in CASES]
    assert np.median(ratios) > 1000.0


def test_the_cubic_advection_is_that_of_its_equation(samples: Samples) -> None:
    """Against a step that takes the term from the library."""
    library = candidate_terms(SMALL)
    cubic = library.evaluate(samples.start)[library.names.index("u^2 u_x")]
    found = ImperfectModel(Coefficients(cubic_advection=0.4), 128, 50.0)
    plain = ImperfectModel(NATURE, 128, 50.0)
    # Without a history of its own: both states are the same.
    difference = found.step(samples.start, samples.start) - plain.step(samples.start, samples.start)
    expected = plain.implicit(-0.4 * cubic) * plain.dt
    # Aliased products differ between the flux form of the model and the terms of the library.
    np.testing.assert_allclose(difference, expected, rtol=0.0, atol=2e-7)


def test_any_solver_can_be_the_model(samples: Samples) -> None:
    """An exponential Runge-Kutta scheme with a single state before the step."""
    single = Samples.of([samples.start], samples.end, samples.dt)

    def lacks(model: KuramotoSivashinsky) -> dict[str, float]:
        def step(u: Array, forcing: Array | None = None) -> Array:
            source = None if forcing is None else SteadyForcing(forcing)
            return model.one_step(u, tendency=source)

        return discover(step, single, candidate_terms(SMALL), BlackBoxColumns(step)).named

    same: dict[str, Any] = {"nx": 128, "length": 50.0, "dt": single.dt}
    assert lacks(KuramotoSivashinsky(**same, antidiffusion=0.0)) == pytest.approx(
        {"u_xx": -1.0}, rel=5e-4
    )
    assert lacks(KuramotoSivashinsky(**same, advection=0.5)) == pytest.approx(
        {"u u_x": -0.5}, rel=5e-4
    )


def test_the_command_prints_the_table() -> None:
    found = CliRunner().invoke(
        app, ["--nx", "64", "--length", "22", "--samples", "10"], env={"COLUMNS": "160"}
    )
    assert found.exit_code == 0, found.output
    assert "no_antidiffusion" in found.output
    assert "57.74" in found.output


@pytest.mark.slow
@pytest.mark.parametrize(("form", "bar"), [("operator", 1e-3), ("black_box", 0.05)])
def test_every_model_error_is_found_at_the_size_of_the_study(form: str, bar: float) -> None:
    truth = Truth()
    drawn = truth.samples()
    for score in scores(truth, drawn, form):
        assert score.right, (score.case, str(score.error))
        assert score.after <= bar, score.case
