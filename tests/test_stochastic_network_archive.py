"""A stochastic network in an archive: its noise is that of its seed, its memory a state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from two_layer_flow import relative_difference, vigorous

import hybrid
from closures.quasigeostrophic.networks import Architecture, NetworkClosure, StochasticNetwork
from hybrid.noise import standard_normal
from solvers import TwoLayerQG
from solvers.spectral import to_grid

pytestmark = pytest.mark.fortran

Array = NDArray[Any]

MODEL = TwoLayerQG(nx=32, dt=3600.0)
SPACING = (MODEL.grid.dy, MODEL.grid.dx)
N_STEP = 20


@pytest.fixture(scope="module")
def closure() -> StochasticNetwork:
    """Noise with a tendency of a few per cent of that of the flow, red, with a memory."""
    network = NetworkClosure(
        SPACING, Architecture(n_channel=4, n_block=1), largest={"q": 1e-3, "u": 20.0, "v": 20.0}
    ).eval()
    q, grid = vigorous(MODEL), MODEL.grid
    psi = MODEL.invert(np.fft.rfft2(q))
    u, v = (to_grid(each * psi, grid.shape) for each in (-1j * grid.l[:, None], 1j * grid.k))
    network.set_scales(
        *(torch.from_numpy(each)[None] for each in (q, u, v, 0.05 * MODEL.tendency(q)))
    )
    made = StochasticNetwork(network, MODEL.dt, correlation_time=4.0 * MODEL.dt)
    made.colour.copy_(torch.linspace(1.0, 0.1, made.colour.shape[1]).expand(2, -1))
    return made.eval()


@pytest.fixture(scope="module")
def archive(closure: StochasticNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "stochastic.pt"
    hybrid.export(closure, path)
    return path


def spectrum(path: Path, seed: int) -> Array:
    run = MODEL.start(vigorous(MODEL), tendency=hybrid.couple(path, seed=seed))
    run.advance(N_STEP)
    return np.array(run.prognostic["q"][0])


def test_a_seed_gives_the_same_run_and_another_seed_another(archive: Path) -> None:
    first = spectrum(archive, 1)
    assert np.array_equal(first, spectrum(archive, 1))
    assert relative_difference(spectrum(archive, 2), first) > 1e-4


def test_the_run_is_that_of_the_python_closure_with_the_same_numbers(
    closure: StochasticNetwork, archive: Path
) -> None:
    q = vigorous(MODEL)
    state = torch.zeros(1, 2, *MODEL.grid.shape)

    def in_python(fields: Mapping[str, Array], step: int) -> Array:
        nonlocal state
        numbers = standard_normal(1, 0, step, np.array([1]), state.numel())
        shock = torch.from_numpy(numbers).float().reshape(state.shape)
        given = (torch.from_numpy(np.array(fields[name]))[None] for name in "quv")
        with torch.no_grad():
            made, state = closure(*given, state, shock)
        return np.asarray(made[0].double().numpy())

    run = MODEL.start(q, tendency=in_python)
    run.advance(N_STEP)
    expected = run.prognostic["q"][0]
    # The closure is in single precision.
    assert relative_difference(spectrum(archive, 1), expected) < 1e-5
    assert np.isfinite(to_grid(expected, MODEL.grid.shape)).all()


def test_a_run_that_goes_on_remembers_the_noise(archive: Path, tmp_path: Path) -> None:
    q = vigorous(MODEL)
    settings: dict[str, Any] = {"save_every": 10, "tendency": hybrid.couple(archive, seed=1)}
    whole = MODEL.run(steps=20, initial=q, **settings)
    half = MODEL.run(steps=10, initial=q, **settings)
    rest = MODEL.run(steps=10, initial=half, **settings)
    assert np.array_equal(rest["q"][-1], whole["q"][-1])
