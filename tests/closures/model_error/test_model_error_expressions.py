"""Grids, expressions and libraries: derivatives, names, aliasing, what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closures.model_error import (
    Derivative,
    Library,
    LibraryError,
    PeriodicGrid,
    Power,
    Sum,
    Variable,
    jacobian,
    laplacian,
    monomials,
)

U, PSI, Q = Variable("u"), Variable("psi", r"\psi"), Variable("q")
PLANE = PeriodicGrid("yx", (24, 32), (3.0, 5.0))
LINE = PeriodicGrid("x", (32,), (7.0,))


@given(st.integers(0, 4), st.integers(1, 9), st.sampled_from([32, 33]))
def test_derivatives_of_waves(order: int, wave: int, n: int) -> None:
    grid = PeriodicGrid("x", (n,), (7.0,))
    k = 2.0 * np.pi * wave / 7.0
    phase = k * grid.coordinate("x")
    # Each derivation turns the phase by a quarter.
    expected = k**order * np.sin(phase + 0.5 * np.pi * order)
    found = grid.derivative(np.sin(phase), order * "x")
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-11 * k**order * n**order)


def test_the_shortest_wave_has_no_slope_but_a_curvature() -> None:
    shortest = np.cos(np.pi * np.arange(32))
    assert not LINE.derivative(shortest, "x").any()
    k = np.pi * 32 / 7.0
    np.testing.assert_allclose(LINE.derivative(shortest, "xx"), -(k**2) * shortest, rtol=1e-12)


def test_mixed_derivatives_of_a_plane_of_samples() -> None:
    x, y = PLANE.coordinate("x"), PLANE.coordinate("y")
    k, m = 2.0 * np.pi * 2 / 5.0, 2.0 * np.pi * 3 / 3.0
    field = np.stack([np.sin(k * x) * np.cos(m * y), np.cos(k * x + m * y)])
    expected = np.stack(
        [k**2 * m * np.sin(k * x) * np.sin(m * y), k**2 * m * np.sin(k * x + m * y)]
    )
    np.testing.assert_allclose(PLANE.derivative(field, "xxy"), expected, rtol=0.0, atol=1e-10)


def test_a_jacobian_is_its_definition_and_conserves() -> None:
    rng = np.random.default_rng(0)
    fields = {"psi": rng.standard_normal((2, 24, 32)), "q": rng.standard_normal((2, 24, 32))}
    found = jacobian(PSI, Q).evaluate(fields, PLANE)
    d = PLANE.derivative
    expected = d(fields["psi"], "x") * d(fields["q"], "y") - d(fields["psi"], "y") * d(
        fields["q"], "x"
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    own = jacobian(PSI, PSI).evaluate(fields, PLANE)
    np.testing.assert_allclose(own, 0.0, atol=1e-10)


def test_a_laplacian_is_the_sum_of_second_derivatives() -> None:
    field = np.random.default_rng(1).standard_normal((1, 24, 32))
    found = laplacian(PSI).evaluate({"psi": field}, PLANE)
    expected = PLANE.derivative(field, "xx") + PLANE.derivative(field, "yy")
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("expression", "name", "latex", "degree"),
    [
        (U * Derivative(U, "x"), "u u_x", r"u \, \partial_x u", 2),
        (U**2 * Derivative(U, "xxx"), "u^2 u_xxx", r"u^{2} \, \partial_x^3 u", 3),
        (Derivative(PSI, "xxy"), "psi_xxy", r"\partial_x^2 \partial_y \psi", 1),
        (Derivative(U**2, "x"), "u^2_x", r"\partial_x u^{2}", 2),
        (jacobian(PSI, Q), "J(psi, q)", r"J(\psi, q)", 2),
        (laplacian(PSI) * Q, "lap(psi) q", r"\nabla^2 \psi \, q", 2),
        ((U - Q) * U, "(u - q) u", r"(u - q) \, u", 2),
        (Sum((U, Q), (-0.5, 2.0)), "-0.5 u + 2 q", "-0.5 u + 2 q", 1),
        ((U + Q) ** 2, "(u + q)^2", "(u + q)^{2}", 2),
    ],
)
def test_names(expression: Sum, name: str, latex: str, degree: int) -> None:
    assert (str(expression), expression.latex, expression.degree) == (name, latex, degree)


def test_the_library_of_the_study_has_24_terms() -> None:
    names = [term.name for term in monomials(U)]
    assert len(set(names)) == 24
    assert {"u", "u^4", "u_x", "u_xxxx", "u u_x", "u^4 u_xxxx"} <= set(names)
    rng = np.random.default_rng(2)
    u = rng.standard_normal((3, 32))
    values = Library(monomials(U), LINE, lambda states: {"u": states}).evaluate(u)
    assert values.shape == (24, 3, 32)
    expected = u**3 * LINE.derivative(u, "xx")
    np.testing.assert_allclose(values[names.index("u^3 u_xx")], expected, rtol=1e-12)


@pytest.mark.parametrize("power", [2, 3, 4])
def test_dealiased_products_are_the_exact_ones_truncated(power: int) -> None:
    """The exact product is known on a grid that holds all its waves."""
    u = np.fft.irfft(np.random.default_rng(3).standard_normal(14), n=32) * 32
    fine = LINE.refined(8)
    exact = fine.interpolate(LINE.interpolate(u, fine.shape) ** power, (32,))
    library = Library((Power(U, power),), LINE, lambda states: {"u": states}, dealias=True)
    np.testing.assert_allclose(library.evaluate(u[None])[0, 0], exact, atol=1e-9 * np.ptp(exact))
    aliased = Library((Power(U, power),), LINE, lambda states: {"u": states})
    assert np.abs(aliased.evaluate(u[None])[0, 0] - exact).max() > 1e-3 * np.ptp(exact)


def test_interpolation_keeps_waves() -> None:
    wave = np.cos(2.0 * np.pi * 3 * np.arange(32) / 32)
    expected = np.cos(2.0 * np.pi * 3 * np.arange(48) / 48)
    np.testing.assert_allclose(LINE.interpolate(wave, (48,)), expected, atol=1e-13)
    assert LINE.refined(1.45).shape == (48,)


def test_what_several_terms_share_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    plain = PeriodicGrid.spectrum

    def counted(grid: PeriodicGrid, field: np.ndarray) -> np.ndarray:
        calls.append(field.shape)
        return plain(grid, field)

    monkeypatch.setattr(PeriodicGrid, "spectrum", counted)
    Library(monomials(U), LINE, lambda states: {"u": states}).evaluate(np.ones((2, 32)))
    assert calls == [(2, 32)]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(
        LibraryError, match=r"u: expected shape \(..., 32\) on axes 'x', got \(2, 3"
    ):
        U.evaluate({"u": np.ones((2, 31))}, LINE)
    with pytest.raises(LibraryError, match="psi: expected a field of this name, got u"):
        PSI.evaluate({"u": np.ones((2, 32))}, LINE)
    with pytest.raises(LibraryError, match="along 'y': expected an axis of the grid, 'x'"):
        Derivative(U, "xy").evaluate({"u": np.ones((2, 32))}, LINE)
    with pytest.raises(LibraryError, match="exponent of at least 1, got 0"):
        Power(U, 0)
    with pytest.raises(LibraryError, match="at least one term, got none"):
        Library((), LINE, lambda states: {"u": states})
    with pytest.raises(LibraryError, match="each term once, got u u_x twice"):
        Library((U * Derivative(U, "x"),) * 2, LINE, lambda states: {"u": states})
    with pytest.raises(LibraryError, match="a letter, a number of points and a length"):
        PeriodicGrid("xy", (4,), (1.0, 1.0))
    with pytest.raises(LibraryError, match="positive sizes and lengths"):
        PeriodicGrid("x", (4,), (0.0,))
