from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.diagnostics import cumulative_flux, energy_budget, energy_spectra
from solvers.diagnostics.energy_budget import modal_energy_budget

Array = NDArray[np.float64]

NX, NY, LX, LY = 24, 32, 8e5, 1e6
PARAMETERS: dict[str, Any] = {
    "deformation_radius": 2e4,
    "delta": 0.25,
    "beta": 1.5e-11,
    "u1": 0.03,
    "u2": -0.01,
    "bottom_drag": 5.787e-7,
    "dt": 7200.0,
    "filter": 0,
}
K = 2 * np.pi / LX * np.arange(NX // 2 + 1)
L = 2 * np.pi / LY * np.fft.fftfreq(NY, 1 / NY)[:, np.newaxis]
K2 = K**2 + L**2
F1 = PARAMETERS["deformation_radius"] ** -2 / 1.25
F2 = 0.25 * F1
DEPTH = np.array([0.2, 0.8])


def run(values: Array | None = None, **changed: Any) -> xr.Dataset:
    """Potential vorticity (time, member, layer, y, x), random at all scales by default."""
    if values is None:
        values = 1e-5 * np.random.default_rng(2).normal(0.3, 1.0, (2, 3, 2, NY, NX))
    return xr.Dataset(
        {"q": (("time", "member", "layer", "y", "x"), values, {"units": "s-1"})},
        coords={
            "time": ("time", np.arange(values.shape[0]) * 86400.0, {"units": "s"}),
            "layer": ("layer", [0, 1]),
            "y": ("y", np.arange(NY) * LY / NY, {"units": "m"}),
            "x": ("x", np.arange(NX) * LX / NX, {"units": "m"}),
        },
        attrs={**PARAMETERS, **changed},
    )


def invert(q: Array) -> NDArray[np.complex128]:
    """Solve the 2 x 2 system of each mode."""
    modes = np.fft.rfft2(q)
    matrix = np.empty((NY, NX // 2 + 1, 2, 2))
    matrix[..., 0, 0], matrix[..., 0, 1] = -K2 - F1, F1
    matrix[..., 1, 0], matrix[..., 1, 1] = F2, -K2 - F2
    matrix[0, 0] = np.eye(2)
    psi = np.linalg.solve(matrix, np.moveaxis(modes, -3, -1)[..., np.newaxis])[..., 0]
    psi[..., 0, 0, :] = 0.0
    return np.asarray(np.moveaxis(psi, -1, -3))


def tendency(q: Array, closure: Array | float = 0.0, filtered: bool = False) -> Any:
    """Fourier coefficients of what the model adds to q in an Euler step, divided by dt."""
    psi = invert(q)
    u = np.fft.irfft2(-1j * L * psi, s=(NY, NX)) + np.array([0.03, -0.01])[:, None, None]
    v = np.fft.irfft2(1j * K * psi, s=(NY, NX))
    gradient = 1.5e-11 + 0.04 * np.array([F1, -F2])[:, None, None]
    rate = -1j * K * np.fft.rfft2(u * q) - 1j * L * np.fft.rfft2(v * q) - 1j * K * gradient * psi
    rate[..., 1, :, :] += 5.787e-7 * K2 * psi[..., 1, :, :]
    rate = rate + np.fft.rfft2(closure * np.ones_like(q))
    if not filtered:
        return rate
    w = np.sqrt((K * LX / NX) ** 2 + (L * LY / NY) ** 2) - 0.65 * np.pi
    factor = np.where(w > 0, np.exp(-23.6 * w**4), 1.0)
    modes = np.fft.rfft2(q)
    return (factor * (modes + 7200.0 * rate) - modes) / 7200.0


def work(q: Array, rate: Any) -> Array:
    """Energy that a tendency gives to each mode."""
    depth = DEPTH[:, None, None]
    return np.asarray(-(depth * np.real(np.conj(invert(q)) * rate)).sum(axis=-3) / (NX * NY) ** 2)


def total_energy(q: Array) -> Array:
    """Energy from velocities and streamfunctions on the grid."""
    psi = invert(q)
    u, v = (np.fft.irfft2(m * psi, s=(NY, NX)) for m in (-1j * L, 1j * K))
    shear = np.fft.irfft2(psi[..., 0, :, :] - psi[..., 1, :, :], s=(NY, NX))
    kinetic = 0.5 * ((u**2 + v**2).mean(axis=(-2, -1)) * DEPTH).sum(axis=-1)
    return np.asarray(kinetic + 0.5 * DEPTH[0] * F1 * (shear**2).mean(axis=(-2, -1)))


def smooth(seed: int = 5) -> Array:
    """Potential vorticity with two thirds of the waves, so products do not alias onto them."""
    q = 1e-5 * np.random.default_rng(seed).normal(size=(1, 1, 2, NY, NX))
    keep = (np.abs(L / L.min()) < 2 / 3) & (K / K[-1] < 2 / 3)
    return np.asarray(np.fft.irfft2(np.fft.rfft2(q) * keep, s=(NY, NX)))


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("with_closure", [False, True])
def test_the_terms_add_up_to_the_tendency_of_energy_of_each_mode(
    filtered: bool, with_closure: bool
) -> None:
    dataset = run(filter=int(filtered))
    q = dataset.q.values
    closure = 1e-12 * np.random.default_rng(4).normal(size=q.shape) if with_closure else 0.0
    given = modal_energy_budget(dataset, dataset.q.copy(data=closure) if with_closure else None)
    expected = work(q, tendency(q, closure, filtered))
    np.testing.assert_allclose(given["total"], expected, atol=1e-12 * np.abs(expected).max())
    assert ("parameterization" in given) == with_closure
    assert ("filter" in given) == filtered


def test_the_isotropic_terms_integrate_to_the_change_of_energy() -> None:
    q = smooth()
    budget = energy_budget(run(q))
    width = float(budget.wavenumber[1])
    step = 1.0
    change = np.fft.irfft2(tendency(q), s=(NY, NX)) * step
    # Energy is quadratic, so the centred difference is its derivative without error.
    expected = (total_energy(q + change) - total_energy(q - change)) / (2 * step)
    np.testing.assert_allclose(budget.total.sum("wavenumber") * width, expected, rtol=1e-8)
    terms = sum(budget[name] for name in budget if name != "total")
    xr.testing.assert_allclose(terms, budget.total, rtol=1e-12)


def test_advection_only_moves_energy() -> None:
    budget = modal_energy_budget(run(smooth()))
    weight = np.full(NX // 2 + 1, 2.0)
    weight[[0, -1]] = 1.0
    for name in ("kinetic_energy_transfer", "available_potential_energy_transfer"):
        moved = np.abs(budget[name] * weight).sum()
        assert abs((budget[name] * weight).sum()) < 1e-13 * moved


def test_drag_takes_kinetic_energy_of_the_lower_layer() -> None:
    q = smooth()
    psi = invert(q)[..., 1, :, :]
    u, v = (np.fft.irfft2(m * psi, s=(NY, NX)) for m in (-1j * L, 1j * K))
    expected = -5.787e-7 * 0.8 * (u**2 + v**2).mean(axis=(-2, -1))
    budget = energy_budget(run(q))
    given = budget.bottom_drag.sum("wavenumber") * float(budget.wavenumber[1])
    np.testing.assert_allclose(given, expected, rtol=1e-12)
    assert (modal_energy_budget(run())["bottom_drag"] <= 0.0).all()


def test_generation_needs_shear() -> None:
    name = "available_potential_energy_generation"
    uniform = modal_energy_budget(run(u1=0.02, u2=0.02))[name]
    sheared = modal_energy_budget(run())[name]
    assert np.abs(uniform).max() < 1e-13 * np.abs(sheared).max()


def test_generation_is_the_heat_flux_down_the_mean_gradient() -> None:
    # (U_1 - U_2) d_1 F_1 <v_2 psi_1>: the flow carries the slope of the interface.
    q = smooth()
    psi = invert(q)
    upper = np.fft.irfft2(psi[..., 0, :, :], s=(NY, NX))
    v_lower = np.fft.irfft2(1j * K * psi[..., 1, :, :], s=(NY, NX))
    expected = 0.04 * DEPTH[0] * F1 * (v_lower * upper).mean(axis=(-2, -1))
    budget = energy_budget(run(q))
    generation = budget.available_potential_energy_generation.sum("wavenumber")
    np.testing.assert_allclose(generation * float(budget.wavenumber[1]), expected, rtol=1e-10)


def test_the_filter_takes_energy_from_a_steady_state() -> None:
    dataset = run(filter=1)
    resting = dataset.copy()
    resting["q"] = dataset.q * 1e-6
    budget = modal_energy_budget(resting)
    assert budget["filter"].max() <= 1e-12 * np.abs(budget["filter"]).max()
    assert budget["filter"].min() < 0.0


def test_energy_spectra_integrate_to_the_energy() -> None:
    q = smooth()
    spectra = energy_spectra(run(q))
    width = float(spectra.wavenumber[1])
    total = (spectra.kinetic_energy + spectra.available_potential_energy).sum("wavenumber") * width
    np.testing.assert_allclose(total, total_energy(q), rtol=1e-12)
    assert spectra.kinetic_energy.units == "m3 s-2"


def test_the_flux_is_minus_the_accumulated_transfer() -> None:
    budget = energy_budget(run(smooth()))
    transfer = budget.kinetic_energy_transfer
    flux = cumulative_flux(transfer)
    width = float(budget.wavenumber[1])
    np.testing.assert_allclose(flux[..., 3], -width * transfer[..., :4].sum("wavenumber"))
    assert float(np.abs(flux[..., -1]).max()) < 1e-12 * float(np.abs(flux).max())
    assert flux.units == "m2 s-3"


def test_budgets_are_labelled() -> None:
    dataset = run(filter=1)
    budget = energy_budget(dataset, dataset.q * 1e-7)
    assert list(budget) == [
        "kinetic_energy_transfer",
        "available_potential_energy_transfer",
        "available_potential_energy_generation",
        "bottom_drag",
        "filter",
        "parameterization",
        "total",
    ]
    assert {variable.units for variable in budget.values()} == {"m3 s-3"}
    assert budget.total.dims == ("time", "member", "wavenumber")
    assert budget.filter.attrs["long_name"] == "small-scale filter"


def test_wrong_datasets_are_refused() -> None:
    dataset = run()
    with pytest.raises(ValueError, match="expected a run of the two-layer model with q, got vort"):
        energy_budget(dataset.rename(q="vorticity").isel(layer=0, drop=True))
    with pytest.raises(ValueError, match=r"parameterization: expected the dimensions .* of q"):
        energy_budget(dataset, dataset.q[..., ::2])
    del dataset.attrs["bottom_drag"]
    with pytest.raises(ValueError, match="expected the attributes bottom_drag"):
        energy_budget(dataset)
