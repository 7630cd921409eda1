"""Equations of both layers of the jet as one archive: it puts a wrong model right, step by step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from typer.testing import CliRunner

import hybrid
from closures import ClosureSpec, Field, Grid
from closures.model_error import (
    Derivative,
    InEquation,
    SpectralTerms,
    TermsError,
    Variable,
    jacobian,
)
from closures.model_error.equation_file import from_text, to_text
from hybrid.cli import app
from hybrid.coupling import At
from hybrid.equations import read_equations
from hybrid.experiments.medida_qg.cases import candidate_terms, imperfect, missing_terms
from hybrid.experiments.medida_qg.corrected import closure_of, compiled, envelope, forecast
from solvers import TendencyError
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

NATURE = RelaxedJetQG(nx=16, ny=32, dt=0.05, viscosity=1e-3)
CASE = "1005"


@pytest.fixture(scope="module")
def states() -> Array:
    return NATURE.random_state(2, np.random.default_rng(0))


@pytest.fixture(scope="module")
def closure(states: Array) -> SpectralTerms:
    """Exactly what model 1005 lacks: nine terms, five in the upper layer."""
    missing = missing_terms(NATURE, imperfect(NATURE, CASE))
    names = [term.name for term in candidate_terms() if term.name in missing]
    found = xr.Dataset(
        {
            "coefficient": (("case", "term"), [[missing[name] for name in names]]),
            "covariance": (("case", "term", "other_term"), [np.diag(np.arange(1.0, 10.0)) * 1e-8]),
        },
        {"case": [CASE], "term": names, "other_term": names},
    )
    return closure_of(NATURE, CASE, found, envelope(NATURE, states))


@pytest.fixture(scope="module")
def archive(closure: SpectralTerms, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jet") / "jet.pt"
    compiled(closure, path)
    return path


def test_each_layer_has_its_equation(closure: SpectralTerms) -> None:
    assert [equation.output for equation in closure.equations] == ["q1_tendency", "q2_tendency"]
    assert [len(equation.terms) for equation in closure.equations] == [4, 5]
    upper, lower = closure.equations
    assert str(upper.terms[0]) == "J(psi1, q1)"
    assert upper.coefficients[0] == -1.0
    assert lower.standard_errors[0] == pytest.approx(np.sqrt(5e-8))
    with pytest.raises(TermsError, match="jet_1005: expected one equation, got 2; see equations"):
        closure.equation  # noqa: B018 -- what is tested


def test_the_corrected_model_steps_as_nature(
    closure: SpectralTerms, states: Array, tmp_path: Path
) -> None:
    wrong = imperfect(NATURE, CASE)
    coupled = compiled(closure, tmp_path / "jet.pt")
    true, corrected, uncorrected = (
        forecast(model, correction, states, time=1.0, every=0.5)
        for model, correction in ((NATURE, None), (wrong, coupled), (wrong, None))
    )
    assert true is not None
    assert corrected is not None
    assert uncorrected is not None
    np.testing.assert_allclose(corrected, true, atol=1e-11)
    assert np.abs(uncorrected - true).max() > 1e-2


def test_a_layer_without_an_equation_is_left_alone(states: Array, tmp_path: Path) -> None:
    drag = InEquation(Variable("psi2"), 1, "q2")
    on_grid = (("y", "x"), NATURE.grid.shape, "float64")
    spec = ClosureSpec(
        "drag",
        "1.0",
        (Field("psi2", "1", *on_grid, valid_min=-50.0, valid_max=50.0),),  # type: ignore[arg-type]
        (Field("q2_tendency", "1", *on_grid),),  # type: ignore[arg-type]
        locality="grid",
        grid=Grid((NATURE.grid.dy, NATURE.grid.dx), ("periodic", "periodic")),
    )
    coupled = compiled(SpectralTerms.of_terms((drag,), (0.3,), spec), tmp_path / "drag.pt")
    change = NATURE.one_step(states, tendency=coupled) - NATURE.one_step(states)
    psi = np.fft.irfft2(NATURE.invert(np.fft.rfft2(states)), s=NATURE.grid.shape)
    assert np.abs(change[:, 0]).max() == 0.0
    # Shorter waves are damped within the step.
    spectra = [np.fft.rfft2(field)[:, :4, :4] for field in (change[:, 1], psi[:, 1])]
    np.testing.assert_allclose(spectra[0], 0.3 * NATURE.dt * spectra[1], rtol=1e-3, atol=1e-8)


def test_fields_of_a_closure_are_those_of_the_model(states: Array) -> None:
    seen = {}

    def look(fields: dict[str, Array], _step: int) -> Array:
        seen.update({name: field.copy() for name, field in fields.items()})
        return np.zeros_like(fields["q"])

    NATURE.one_step(states[0], tendency=look)  # type: ignore[arg-type]
    assert list(seen) == ["q", "u", "v", "psi", "psi_r"]
    grid = NATURE.grid
    for layer in (0, 1):
        spectrum = np.fft.rfft2(seen["psi"][layer])
        v = np.fft.irfft2(1j * grid.k * spectrum, s=grid.shape)
        np.testing.assert_allclose(seen["v"][layer], v, atol=1e-12)
    slope = np.fft.ifft(1j * grid.l * np.fft.fft(seen["psi_r"][:, 0])).real
    np.testing.assert_allclose(-slope, NATURE.jet - NATURE.jet.mean(), atol=1e-6)


def test_archives_hold_and_show_all_equations(archive: Path, closure: SpectralTerms) -> None:
    assert read_equations(archive) == closure.equations
    assert from_text(to_text(closure.equations)) == closure.equations

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments, str(archive)])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "q1_t = ... - (1.00000 +- 0.00010) J(psi1, q1)" in call("inspect")
    latex = call("emit", "latex")
    assert latex.count(r"\begin{equation}") == 2
    assert r"\psi_R" in latex


def test_a_module_is_emitted_for_each_equation(archive: Path, tmp_path: Path) -> None:
    arguments = ["emit", "fortran", str(archive), "--out", str(tmp_path / "code")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "code").iterdir()}
    assert names == {"jet_1005_q1_tendency.f90", "jet_1005_q2_tendency.f90"}


def test_what_does_not_fit_is_refused(closure: SpectralTerms, archive: Path) -> None:
    upper, lower = closure.equations
    with pytest.raises(TermsError, match="expected an equation of q1_tendency, q2_tendency on"):
        SpectralTerms((lower, upper), closure.spec)
    with pytest.raises(TermsError, match="expected all equations dealiased or none, got some"):
        SpectralTerms((replace(upper, dealias=False), lower), closure.spec)
    bare = (jacobian(Variable("psi1"), Variable("q1")), Derivative(Variable("psi2"), "x"))
    with pytest.raises(TermsError, match=r"J\(psi1, q1\): expected a term of one of q1_tendency"):
        SpectralTerms.of_terms(bare, (1.0, 1.0), closure.spec)
    for place, message in (
        (At("psi", "level", 0), r"psi at level 0: expected a dim of psi, \(layer, y, x\), got lev"),
        (At("psi", "layer", 2), "psi at layer 2: expected an index below 2, from 0"),
        (At("phi", "layer", 0), "psi1: expected one of q, u, v, psi, psi_r in the solver, got phi"),
    ):
        with pytest.raises(TendencyError, match=message):
            NATURE.start(seed=0, tendency=hybrid.couple(archive, names={"psi1": place}))
