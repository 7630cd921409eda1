"""A term that a model lacks, from three snapshots of which only noisy observations are known."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error.assimilation import Modes, SnapshotFilter
from solvers.kuramoto_sivashinsky import KuramotoSivashinsky

DT = 5e-3
TRUTH = KuramotoSivashinsky(nx=256, length=25.0, dt=1e-3)
MODES = Modes(("fourier",), (25.0,), (256,))


@pytest.fixture(scope="module")
def windows() -> NDArray[np.float64]:
    """Return 200 windows of three snapshots of the attractor, without noise."""
    coarse = dataclasses.replace(TRUTH, dt=1e-2)
    run = coarse.run(time=100.0, save_every=5, n_member=20, seed=1)
    states = run.u.values[-10:].reshape(-1, 256)
    window = [states]
    for _ in range(2):
        state = window[-1]
        for _ in range(5):
            state = TRUTH.one_step(state)
        window.append(state)
    return np.stack(window, axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_missing_diffusion_is_found_within_its_standard_error(
    windows: NDArray[np.float64], seed: int
) -> None:
    noise = 0.01 * windows.std()
    noisy = windows + noise * np.random.default_rng(seed).standard_normal(windows.shape)
    snapshots = SnapshotFilter.fit(noisy, MODES, DT)
    assert snapshots.noise == pytest.approx(noise, rel=0.02)
    analysis = snapshots(noisy)
    model = KuramotoSivashinsky(nx=256, length=25.0, dt=DT, scheme="CNAB2", antidiffusion=0.0)
    before, after = analysis.at(-0.5 * DT), analysis.at(0.5 * DT)
    change = (model.one_step(before, analysis.at(-1.5 * DT)) - before) / DT
    # The term goes through the implicit operator of the model's step.
    spectrum = np.fft.rfft(0.5 * (before + after)) * -(model.k**2)
    column = np.fft.irfft(spectrum / (1.0 - 0.5 * DT * model.linear), n=256)
    target = MODES.rows(analysis.observed_tendency - change, snapshots.resolved)
    x = MODES.rows(column, snapshots.resolved)
    coefficient = np.sum(x * target) / np.sum(x**2)
    error = analysis.tendency_noise / np.sqrt(np.sum(x**2))
    # The equation is u_t = -u_xx + ...
    assert abs(coefficient + 1.0) < 3.5 * error
    assert error < 0.012
    residual = target - coefficient * x
    assert residual.std() == pytest.approx(analysis.tendency_noise, rel=0.05)
