"""Noise of two-layer networks: its memory, its spectrum, and what is learned of them."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor
from two_dimensional_flow import spacing
from two_layer_fields import flow_of, turbulence

from closures import SpecError
from closures.quasigeostrophic.networks import (
    Architecture,
    NetworkClosure,
    StochasticNetwork,
    fit_spread,
)
from closures.quasigeostrophic.networks.stochastic import N_RING, coloured
from closures.quasigeostrophic.networks.stochastic_fit import ring_amplitudes
from closures.training import Training, TrainingError

N = 16
STEP = spacing(N)
DT = 600.0
TRAINING = Training(n_epoch=25, batch_size=8, learning_rate=0.02, weight_decay=0.0)

Q = turbulence(N, seed=3, n_member=8)
FLOW = flow_of(Q)


def network() -> NetworkClosure:
    made = NetworkClosure(STEP, Architecture(n_channel=4, n_block=1)).eval()
    q, u, v = (torch.from_numpy(FLOW.get(name, Q)).float() for name in "quv")
    made.set_scales(q, u, v, 2.0 * q)
    return made


def fields(n: int) -> tuple[Tensor, Tensor, Tensor]:
    q, u, v = (torch.from_numpy(FLOW.get(name, Q)[:n]).float() for name in "quv")
    return q, u, v


def white(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def red_colour() -> Tensor:
    """Amplitudes that fall to a tenth towards the corner, another for each layer."""
    ramp = torch.linspace(1.0, 0.1, N_RING)
    return torch.stack([ramp, ramp**2])


def test_the_state_has_the_variance_and_the_memory_of_its_process() -> None:
    closure = StochasticNetwork(network(), DT, correlation_time=5.0 * DT)
    assert closure.correlation_time == pytest.approx(5.0 * DT, rel=1e-6)
    state, kept = torch.zeros(4, 2, N, N), []
    with torch.no_grad():
        for step in range(240):
            _, state = closure(*fields(4), state, white(step, 4, 2, N, N))
            if step >= 40:
                kept.append(state)
    z = torch.stack(kept)
    # 2048 series of some 20 times of decay: half a per cent.
    assert float(z.var()) == pytest.approx(1.0, abs=0.02)
    assert float(z.mean()) == pytest.approx(0.0, abs=0.02)
    for lag in (1, 5, 10):
        found = float((z[lag:] * z[:-lag]).mean())
        assert found == pytest.approx(np.exp(-lag / 5.0), abs=0.02)


def test_without_a_memory_the_state_is_the_noise() -> None:
    closure, shock = StochasticNetwork(network(), DT), white(1, 2, 2, N, N)
    assert closure.correlation_time == 0.0
    assert torch.equal(closure(*fields(2), white(2, 2, 2, N, N), shock)[1], shock)


@pytest.mark.parametrize("shape", [(16, 16), (12, 20), (9, 15)])
def test_colours_keep_the_variance(shape: tuple[int, int]) -> None:
    # The answer to a single 1 has, in squares, the variance that white noise gets.
    one = torch.zeros(1, 2, *shape)
    one[..., 3, 4] = 1.0
    answer = coloured(one, red_colour())
    torch.testing.assert_close(answer.square().sum((2, 3)), torch.ones(1, 2))
    torch.testing.assert_close(coloured(one, torch.ones(2, N_RING)), one, rtol=0, atol=1e-6)


def test_amplitudes_of_rings_are_those_of_the_colour() -> None:
    noise = coloured(white(5, 200, 2, 32, 32), red_colour())
    found = ring_amplitudes(noise)
    ratio = found / red_colour()
    # A ring of 200 states has hundreds of waves, but for the corner and the mean.
    inner = ratio[:, 2:-2] / ratio[:, 2:-2].mean(1, keepdim=True)
    assert float((inner - 1.0).abs().max()) < 0.1


def test_the_mean_stays_and_the_noise_is_what_is_added() -> None:
    closure = StochasticNetwork(network(), DT)
    closure.colour.copy_(red_colour())
    with torch.no_grad():
        made, _ = closure(*fields(3), torch.zeros(3, 2, N, N), white(7, 3, 2, N, N))
        quiet, _ = closure(*fields(3), torch.zeros(3, 2, N, N), torch.zeros(3, 2, N, N))
    size = float(made.abs().max())
    assert float(made.mean((2, 3)).abs().max()) < 1e-6 * size
    assert float((made - quiet).abs().max()) > 0.1 * size
    torch.testing.assert_close(quiet, closure.network(*fields(3))[0])


def test_spreads_know_no_sign_and_no_mirror() -> None:
    closure = StochasticNetwork(network(), DT)
    x = white(3, 2, 4, N, N)
    with torch.no_grad():
        spread = closure.spread(x)
        torch.testing.assert_close(closure.spread(-x), spread)
        torch.testing.assert_close(closure.spread(x.flip(-2)), spread.flip(-2))
    assert float(spread.min()) > 0.0


def noisy_pairs(memory: float, n_time: int = 40) -> tuple[NetworkClosure, xr.Dataset, Tensor]:
    """Steady flows, and targets: what a network makes, and red noise that grows with q."""
    closure = network()
    q, u, v = fields(4)
    with torch.no_grad():
        known = closure(q, u, v)[0] / closure.output_spread
    size = closure.channels(q, u, v)[:, :2].abs()
    spread = 0.2 + 0.6 * size
    state, targets = white(0, 4, 2, N, N), []
    for step in range(n_time):
        state = memory * state + (1.0 - memory**2) ** 0.5 * white(step + 1, 4, 2, N, N)
        targets.append(closure.output_spread * (known + spread * coloured(state, red_colour())))
    dims = ("run", "time", "layer", "y", "x")
    each = {
        name: field[:, None].expand(-1, n_time, -1, -1, -1)
        for name, field in {"q": q, "u": u, "v": v}.items()
    }
    each["q_tendency"] = torch.stack(targets, dim=1)
    pairs = xr.Dataset({name: (dims, field.numpy()) for name, field in each.items()})
    return closure, pairs.assign_coords(time=3600.0 * np.arange(n_time)), spread


def test_spread_spectrum_and_memory_are_learned() -> None:
    memory = 0.7
    known, pairs, spread = noisy_pairs(memory)
    before = {name: each.clone() for name, each in known.state_dict().items()}
    closure = StochasticNetwork(known, DT, seed=1)
    history = fit_spread(closure, pairs, TRAINING)
    with torch.no_grad():
        found = closure.spread(known.channels(*fields(4)))
    correlation = np.corrcoef(found.flatten(), spread.flatten())[0, 1]
    assert correlation > 0.9
    assert float((found / spread).log().abs().mean()) < 0.15
    # One spread for all states: the logarithm of its size, and a half.
    constant = float(spread.square().mean().sqrt().log()) + 0.5
    assert min(history.validation) < constant - 0.05
    assert closure.correlation_time == pytest.approx(-3600.0 / np.log(memory), rel=0.1)
    ratio = closure.colour / red_colour()
    inner = ratio[:, 3:16] / ratio[:, 3:16].mean(1, keepdim=True)
    assert float((inner - 1.0).abs().max()) < 0.25
    after = known.state_dict()
    assert all(torch.equal(each, after[name]) for name, each in before.items())


def test_a_given_memory_needs_no_times() -> None:
    known, pairs, _ = noisy_pairs(0.0, n_time=10)
    closure = StochasticNetwork(known, DT)
    once = Training(n_epoch=1, batch_size=8, learning_rate=0.01, weight_decay=0.0)
    fit_spread(closure, pairs.drop_vars("time"), once, correlation_time=7200.0)
    assert closure.correlation_time == pytest.approx(7200.0, rel=1e-5)


def test_times_that_do_not_tell_the_memory_are_refused() -> None:
    known, pairs, _ = noisy_pairs(0.0, n_time=10)
    once = Training(n_epoch=1, batch_size=8, learning_rate=0.01, weight_decay=0.0)
    closure = StochasticNetwork(known, DT)
    with pytest.raises(TrainingError, match=r"expected a coordinate time \[s\] with equal steps"):
        fit_spread(closure, pairs.drop_vars("time"), once)
    uneven = pairs.assign_coords(time=np.arange(10.0) ** 2)
    with pytest.raises(TrainingError, match="give correlation_time"):
        fit_spread(closure, uneven, once)
    with pytest.raises(TrainingError, match=r"correlated by 0\.1 at least .* got .* after 3600 s"):
        fit_spread(closure, pairs, once)


def test_times_that_cannot_be_are_refused() -> None:
    with pytest.raises(SpecError, match=r"dt: expected a positive time step \[s\], got 0"):
        StochasticNetwork(network(), 0.0)
    with pytest.raises(SpecError, match=r"correlation_time: expected 0 or a positive time .* -1"):
        StochasticNetwork(network(), DT, correlation_time=-1.0)
