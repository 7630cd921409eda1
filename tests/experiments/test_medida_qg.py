"""The experiment ``medida-qg``: its cases, its two ways of discovery, and a run of preset test."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error import InEquation, LibraryError, PeriodicGrid, SystemLibrary, Variable
from hybrid.experiments import EXPERIMENTS, run_experiment
from hybrid.experiments.medida_qg import everywhere, sensors
from hybrid.experiments.medida_qg.cases import (
    CASES,
    candidate_terms,
    coefficients,
    imperfect,
    missing_terms,
    percent_error,
    worst_term,
)
from hybrid.experiments.medida_qg.flow import Flow, library
from hybrid.experiments.medida_qg.scores import spectrum_along_channel
from hybrid.experiments.medida_qg.sensors import Observations
from hybrid.experiments.medida_qg.settings import INTERPOLATORS, PRESETS
from hybrid.experiments.result import ExperimentResult
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

TRUTH = PRESETS["test"].truth
NATURE = TRUTH.nature


@pytest.fixture(scope="module")
def states() -> Array:
    return TRUTH.states(0, lambda _fraction: None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Path]:
    out = tmp_path_factory.mktemp("medida_qg")
    return run_experiment("medida-qg", "test", out), out


def test_nine_models_lack_the_published_terms() -> None:
    assert list(CASES) == [str(number) for number in range(1001, 1010)]
    missing = missing_terms(NATURE, imperfect(NATURE, "1006"))
    assert missing == pytest.approx({"q2: lap(psi2)": 0.3})
    missing = missing_terms(NATURE, imperfect(NATURE, "1008"))
    assert missing == pytest.approx({"q1: psi_r": -0.01, "q2: psi_r": 0.01})
    assert len(missing_terms(NATURE, imperfect(NATURE, "1005"))) == 9
    names = {term.name for term in candidate_terms()}
    assert len(names) == 20
    for case in CASES:
        assert set(missing_terms(NATURE, imperfect(NATURE, case))) <= names


def test_errors_of_coefficients_are_zero_for_the_truth() -> None:
    model = imperfect(NATURE, "1009")
    missing = missing_terms(NATURE, model)
    norm = np.linalg.norm(list(coefficients(NATURE).values()))
    assert percent_error(NATURE, model) == pytest.approx(100 * 0.196 * 2**0.5 / norm)
    assert percent_error(NATURE, model, missing) == pytest.approx(0.0, abs=1e-12)
    half = {name: 0.5 * value for name, value in missing.items()}
    assert worst_term(missing, half) == pytest.approx(50.0)


def test_the_candidate_terms_make_up_the_difference_of_tendencies(states: Array) -> None:
    terms = library(NATURE)
    values = dict(zip(terms.names, terms.evaluate(states[0]), strict=True))
    for case in ("1004", "1005"):
        model = imperfect(NATURE, case)
        expected = NATURE.tendency(states[0]) - model.tendency(states[0])
        made = sum(c * values[name] for name, c in missing_terms(NATURE, model).items())
        # A product has Nyquist waves, which the model drops.
        np.testing.assert_allclose(Flow(NATURE).resolved(made), expected, atol=1e-10)


def test_streamfunction_and_potential_vorticity_are_each_others_inverse(states: Array) -> None:
    flow = Flow(NATURE)
    psi = flow.psi(states[0])
    np.testing.assert_allclose(flow.psi(flow.q(psi)), psi, atol=1e-12)
    np.testing.assert_allclose(flow.resolved(psi + 3.0), psi, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_every_model_error_is_found_from_every_point(states: Array, case: str) -> None:
    missing = missing_terms(NATURE, imperfect(NATURE, case))
    found = everywhere.find(NATURE, case, states).named
    assert set(found) == set(missing)
    assert worst_term(missing, found) < 1.0


@pytest.mark.parametrize("case", ["1006", "1009"])
def test_model_error_is_found_at_noisy_sensors_of_a_known_state(states: Array, case: str) -> None:
    psi = Flow(NATURE).psi(states)
    observations = Observations.of(psi, share=0.25, noise=1e-4, seed=0)
    missing = missing_terms(NATURE, imperfect(NATURE, case))
    found = sensors.find(NATURE, case, observations, psi[1])
    assert set(found.named) == set(missing)
    assert worst_term(missing, found.named) < 10.0
    n_sensor = observations.values[0].size
    assert (found.n_row, found.n_masked) == (n_sensor, psi[0].size - n_sensor)


def test_sensors_see_the_truth_with_noise_of_the_stated_size(states: Array) -> None:
    psi = Flow(NATURE).psi(states)
    exact, noisy = (Observations.of(psi, 0.25, noise, seed=1) for noise in (0.0, 0.01))
    np.testing.assert_array_equal(exact.chosen, noisy.chosen)
    i, layer = 1, 0
    np.testing.assert_array_equal(
        exact.values[2, i, layer], psi[2, i, layer].ravel()[exact.chosen[i]]
    )
    error = (noisy.values - exact.values)[:, :, 1].std() / psi[:, :, 1].std()
    assert error == pytest.approx(0.01, rel=0.1)
    assert not np.array_equal(exact.chosen[0], exact.chosen[1])


def test_a_step_is_a_leap_over_the_present_state(states: Array) -> None:
    two = NATURE.run(steps=2, save_every=1, initial=states[0]).q.transpose("time", "member", ...)
    first = NATURE.one_step(states[0])
    np.testing.assert_allclose(first, two[1], atol=1e-12)
    # The filter has changed the state before by the time of a third step, not of the second.
    np.testing.assert_allclose(NATURE.one_step(two[1], states[0]), two[2], atol=1e-12)
    with pytest.raises(ValueError, match="initial: expected shape"):
        NATURE.one_step(states[0, 0, 0])


def test_a_spectrum_has_the_variance_of_its_wave() -> None:
    x = 2.0 * np.pi * np.arange(16) / 16
    psi = np.broadcast_to(3.0 * np.cos(2 * x), (2, 2, 4, 16))
    np.testing.assert_allclose(spectrum_along_channel(psi)[0, :3], [0.0, 4.5, 0.0], atol=1e-12)


def test_a_system_wants_to_know_the_equation_of_each_term() -> None:
    u, grid = Variable("u"), PeriodicGrid("x", (8,), (1.0,))
    with pytest.raises(LibraryError, match=r"u: expected a term in one of 2 equations; wrap it"):
        SystemLibrary((u,), grid, lambda states: {"u": states[:, 0]})
    wrong = InEquation(u, 2, "w")
    with pytest.raises(LibraryError, match="w: u: expected a term in one of 2"):
        SystemLibrary((wrong,), grid, lambda states: {"u": states[:, 0]})
    system = SystemLibrary((InEquation(u, 1, "v"),), grid, lambda states: {"u": states[:, 0]})
    values = system.evaluate(np.ones((3, 2, 8)))
    assert values.shape == (1, 3, 2, 8)
    assert values[0, :, 0].max() == 0.0
    assert values[0, :, 1].min() == 1.0


def test_results_are_flat_and_the_report_shows_the_spectra(
    run: tuple[ExperimentResult, Path],
) -> None:
    result, out = run
    metrics = json.loads((out / "results.json").read_text())
    for case in CASES:
        assert metrics[f"terms_ok_{case}"] == 1.0
        assert metrics[f"eps_{case}"] < 0.2
        assert metrics[f"eps_{case}"] < 0.1 * metrics[f"eps_model_{case}"]
        assert metrics[f"terms_ok_{case}_sparse"] in (0.0, 1.0)
        assert metrics[f"eps_{case}_sparse"] >= 0.0
    assert metrics["psi_error_exact"] == pytest.approx(0.0, abs=1e-6)
    assert metrics["psi_error_rbf"] < metrics["psi_error_mlp"]
    assert metrics["choices"]["best_interpolator"] in INTERPOLATORS
    assert 0.05 < metrics["lyapunov_exponent"] < 0.5
    for case in CASES:
        assert metrics[f"forecast_{case}"] < 0.02
        assert metrics[f"forecast_{case}"] < metrics[f"forecast_fine_{case}"]
        assert (out / f"corrected_{case}.pt").is_file()
    assert metrics["climate_1002"] < metrics["climate_1002_uncorrected"]
    assert "spectral_bias" in {figure.name for figure in result.figures}
    assert (out / "report.html").is_file()
    assert list(EXPERIMENTS["medida-qg"].durations) == ["test", "quick", "full"]


@pytest.mark.slow
def test_terms_are_right_at_a_quarter_of_the_points() -> None:
    truth = PRESETS["full"].truth
    nature: RelaxedJetQG = truth.nature
    psi = Flow(nature).psi(truth.states(0, lambda _fraction: None))
    observations = Observations.of(psi, share=0.25, noise=0.001, seed=0)
    where = sensors.points(nature)
    settings = PRESETS["full"]
    rbf = settings.interpolator("rbf", seed=0)
    fits = [rbf.fit(sensors.at_sensors(nature, observations, i)) for i in range(psi.shape[1])]
    state = np.stack([fit(where).reshape(psi.shape[2:]) for fit in fits])
    good = 0
    for case in CASES:
        missing = missing_terms(nature, imperfect(nature, case))
        found = sensors.find(nature, case, observations, state).named
        good += set(found) == set(missing) and worst_term(missing, found) < 10.0
    assert good >= 8
