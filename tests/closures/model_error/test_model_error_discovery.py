"""Discovery with models of the test: explicit steps as black boxes, a plane, gaps, bad steps."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error import (
    AtTheEnd,
    BlackBoxColumns,
    Derivative,
    Expression,
    ImplicitColumns,
    Library,
    LibraryError,
    ModelError,
    NothingFoundError,
    PeriodicGrid,
    Samples,
    SamplesError,
    Sum,
    Variable,
    analysis_increments,
    discover,
    gather,
    jacobian,
    laplacian,
    mean_over_step,
    monomials,
)

Array = NDArray[np.float64]

LINE = PeriodicGrid("x", (64,), (2.0 * np.pi,))
PLANE = PeriodicGrid("yx", (32, 32), (2.0 * np.pi, 2.0 * np.pi))
BURGERS = Library(monomials(Variable("u"), n_power=3, n_order=4), LINE, lambda u: {"u": u})
DT = 0.01


def runge_kutta(tendency: Callable[[Array], Array], u: Array, dt: float) -> Array:
    a = tendency(u)
    b = tendency(u + 0.5 * dt * a)
    c = tendency(u + 0.5 * dt * b)
    return u + dt / 6.0 * (a + 2.0 * b + 2.0 * c + tendency(u + dt * c))


def explicit(tendency: Callable[[Array], Array]) -> Callable[..., Array]:
    def step(u: Array, forcing: Array | None = None) -> Array:
        steady = 0.0 if forcing is None else forcing
        return runge_kutta(lambda v: tendency(v) + steady, u, DT)

    return step


def burgers(advection: float, viscosity: float) -> Callable[[Array], Array]:
    def tendency(u: Array) -> Array:
        d = LINE.derivative
        return np.asarray(-advection * u * d(u, "x") + viscosity * d(u, "xx"))

    return tendency


def smooth(n_sample: int, grid: PeriodicGrid = LINE, seed: int = 0) -> Array:
    """Random states of a few long waves, without mean."""
    noise = np.random.default_rng(seed).standard_normal((n_sample, *grid.shape))
    axes = tuple(range(1, noise.ndim))
    spectrum = np.fft.fftn(noise, axes=axes)
    for axis, n in zip(axes, grid.shape, strict=True):
        k = np.fft.fftfreq(n, 1.0 / n)
        shape = [-1 if i == axis else 1 for i in range(noise.ndim)]
        spectrum *= (np.exp(-0.2 * k**2) * (np.abs(k) < 8)).reshape(shape)
    u = np.fft.ifftn(spectrum, axes=axes).real
    u -= u.mean(axis=axes, keepdims=True)
    return np.asarray(u / u.std())


def after(tendency: Callable[[Array], Array], u: Array) -> Array:
    for _ in range(8):
        u = runge_kutta(tendency, u, DT / 8)
    return u


@pytest.fixture(scope="module")
def viscous() -> Samples:
    """Samples of Burgers' equation."""
    u = smooth(30)
    return Samples.of([u], after(burgers(1.0, 0.1), u), DT)


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        (burgers(1.0, 0.0), {"u_xx": 0.1}),
        (burgers(0.5, 0.1), {"u u_x": -0.5}),
        (burgers(0.0, 0.05), {"u u_x": -1.0, "u_xx": 0.05}),
    ],
)
def test_what_an_explicit_model_lacks(
    viscous: Samples, model: Callable[[Array], Array], missing: dict[str, float]
) -> None:
    step = explicit(model)
    error = discover(step, viscous, BURGERS, BlackBoxColumns(step))
    assert set(error.named) == set(missing)
    for name, value in missing.items():
        assert error.named[name] == pytest.approx(value, rel=1e-3)
    # A library at one time, that does not go through the step, is further off.
    plain = discover(step, viscous, BURGERS, AtTheEnd()).named

    def worst(found: Mapping[str, float]) -> float:
        return max(abs(found.get(name, 0.0) / value - 1.0) for name, value in missing.items())

    assert worst(plain) > 2.5 * worst(error.named)


def vorticity(beta: float, drag: float, advection: float = 1.0) -> Callable[[Array], Array]:
    k = np.fft.fftfreq(32, 1.0 / 32)
    square = k[:, None] ** 2 + k[None, :] ** 2
    square[0, 0] = np.inf

    def tendency(q: Array) -> Array:
        psi = -np.fft.ifftn(np.fft.fftn(q, axes=(-2, -1)) / square, axes=(-2, -1)).real
        d = PLANE.derivative
        flow = d(psi, "x") * d(q, "y") - d(psi, "y") * d(q, "x")
        return np.asarray(-advection * flow - beta * d(psi, "x") - drag * q)

    return tendency


def test_what_a_model_of_a_plane_lacks() -> None:
    """States of two layers, of which only the second has the wrong equation."""

    def fields(state: Array) -> Mapping[str, Array]:
        square = np.fft.fftfreq(32, 1.0 / 32)[:, None] ** 2 + np.fft.fftfreq(32, 1.0 / 32) ** 2
        square[0, 0] = np.inf
        psi = -np.fft.ifftn(np.fft.fftn(state[:, 1], axes=(-2, -1)) / square, axes=(-2, -1)).real
        return {"psi": psi, "q": state[:, 1]}

    psi, q = Variable("psi"), Variable("q")
    terms: tuple[Expression, ...] = (
        Derivative(psi, "x"), Derivative(psi, "y"), psi, q, laplacian(q), jacobian(psi, q),
        Derivative(q, "x"),
    )  # fmt: skip
    library = Library(terms, PLANE, fields, equation=1, dealias=True)

    def both(lower: Callable[[Array], Array]) -> Callable[[Array], Array]:
        upper = vorticity(0.0, 0.1)
        return lambda s: np.stack([upper(s[:, 0]), lower(s[:, 1])], axis=1)

    start = np.stack([smooth(12, PLANE, 1), smooth(12, PLANE, 2)], axis=1)
    samples = Samples.of([start], after(both(vorticity(2.0, 0.3)), start), DT)
    step = explicit(both(vorticity(0.0, 0.1)))
    found = discover(step, samples, library, BlackBoxColumns(step)).named
    assert found == pytest.approx({"psi_x": -2.0, "q": -0.2}, rel=1e-3)
    halved = explicit(both(vorticity(2.0, 0.3, advection=0.5)))
    found = discover(halved, samples, library, BlackBoxColumns(halved)).named
    assert found == pytest.approx({"J(psi, q)": -0.5}, rel=1e-3)
    # One term is another's, up to a sign: the vorticity is the Laplacian of the stream function.
    redundant = Library((*terms, laplacian(psi)), PLANE, fields, equation=1)
    with pytest.raises(LibraryError, match=r"got q and lap\(psi\), which are proportional"):
        discover(step, samples, redundant, BlackBoxColumns(step))


def test_columns_of_a_linear_implicit_step_are_those_of_the_black_box(viscous: Samples) -> None:
    """With one linear operator, both forms are the same numbers."""
    k = np.fft.rfftfreq(64, 1.0 / 64)
    inverse = 1.0 / (1.0 + 0.5 * DT * 0.1 * k**2)

    def operator(columns: Array) -> Array:
        return np.fft.irfft(np.fft.rfft(columns) * inverse, n=64)

    def step(u: Array, forcing: Array | None = None) -> Array:
        explicit_part = u + 0.5 * DT * 0.1 * LINE.derivative(u, "xx")
        return operator(explicit_part if forcing is None else explicit_part + DT * forcing)

    implicit = ImplicitColumns(operator)(BURGERS, viscous)
    black_box = BlackBoxColumns(step)(BURGERS, viscous)
    scale = np.sqrt(np.mean(implicit**2, axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(black_box / scale, implicit / scale, rtol=0.0, atol=1e-9)
    mean = 0.5 * (BURGERS.evaluate(viscous.start) + BURGERS.evaluate(viscous.end))
    np.testing.assert_allclose(mean_over_step(BURGERS, viscous), mean, rtol=1e-14)


def test_batches_do_not_change_what_is_found(
    viscous: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = explicit(burgers(0.5, 0.0))
    whole = discover(step, viscous, BURGERS, BlackBoxColumns(step)).named
    monkeypatch.setattr("closures.model_error.discovery._BATCH", 1)
    assert discover(step, viscous, BURGERS, BlackBoxColumns(step)).named == pytest.approx(
        whole, rel=1e-6
    )


def test_gaps_are_left_out_and_counted(viscous: Samples) -> None:
    seen, end = viscous.end.copy(), viscous.end.copy()
    seen[3, 10:20] = np.nan
    end[[5, 6], 7] = np.nan
    samples = Samples.of([viscous.start], end, DT, observed=seen)
    step = explicit(burgers(1.0, 0.0))
    error = discover(step, samples, BURGERS, BlackBoxColumns(step))
    assert (error.n_dropped, error.n_masked, error.n_row) == (2, 10, 28 * 64 - 10)
    assert error.named == pytest.approx({"u_xx": 0.1}, rel=1e-3)
    assert "10 masked, 2 samples dropped" in str(error)
    only_gaps = Samples.of([viscous.start], viscous.end, DT, np.full_like(end, np.nan))
    with pytest.raises(LibraryError, match="got 0 and 1920 without a target"):
        discover(step, only_gaps, BURGERS, BlackBoxColumns(step))


def test_what_is_found_reads_as_an_equation(viscous: Samples) -> None:
    step = explicit(burgers(1.0, 0.0))
    error: ModelError = discover(step, viscous, BURGERS, BlackBoxColumns(step))
    first, second = str(error).splitlines()
    assert first.startswith("+0.1")
    assert first.endswith("u_xx")
    assert f"{30 * 64} rows worth" in second
    assert error.increment == pytest.approx(float(np.sqrt(np.mean(np.square(
        analysis_increments(step, viscous)
    )))), rel=1e-10)  # fmt: skip


def test_a_model_without_error_has_none(viscous: Samples) -> None:
    step = explicit(burgers(1.0, 0.1))
    exact = Samples.of([viscous.start], step(viscous.start), DT)
    with pytest.raises(LibraryError, match="the model has no error in these samples"):
        discover(step, exact, BURGERS, BlackBoxColumns(step))
    noise = 1e-3 * np.random.default_rng(5).standard_normal(exact.end.shape)
    noisy = Samples.of([viscous.start], exact.end, DT, exact.end + noise)
    with pytest.raises(NothingFoundError, match="use more or less noisy samples, or other terms"):
        discover(step, noisy, BURGERS, BlackBoxColumns(step))


def test_fewer_samples_than_terms() -> None:
    grid = PeriodicGrid("x", (4,), (1.0,))
    few = Samples.of([np.ones((2, 4))], np.full((2, 4), 2.0), DT)
    library = Library(monomials(Variable("u")), grid, lambda u: {"u": u})
    with pytest.raises(LibraryError, match="more rows than the 24 terms, got 8; use more samples"):
        discover(lambda u: u, few, library, AtTheEnd())


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda u: u[:, :-1], r"to return states of shape \(30, 64\).*got \(30, 63\)"),
        (lambda u: u[0], r"to return states of shape \(30, 64\).*got \(64,\)"),
        (lambda u: u.mean(), r"to return states of shape \(30, 64\).*got \(\)"),
        (lambda u: u + 1j, "step: expected real numbers, got complex128"),
        (lambda u: u / (u != u[3]), "finite states, got others in 1 of 30 samples; the step is"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_steps_that_return_something_else(viscous: Samples, step: Any, message: str) -> None:
    with pytest.raises(SamplesError, match=message):
        gather(step, viscous, BURGERS, AtTheEnd())


def test_operators_and_forced_steps_that_return_something_else(viscous: Samples) -> None:
    with pytest.raises(LibraryError, match=r"operator: expected it to keep the shape \(11, 30, 64"):
        ImplicitColumns(lambda columns: columns[..., :3])(BURGERS, viscous)

    def unforced(u: Array, forcing: Array | None = None) -> Array:
        return u if forcing is None else u[0]

    with pytest.raises(SamplesError, match="step: expected it to return states of shape"):
        BlackBoxColumns(unforced)(BURGERS, viscous)


def test_a_black_box_that_ignores_its_forcing_is_noticed(viscous: Samples) -> None:
    step = explicit(burgers(1.0, 0.0))

    def deaf(u: Array, forcing: Array | None = None) -> Array:
        return step(u, 0.0 * forcing if forcing is not None else None)

    with pytest.raises(LibraryError, match="columns not 0 everywhere, got u_x, "):
        discover(step, viscous, BURGERS, BlackBoxColumns(deaf))


def test_samples_that_do_not_fit_are_refused() -> None:
    u = np.ones((4, 8))
    with pytest.raises(SamplesError, match=r"one shape \(n_sample, ...\), got \(4, 8\), \(4, 7\)"):
        Samples.of([u], u[:, :7], DT)
    with pytest.raises(SamplesError, match=r"got \(8,\), \(8,\), \(8,\)"):
        Samples.of([u[0]], u[0], DT)
    with pytest.raises(SamplesError, match="expected a positive time step, got 0"):
        Samples.of([u], u, 0.0)
    with pytest.raises(SamplesError, match="got none in 4 samples; fill the gaps"):
        Samples.of([np.full((4, 8), np.nan)], u, DT)
    with pytest.raises(SamplesError, match="at least one, with a state before the step"):
        Samples.of([], u, DT)
    with pytest.raises(SamplesError, match=r"drop samples with gaps by Samples\.of"):
        Samples((np.full((4, 8), np.nan),), u, DT, u)


def test_a_sum_of_terms_has_the_sum_of_their_columns(viscous: Samples) -> None:
    u = Variable("u")
    parts = (Derivative(u, "xx"), u * Derivative(u, "x"))
    libraries = [
        Library(terms, LINE, lambda v: {"u": v}) for terms in (parts, (Sum(parts, (0.5, -2.0)),))
    ]
    single, summed = (mean_over_step(library, viscous) for library in libraries)
    np.testing.assert_allclose(summed[0], 0.5 * single[0] - 2.0 * single[1], atol=1e-12)
