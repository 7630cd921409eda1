import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.signal import lfilter

from closures.lorenz96 import AR1Closure, CubicClosure, MLPClosure, Scaling
from closures.lorenz96_fit import MLPTraining, fit_ar1, fit_cubic, fit_mlp, memory_per_step

Array = NDArray[np.float64]

PHI = 0.9
TRAINING = MLPTraining(n_hidden=16, n_step=400, batch_size=1024, seed=3)


def mean_of(x: Array) -> Array:
    return 2.0 - 0.5 * x + 3.0 * np.tanh(0.5 * x)


def spread_of(x: Array) -> Array:
    return 0.5 + 0.1 * np.abs(x)


@pytest.fixture(scope="module")
def pairs() -> xr.Dataset:
    """Known mean, known spread, a known AR(1) residual: what a fit should find."""
    rng = np.random.default_rng(0)
    shape = (20_000, 2, 4)
    x = rng.uniform(-6.0, 6.0, shape)
    e = lfilter([np.sqrt(1.0 - PHI**2)], [1.0, -PHI], rng.normal(size=shape), axis=0)
    dims = ("time", "member", "k")
    return xr.Dataset(
        {"x": (dims, x), "x_tendency": (dims, mean_of(x) + spread_of(x) * e)},
        coords={"time": 0.005 * np.arange(shape[0])},
        attrs={"source": "made for this test", "c": 10.0},
    )


@pytest.fixture(scope="module")
def network(pairs: xr.Dataset) -> MLPClosure:
    return fit_mlp(pairs, TRAINING)


def test_cubic_is_a_polynomial() -> None:
    coefficients = [-0.7, -1.11, 0.0004, 0.0028]
    x = torch.linspace(-12.0, 18.0, 200)
    expected = np.polynomial.polynomial.polyval(x.double().numpy(), coefficients)
    found = CubicClosure(coefficients)(x)[0]
    assert found.dtype == torch.float32
    # Horner's rule rounds six times; the terms are below 25.
    np.testing.assert_allclose(found.numpy(), expected, rtol=0.0, atol=6 * 25 * 2.0**-24)


def test_cubic_fit_recovers_a_cubic(pairs: xr.Dataset) -> None:
    exact = pairs.assign(x_tendency=1.0 - 2.0 * pairs["x"] + 0.25 * pairs["x"] ** 3)
    cubic = fit_cubic(exact)
    np.testing.assert_allclose(
        [cubic.b0, cubic.b1, cubic.b2, cubic.b3], [1.0, -2.0, 0.0, 0.25], atol=1e-10
    )
    (x,) = cubic.spec.inputs
    assert x.valid_min == float(pairs["x"].min())
    assert x.valid_max == float(pairs["x"].max())
    assert cubic.spec.provenance["data"] == "made for this test"
    assert cubic.spec.provenance["model_step"] == "0.005"


def test_ar1_is_stationary_with_the_memory_it_was_given() -> None:
    closure = AR1Closure(phi=0.95, sigma=2.0)
    generator = torch.Generator().manual_seed(0)
    n = 40_000
    residual = torch.randn(n, generator=generator)
    series = []
    for _ in range(21):
        tendency, residual = closure(residual, torch.randn(n, generator=generator))
        series.append(tendency)
    assert float(series[-1].std()) == pytest.approx(2.0, rel=4 / np.sqrt(2 * n))
    correlation = float((series[0] * series[-1]).mean()) / 4.0
    assert correlation == pytest.approx(0.95**20, abs=4 / np.sqrt(n))


def test_ar1_reaches_its_variance_from_zero() -> None:
    closure = AR1Closure(phi=0.5, sigma=1.0)
    tendency, residual = closure(torch.zeros(3), torch.ones(3))
    np.testing.assert_allclose(tendency.numpy(), np.sqrt(0.75), rtol=1e-6)
    assert torch.equal(tendency, residual)


def test_cubic_plus_ar1_is_their_sum_with_one_state() -> None:
    cubic, ar1 = CubicClosure([1.0, 2.0, 3.0, 4.0]), AR1Closure(0.8, 0.5)
    both = cubic + ar1
    assert [field.name for field in both.spec.inputs] == ["x"]
    assert [field.name for field in both.spec.outputs] == ["x_tendency"]
    assert [field.name for field in both.spec.state] == ["ar1_residual"]
    assert [field.name for field in both.spec.noise] == ["ar1_noise"]
    x, e, z = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    tendency, new = both(x, e, z)
    assert torch.equal(tendency, cubic(x)[0] + ar1(e, z)[0])
    assert torch.equal(new, ar1(e, z)[1])


def test_ar1_fit(pairs: xr.Dataset) -> None:
    cubic = fit_cubic(pairs)
    x, u = pairs["x"].to_numpy(), pairs["x_tendency"].to_numpy()
    flat = pairs.assign(x_tendency=(pairs["x"].dims, (u - mean_of(x)) / spread_of(x)))
    ar1 = fit_ar1(flat, CubicClosure([0.0, 0.0, 0.0, 0.0]))
    # 1.6e5 samples, of which one in 19 is independent.
    assert ar1.phi == pytest.approx(PHI, abs=0.006)
    assert ar1.sigma == pytest.approx(1.0, abs=0.03)
    assert fit_ar1(pairs, cubic).sigma > 0.8


def test_both_kinds_of_memory_agree_for_an_ar1_process() -> None:
    noise = np.random.default_rng(2).normal(size=(60_000, 8))
    series = lfilter([1.0], [1.0, -PHI], noise, axis=0)
    assert memory_per_step(series, "lag_one") == pytest.approx(PHI, abs=0.005)
    assert memory_per_step(series, "integral") == pytest.approx(PHI, abs=0.01)


def test_integral_memory_of_a_smooth_residual() -> None:
    """An autocorrelation cos(w t) has the integral 1 / w up to its first zero."""
    time = np.arange(20_000)
    phases = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
    wave = np.cos(2.0 * np.pi / 100.0 * time[:, None] + phases)
    expected = np.exp(-2.0 * np.pi / 100.0)
    assert memory_per_step(wave, "integral") == pytest.approx(expected, abs=1e-3)
    assert memory_per_step(wave, "lag_one") == pytest.approx(np.cos(2.0 * np.pi / 100.0), abs=1e-4)


def test_memory_needs_a_series_that_forgets() -> None:
    slow = np.stack([np.ones(50), -np.ones(50)], axis=1)
    with pytest.raises(ValueError, match="expected an autocorrelation that reaches zero within 50"):
        memory_per_step(slow, "integral")


def test_network_finds_mean_spread_and_memory(network: MLPClosure) -> None:
    x = torch.linspace(-5.5, 5.5, 45)
    with torch.no_grad():
        mean, spread = network.distribution(x)
    # Standard errors are 0.02 with 1.6e5 samples, one in 19 independent, over some 15 weights.
    np.testing.assert_allclose(mean.numpy(), mean_of(x.numpy()), atol=0.12)
    np.testing.assert_allclose(spread.numpy(), spread_of(x.numpy()), atol=0.1)
    assert network.phi == pytest.approx(PHI, abs=0.015)


def test_network_forward_is_mean_plus_spread_times_new_residual(network: MLPClosure) -> None:
    x, e, z = torch.randn(3, 50, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        tendency, new = network(x, e, z)
        mean, spread = network.distribution(x)
    expected = network.phi * e + np.sqrt(1.0 - network.phi**2) * z
    np.testing.assert_allclose(new.numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(tendency.numpy(), (mean + spread * new).numpy(), atol=1e-6)


def test_network_keeps_its_edge_value_outside_the_training_range(network: MLPClosure) -> None:
    edge = torch.tensor([network.x_min, network.x_max])
    with torch.no_grad():
        inside, outside = network.distribution(edge), network.distribution(edge * 100.0)
    assert torch.equal(inside[0], outside[0])
    assert torch.equal(inside[1], outside[1])


def test_change_of_units() -> None:
    torch.manual_seed(0)
    standardised = MLPClosure(8, -3.0, 3.0)
    scaling = Scaling(x_mean=4.0, x_std=5.0, u_mean=-3.0, u_std=2.0)
    physical = standardised.in_units_of(scaling, 0.9, {"seed": "0"})
    x = torch.linspace(-10.0, 18.0, 30)
    with torch.no_grad():
        mean, spread = standardised.distribution((x - 4.0) / 5.0)
        found = physical.distribution(x)
    np.testing.assert_allclose(found[0].numpy(), (2.0 * mean - 3.0).numpy(), atol=1e-5)
    np.testing.assert_allclose(found[1].numpy(), (2.0 * spread).numpy(), rtol=1e-5)
    assert (physical.x_min, physical.x_max) == (-11.0, 19.0)
    assert physical.phi == 0.9


def test_a_seed_determines_the_network(pairs: xr.Dataset) -> None:
    short = [fit_mlp(pairs, MLPTraining(8, 5, 64, seed=seed)) for seed in (1, 1, 2)]
    x = torch.linspace(-3.0, 3.0, 9)
    with torch.no_grad():
        first, again, other = (closure.distribution(x)[0] for closure in short)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_compiled_closures_compute_the_same(network: MLPClosure) -> None:
    cubic, ar1 = CubicClosure([1.0, -1.0, 0.1, 0.01]), AR1Closure(0.9, 1.5)
    columns = torch.randn(3, 7, generator=torch.Generator().manual_seed(3))
    for closure, arguments in ((cubic, columns[:1]), (ar1, columns[:2]), (network, columns)):
        scripted = torch.jit.script(closure)
        with torch.no_grad():
            for expected, found in zip(closure(*arguments), scripted(*arguments), strict=True):
                assert torch.equal(expected, found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CubicClosure([1.0, 2.0]), "coefficients: expected four finite numbers b0 to b3"),
        (lambda: CubicClosure([1.0, 2.0, 3.0, np.nan]), "expected four finite numbers"),
        (lambda: AR1Closure(1.0, 1.0), r"phi: expected an autocorrelation in \[0, 1\), got 1.0"),
        (lambda: AR1Closure(0.5, -1.0), "sigma: expected a standard deviation >= 0, got -1.0"),
        (lambda: MLPClosure(8, 1.0, 1.0), "x_min, x_max: expected a range, got 1.0 to 1.0"),
        (lambda: MLPTraining(n_step=0), "training: expected positive sizes and rate"),
        (lambda: Scaling(0.0, 0.0, 0.0, 1.0), "scaling: expected positive standard deviations"),
        (lambda: fit_cubic(xr.Dataset()), "pairs: expected variable 'x' with dimensions"),
    ],
)
def test_messages(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()
