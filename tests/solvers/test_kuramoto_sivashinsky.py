from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from oracle import reference_kuramoto_sivashinsky as reference

from benchmarks import kuramoto_sivashinsky_step as benchmark
from solvers import SolverBlewUp, StabilityWarning, TendencyError
from solvers.integration import Integration
from solvers.kuramoto_sivashinsky import KuramotoSivashinsky, KuramotoSivashinskyIntegration
from solvers.time_schemes import Problem
from solvers.time_stepping import AB2_CRANK_NICOLSON, ETDRK4, integrate

Array = NDArray[Any]

SCHEMES = {"ETDRK4": ETDRK4, "CNAB2": AB2_CRANK_NICOLSON}


def small(**options: Any) -> KuramotoSivashinsky:
    """The domain of Cvitanovic, Davidchack and Siminos (2010), small and chaotic."""
    return KuramotoSivashinsky(**{"nx": 64, "length": 22.0, "dt": 0.1, **options})


@pytest.fixture(scope="module")
def spun_up() -> Array:
    """A state on the attractor of the small domain, shape (64,)."""
    return state(small().run(time=200.0, save_every=200.0))


def state(run: xr.Dataset) -> Array:
    return np.asarray(run.u[-1, 0].to_numpy())


def final(model: KuramotoSivashinsky, u: Array, n_step: int, **options: Any) -> Array:
    return state(model.run(steps=n_step, save_every=n_step, initial=u, **options))


@pytest.mark.parametrize(
    "parameters", [(1024, 100.0, 1e-3), (128, 32.0 * np.pi, 0.1), (64, 22.0, 0.1)]
)
def test_it_is_the_independent_reference(parameters: tuple[int, float, float]) -> None:
    n, length, dt = parameters
    model = KuramotoSivashinsky(nx=n, length=length, dt=dt)
    u = final(model, model.random_state(1, np.random.default_rng(1))[0], 400)
    expected = reference.advance(
        u, reference.KuramotoSivashinskyParameters(n=n, length=length, dt=dt), 100
    )
    # Round-off of 100 steps, 1e-14, times what chaos makes of it in 10 time units.
    np.testing.assert_allclose(final(model, u, 100), expected, rtol=0.0, atol=5e-13)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dealias", [False, True])
@pytest.mark.parametrize("dispersion", [0.0, 0.4])
def test_compiled_loops_are_the_schemes(
    spun_up: Array, scheme: str, dealias: bool, dispersion: float
) -> None:
    model = KuramotoSivashinsky(
        nx=64, length=22.0, dt=0.02, advection=0.8, antidiffusion=0.9, hyperdiffusion=1.1,
        dispersion=dispersion, scheme=scheme, dealias=dealias,
    )  # fmt: skip
    k = 2.0 * np.pi / 22.0 * np.arange(33)
    kept = np.arange(33) < 64 / 3 if dealias else np.ones(33)
    odd = k * (np.arange(33) < 32) * kept
    linear = 0.9 * k**2 + 0.4j * (dispersion > 0.0) * odd**3 - 1.1 * k**4

    def nonlinear(v: Array, _time: float) -> Array:
        return np.asarray(-0.4j * odd * np.fft.rfft(np.fft.irfft(v) ** 2))

    v = np.fft.rfft(spun_up) * kept
    expected = integrate(SCHEMES[scheme], Problem(linear, nonlinear), v, 0.02, 50)
    running = model.start(spun_up)
    assert isinstance(running, KuramotoSivashinskyIntegration)
    running.advance(50)
    np.testing.assert_allclose(running.u_spectrum[0], expected, rtol=0.0, atol=1e-12)
    # A tendency of the model is that of the equation.
    start, rate = np.fft.irfft(v), np.fft.irfft(linear * v + nonlinear(v, 0.0))
    np.testing.assert_allclose(model.tendency(start), rate, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("dispersion", [0.0, -0.7])
def test_linear_waves_grow_at_the_exact_rate(dispersion: float) -> None:
    model = small(advection=0.0, dispersion=dispersion)
    x, time = model.coordinates()["x"].to_numpy(), 3.0
    for mode in (1, 2, 5, 9):
        k = 2.0 * np.pi * mode / 22.0
        # exp(i k x + s t) solves the equation for s = k^2 - k^4 + i c k^3.
        growth, phase = np.exp((k**2 - k**4) * time), dispersion * k**3 * time
        found = final(model, np.cos(k * x), 30)
        np.testing.assert_allclose(found, growth * np.cos(k * x + phase), rtol=0.0, atol=4e-14)


def test_small_waves_of_the_full_equation_grow_at_the_linear_rate() -> None:
    model = small()
    x, k = model.coordinates()["x"].to_numpy(), 2.0 * np.pi * 2 / 22.0
    found = final(model, 1e-8 * np.cos(k * x), 50)
    expected = 1e-8 * np.exp((k**2 - k**4) * 5.0) * np.cos(k * x)
    # The nonlinear term is of the order of the amplitude squared.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize(("scheme", "dt"), [("ETDRK4", 0.00625), ("CNAB2", 0.0125)])
def test_order(spun_up: Array, scheme: str, dt: float) -> None:
    def at_time_2(n: int) -> Array:
        model = small(nx=32, dt=dt / n, scheme=scheme)
        return final(model, spun_up[::2], round(2.0 * n / dt))

    # With longer steps ETDRK4 has a lower order, as all schemes of its kind in stiff problems.
    exact = at_time_2(16)
    errors = [float(np.abs(at_time_2(n) - exact).max()) for n in (1, 2)]
    order = KuramotoSivashinsky(scheme=scheme).order
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_both_schemes_converge_to_one_solution(spun_up: Array) -> None:
    exact = final(small(), spun_up, 10)
    fine = small(dt=1e-3, scheme="CNAB2")
    assert np.abs(final(fine, spun_up, 1000) - exact).max() < 2e-5


def test_galilean_invariance(spun_up: Array) -> None:
    """In a frame that moves by a whole number of points, u is larger by its speed."""
    speed, n_step = 22.0 / 64 * 8, 400
    model = small(dt=1.0 / n_step)
    moving = final(model, spun_up + speed, n_step) - speed
    resting = final(model, spun_up, n_step)
    # The error of the time step, which is larger for waves that are carried faster.
    np.testing.assert_allclose(np.roll(moving, -8), resting, rtol=0.0, atol=5e-9)
    twice = small(dt=0.5 / n_step)
    error = np.abs(np.roll(moving, -8) - resting).max()
    finer = np.roll(final(twice, spun_up + speed, 2 * n_step) - speed, -8)
    assert error / np.abs(finer - final(twice, spun_up, 2 * n_step)).max() > 13.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_mean_does_not_change_at_all(spun_up: Array, scheme: str) -> None:
    model = small(dt=0.05, scheme=scheme)
    running = model.start(spun_up + 0.3)
    assert isinstance(running, KuramotoSivashinskyIntegration)
    mean = running.u_spectrum[0, 0]
    running.advance(500)
    assert running.u_spectrum[0, 0] == mean


def test_mirrored_states_stay_mirrored(spun_up: Array) -> None:
    def mirrored(u: Array) -> Array:
        return -np.roll(u[::-1], 1)

    model = small()
    found = final(model, mirrored(spun_up), 50)
    np.testing.assert_allclose(found, mirrored(final(model, spun_up, 50)), rtol=0.0, atol=1e-12)


def test_advection_makes_no_energy(spun_up: Array) -> None:
    """Only when dealiased: the aliased product of resolved waves is not skew-symmetric."""
    model = small(antidiffusion=0.0, hyperdiffusion=0.0, dealias=True)
    u = np.fft.irfft(np.fft.rfft(spun_up) * model.resolved)
    rough = np.fft.irfft(np.fft.rfft(np.random.default_rng(2).standard_normal(64)) * model.resolved)
    for field in (u, rough):
        tendency = model.tendency(field)
        scale = float(np.abs(field) @ np.abs(tendency))
        assert abs(float(field @ tendency)) < 1e-14 * scale


def test_energy_budget(spun_up: Array) -> None:
    """d/dt of the mean of u^2 / 2 is the mean of u_x^2 - u_xx^2."""
    model = small()
    v, k = np.fft.rfft(spun_up), model.k
    slope, curvature = np.fft.irfft(1j * k * v), np.fft.irfft(-(k**2) * v)
    budget = float((slope**2 - curvature**2).mean())
    assert float((spun_up * model.tendency(spun_up)).mean()) == pytest.approx(budget, abs=1e-13)


def test_aliasing_does_not_matter_where_waves_are_resolved() -> None:
    runs = []
    for dealias in (False, True):
        model = KuramotoSivashinsky(nx=256, length=22.0, dt=0.1, dealias=dealias)
        runs.append(final(model, model.random_state(1, np.random.default_rng(3))[0], 200))
    np.testing.assert_allclose(runs[0], runs[1], rtol=0.0, atol=1e-11)


def test_dealiased_waves_stay_at_zero(spun_up: Array) -> None:
    def noise(fields: Mapping[str, Array], step: int) -> Array:
        return np.random.default_rng(step).standard_normal(64)

    running = small(dealias=True).start(spun_up, tendency=noise)
    assert isinstance(running, KuramotoSivashinskyIntegration)
    running.advance(5)
    assert not running.u_spectrum[0, 22:].any()
    assert np.abs(running.u_spectrum[0, 1:22]).min() > 0.0


def energy_spectra(run: Array) -> Array:
    """Return |u_k|^2 of states of shape (..., n), without the mean and the shortest wave."""
    return np.asarray(np.abs(np.fft.rfft(run)[..., 1:-1]) ** 2 / run.shape[-1] ** 2)


def test_energy_spectrum_is_that_of_the_reference() -> None:
    """Time means over 4 runs of ours and 4 of the reference from other initial states."""
    p = reference.KuramotoSivashinskyParameters()
    model = KuramotoSivashinsky(nx=p.n, length=p.length, dt=p.dt)
    every, n_save = 40, 100
    start = model.random_state(8, np.random.default_rng(4))
    ours = model.run(steps=every * (n_save + 20), save_every=every, initial=start[:4])
    found = energy_spectra(ours.u[21:].to_numpy()).mean(axis=0)
    expected = np.empty_like(found)
    for member, u in enumerate(start[4:]):
        current, spectra = reference.advance(u, p, 20 * every), []
        for _ in range(n_save):
            current = reference.advance(current, p, every)
            spectra.append(energy_spectra(current))
        expected[member] = np.mean(spectra, axis=0)
    # Bands of four waves, over five decades of energy.
    bands = [slice(i, i + 4) for i in range(0, 48, 4)]
    logs = [
        np.log([spectra[:, band].sum(axis=-1) for band in bands]) for spectra in (found, expected)
    ]
    error = np.sqrt(sum(log.var(axis=-1, ddof=1) / log.shape[-1] for log in logs))
    difference = np.abs(logs[0].mean(axis=-1) - logs[1].mean(axis=-1))
    # 12 bands at once with 6 degrees of freedom: 5 standard errors are passed once in 40 times.
    assert (difference < 5.0 * error).all()
    # The comparison is a sharp one, over five decades.
    assert error.max() < 0.1
    assert logs[0].max() - logs[0].min() > np.log(1e5)


def test_shape_of_the_energy_spectrum() -> None:
    """Most energy is near the fastest growing wave, k = 1 / sqrt(2); then an exponential tail."""
    model = KuramotoSivashinsky(nx=256, length=64.0 * np.pi, dt=0.25)
    run = model.run(time=1000.0, save_every=5.0, n_member=2, seed=5)
    spectrum = energy_spectra(run.u[41:].to_numpy()).mean(axis=(0, 1))
    k = model.k[1:-1]
    assert k[spectrum.argmax()] == pytest.approx(1.0 / np.sqrt(2.0), abs=0.1)
    # Nearly flat at large scales: energy equipartition, an order below the peak.
    large = spectrum[k < 0.2]
    assert large.max() / large.min() < 4.0
    tail = (k > 1.5) & (k < 3.5)
    fit = np.polynomial.Polynomial.fit(k[tail], np.log(spectrum[tail]), 1)
    residual = np.log(spectrum[tail]) - fit(k[tail])
    rate = float(fit.convert().coef[1])
    assert rate < -3.0
    # A straight line in a logarithmic plot, within a tenth of the decades that it spans.
    assert residual.std() < 0.05 * abs(rate) * 2.0


def separation_growth(model: KuramotoSivashinsky, n_pair: int, time: float) -> Array:
    """Return the mean growth rate of small separations of each of several pairs of runs."""
    every, size = 10.0, 1e-6
    start = model.random_state(n_pair, np.random.default_rng(6))
    base = model.run(time=300.0, save_every=300.0, initial=start).u[-1].to_numpy()
    separation = model.random_state(n_pair, np.random.default_rng(7))
    rates = []
    for _ in range(round(time / every)):
        separation *= size / separation.std(axis=-1, keepdims=True)
        running = model.start(np.concatenate([base, base + separation]))
        running.advance(round(every / model.dt))
        both = running.fields()["u"].to_numpy()
        base, separation = both[:n_pair], both[n_pair:] - both[:n_pair]
        rates.append(np.log(separation.std(axis=-1) / size) / every)
    # The first 50 time units turn the separation into the direction that grows the fastest.
    return np.asarray(np.mean(rates[5:], axis=0))


def test_largest_lyapunov_exponent() -> None:
    """0.048 for length 22: Cvitanovic, Davidchack and Siminos (2010), SIAM J. Appl. Dyn. Syst. 9.

    The tolerance is 5 %: three standard errors of these 64 000 time units, which are 2 % in all,
    and the rounding of the published value.
    """
    model = KuramotoSivashinsky(nx=32, length=22.0, dt=0.25)
    rates = separation_growth(model, n_pair=32, time=2000.0)
    assert rates.std(ddof=1) / np.sqrt(32) < 0.001
    assert rates.mean() == pytest.approx(0.048, rel=0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_closure_is_part_of_the_nonlinear_term_of_every_stage(
    spun_up: Array, scheme: str
) -> None:
    model, seen = small(scheme=scheme, dt=0.02), []

    def drag(fields: Mapping[str, Array], step: int) -> Array:
        seen.append((step, fields["u"].copy()))
        return -0.2 * fields["u"] ** 3

    def nonlinear(v: Array, _time: float) -> Array:
        u = np.fft.irfft(v)
        advection = -0.5j * model.derivative * np.fft.rfft(u**2)
        return np.asarray(advection + np.fft.rfft(-0.2 * u**3))

    v = np.fft.rfft(spun_up)
    expected = integrate(SCHEMES[scheme], Problem(model.linear, nonlinear), v, 0.02, 10)
    found = final(model, spun_up, 10, tendency=drag)
    np.testing.assert_allclose(found, np.fft.irfft(expected), rtol=0.0, atol=1e-13)
    n_stage = 4 if scheme == "ETDRK4" else 1
    assert [step for step, _ in seen] == np.repeat(np.arange(10), n_stage).tolist()
    np.testing.assert_allclose(seen[0][1], spun_up, rtol=0.0, atol=1e-14)


def test_what_a_closure_returns_is_checked(spun_up: Array) -> None:
    with pytest.raises(
        TendencyError, match=r"u_tendency: expected shape \(64,\) \(x\), got \(3,\)"
    ):
        small().run(steps=1, initial=spun_up, tendency=lambda _fields, _step: np.zeros(3))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_step_is_a_step_of_a_run(spun_up: Array, scheme: str) -> None:
    model = small(scheme=scheme, dt=0.02)
    run = model.run(steps=6, save_every=1, initial=spun_up).u[:, 0].to_numpy()
    previous = run[1:-2] if scheme == "CNAB2" else None
    found = model.one_step(run[2:-1], previous)
    np.testing.assert_allclose(found, run[3:], rtol=0.0, atol=1e-14)
    if scheme == "CNAB2":
        # Without a history the step is the first of a run, Euler's.
        np.testing.assert_allclose(model.one_step(run[0])[0], run[1], rtol=0.0, atol=1e-14)
        assert np.abs(model.one_step(run[2:-1]) - run[3:]).max() > 1e-5


@pytest.mark.parametrize(
    ("missing", "power", "derivative"),
    [("advection", 2, 1), ("antidiffusion", 1, 2), ("hyperdiffusion", 1, 4)],
)
def test_a_step_of_a_model_without_a_term_misses_that_term(
    spun_up: Array, missing: str, power: int, derivative: int
) -> None:
    """The increments that MEDIDA finds model error in, (observed - modelled) / dt.

    The implicit step has damped them by 1 / (1 - dt L / 2), which is undone here.
    """
    dt, samples = 0.005, slice(200, None, 200)
    truth = small(dt=dt / 5)
    run = truth.run(time=5.0, save_every=dt, initial=spun_up).u[:, 0].to_numpy()
    u_0, u_1, u_2 = (np.roll(run, -i, axis=0)[samples][:-1] for i in (0, 1, 2))
    model = small(dt=dt, scheme="CNAB2", **{missing: 0.0})
    increment = np.fft.rfft(u_2 - model.one_step(u_1, u_0)) / dt
    increment *= 1.0 - 0.5 * dt * model.linear
    mean = 0.5 * (np.fft.rfft(u_1**power) + np.fft.rfft(u_2**power)) / power
    term = -((1j * truth.derivative) ** derivative) * mean
    # What is left is the error of the step, of the order of dt squared.
    error = np.fft.irfft(increment - term)
    np.testing.assert_allclose(error, 0.0, atol=2e-3 * np.abs(np.fft.irfft(term)).max())


def test_one_step_takes_a_closure_and_checks_its_states(spun_up: Array) -> None:
    model = small(scheme="CNAB2", dt=0.02)
    plain = model.one_step(spun_up, spun_up)
    pushed = model.one_step(spun_up, spun_up, tendency=lambda _fields, _step: np.ones(64))
    # A steady and uniform tendency: the weights of both steps add up to one.
    np.testing.assert_allclose(pushed - plain, 0.02, rtol=0.0, atol=1e-14)
    with pytest.raises(ValueError, match="previous: expected none for ETDRK4, a one-step scheme"):
        small().one_step(spun_up, spun_up)
    with pytest.raises(ValueError, match=r"expected shape \(64,\) or \(n_member, 64,?\), got \(3"):
        model.one_step(spun_up[:3])


def test_single_precision(spun_up: Array) -> None:
    for scheme in SCHEMES:
        single = small(dtype="float32", dt=0.02, scheme=scheme)
        run = single.run(steps=50, save_every=50, initial=spun_up)
        assert run.u.dtype == np.float32
        assert run.restart_u.dtype == np.float32
        expected = final(small(dt=0.02, scheme=scheme), spun_up, 50)
        # 50 steps of round-off of 6e-8 relative to values of about 3.
        np.testing.assert_allclose(state(run), expected, rtol=0.0, atol=2e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_blow_up_is_found_at_its_step(spun_up: Array, scheme: str) -> None:
    model = small(scheme=scheme, dt=6.0 if scheme == "ETDRK4" else 1.2)
    with pytest.warns(StabilityWarning), pytest.raises(SolverBlewUp) as blow_up:
        model.run(steps=500, initial=spun_up)
    step = blow_up.value.step
    assert 2 < step <= 500
    with pytest.warns(StabilityWarning):
        running: Integration = model.start(spun_up)
    running.advance(step - 1)
    assert np.isfinite(running.prognostic["u"]).all()
    with pytest.raises(SolverBlewUp, match=f"Kuramoto-Sivashinsky: u of member 0 .* step {step} "):
        running.advance(1)


def test_stability_limit_of_pure_advection(spun_up: Array) -> None:
    """Without linear terms ETDRK4 is the classical Runge-Kutta method: |u| k dt <= sqrt(8)."""
    model = small(antidiffusion=0.0, hyperdiffusion=0.0, dt=0.01)
    fastest = np.abs(spun_up).max() * model.k[-2]
    limit = model.stability_limit(model.start(spun_up))
    assert limit == pytest.approx(np.sqrt(8.0) / fastest, rel=2e-3)


def test_stability_limits(spun_up: Array) -> None:
    # Without advection, ETDRK4 is exact.
    linear = small(advection=0.0)
    assert linear.stability_limit(linear.start(spun_up)) == np.inf
    # Runs below the limit go on, with the energy that they should have.
    for scheme in SCHEMES:
        limit = small(scheme=scheme).stability_limit(small(scheme=scheme).start(spun_up))
        assert 0.1 < limit < 2.0
        run = small(scheme=scheme, dt=0.7 * limit).run(steps=2000, initial=spun_up)
        assert float(run.u[5:].std()) == pytest.approx(1.2, rel=0.1)
        with pytest.warns(StabilityWarning, match="dt: .* is above the stability limit"):
            small(scheme=scheme, dt=1.1 * limit).start(spun_up)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nx": 63}, "nx: expected an even number of at least 4 points, got 63"),
        ({"nx": 2}, "nx: expected an even number of at least 4 points, got 2"),
        ({"dt": -0.1}, r"dt: expected a positive number, got -0\.1"),
        ({"length": 0.0}, r"length: expected a positive number, got 0\.0"),
        ({"dt": float("nan")}, "dt: expected a positive number, got nan"),
        ({"hyperdiffusion": -1.0}, r"hyperdiffusion: expected no negative .* got -1\.0; short"),
        ({"scheme": "RK4"}, "scheme: expected ETDRK4 or CNAB2, got RK4"),
        ({"dtype": "float16"}, "dtype: expected float64 or float32, got float16"),
    ],
)
def test_parameters_are_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KuramotoSivashinsky(**values)


def test_what_a_run_returns() -> None:
    run = small().run(time=1.0, save_every=0.5, n_member=2)
    assert run.u.dims == ("time", "member", "x")
    assert run.u.attrs["units"] == "1"
    np.testing.assert_allclose(run.x, np.arange(64) * 22.0 / 64)
    np.testing.assert_allclose(run.time, [0.0, 0.5, 1.0])
    assert run.attrs["model"] == "Kuramoto-Sivashinsky"
    assert run.attrs["scheme"] == "ETDRK4"
    assert np.abs(run.u[0].mean("x")).max() < 1e-15


def test_the_benchmark_compares_two_ways_to_one_result(spun_up: Array) -> None:
    plain = benchmark.NumpyKuramotoSivashinsky(small(), spun_up)
    plain.advance(20)
    np.testing.assert_allclose(
        np.fft.irfft(plain.v), final(small(), spun_up, 20), rtol=0.0, atol=1e-12
    )
