"""The U-Net of two-layer flow: what it sees, which shifts it keeps, and that it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor
from two_dimensional_flow import spacing
from two_layer_fields import flow_of, turbulence

import hybrid
from closures import SpecError
from closures.quasigeostrophic.networks import Architecture, NetworkClosure, fit_network
from closures.quasigeostrophic.networks.unet import UNet
from closures.training import Training

N = 16
STEP = spacing(N)
QUV = ("q", "u", "v")
SMALL = Architecture(kind="unet", inputs=QUV, n_channel=4, n_block=2, width=3)
LARGEST = {"q": 1e3, "u": 1e3, "v": 1e3}


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3)).double()


def unet(n_halving: int = 2, width: int = 3) -> UNet:
    torch.manual_seed(1)
    return UNet(3, 4, n_halving, width).double().requires_grad_(False)


@pytest.mark.parametrize("n_halving", [1, 2, 3])
def test_shifts_by_whole_cells_of_the_coarsest_grid_are_kept(n_halving: int) -> None:
    network, x, cell = unet(n_halving), drawn(2, 3, 16, 24), 2**n_halving
    made = network(x)
    assert made.shape == (2, 2, 16, 24)
    shifted = network(x.roll((cell, -cell), (-2, -1)))
    torch.testing.assert_close(shifted, made.roll((cell, -cell), (-2, -1)), rtol=0, atol=1e-12)
    off = network(x.roll(1, -1)) - made.roll(1, -1)
    assert float(off.abs().max()) > 1e-3 * float(made.abs().max())


def test_coarser_grids_carry_what_is_far_away() -> None:
    x = drawn(1, 3, 32, 32)
    changed = x.clone()
    changed[..., 16, 16] += 1.0
    difference = (unet(3)(changed) - unet(3)(x)).abs().amax((0, 1, 2))
    # Three kernels of 3 points on the finest grid see 3 points to either side.
    assert float(difference[:12].max()) > 0.0


def test_grids_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a multiple of 4 points along y and x, got 8 x"):
        unet()(drawn(1, 3, 8, 10))


def test_symmetries_are_refused() -> None:
    with pytest.raises(SpecError, match=r"symmetry: expected none for unet, .* got mirror; choose"):
        Architecture(kind="unet", inputs=QUV, symmetry="mirror")


def test_it_learns_and_its_mean_is_0() -> None:
    q = turbulence(N, seed=3, n_member=20)
    flow = flow_of(q)
    # Relaxation towards means over neighbours: what a few kernels can learn.
    target = sum(np.roll(q, s, a) for s in (1, -1) for a in (-1, -2)) / 4.0 - q
    fields = {"q": q, "u": flow["u"], "v": flow["v"], "q_tendency": target}
    pairs = xr.Dataset({name: (("time", "layer", "y", "x"), f) for name, f in fields.items()})
    closure = NetworkClosure(STEP, SMALL)
    training = Training(n_epoch=40, batch_size=4, learning_rate=0.01, weight_decay=0.0)
    history = fit_network(closure, pairs, training)
    # Nothing at all would leave 1.
    assert min(history.validation) < 0.5
    with torch.no_grad():
        made = closure(*(torch.from_numpy(fields[name]) for name in QUV))[0]
    assert float(made.mean((2, 3)).abs().max()) < 1e-6 * float(made.abs().max())


def test_it_is_exported(tmp_path: Path) -> None:
    hybrid.export(NetworkClosure(STEP, SMALL, largest=LARGEST), tmp_path / "unet.pt")
    assert (tmp_path / "unet.pt").exists()
