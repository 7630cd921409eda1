"""The symbolic closure: weights that a fit finds again, the published ones, and bad pairs."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from two_dimensional_flow import positions, spacing
from two_layer_fields import WEIGHTS, flow_of, tendency_of, turbulence

from closures.quasigeostrophic import HybridSymbolic, fit_hybrid_symbolic

N = 16
MEAN_FLOW = (0.4, -0.7)
DIMS = ("time", "member", "layer", "y", "x")


def pairs(noise: float = 0.0) -> xr.Dataset:
    """Flows with the tendencies of a known closure, 20 snapshots of one member."""
    q = turbulence(N, seed=3, n_member=20)
    flow = flow_of(q)
    closure = HybridSymbolic(spacing(N), WEIGHTS, mean_flow=MEAN_FLOW)
    tendency = tendency_of(closure, q)
    rng = np.random.default_rng(1)
    tendency = tendency + noise * tendency.std() * rng.standard_normal(tendency.shape)
    fields = {"q": q, "u": flow["u"], "v": flow["v"], "q_tendency": tendency}
    x = positions(N)[0][0]
    return xr.Dataset(
        {name: (DIMS, values[:, np.newaxis]) for name, values in fields.items()},
        coords={"x": x, "y": x},
        attrs={"u1": MEAN_FLOW[0], "u2": MEAN_FLOW[1], "source": "a known closure"},
    )


def found(data: xr.Dataset) -> Any:
    return fit_hybrid_symbolic(data).weights[:, :, 0, 0].numpy()


def test_a_fit_finds_the_weights_of_a_known_closure() -> None:
    data = pairs()
    assert found(data) == pytest.approx(WEIGHTS, rel=1e-8)
    # The order of dims does not matter.
    assert found(data.transpose("x", "layer", ...)) == pytest.approx(WEIGHTS, rel=1e-8)


def test_a_fit_is_least_squares() -> None:
    data = pairs(noise=0.3)
    closure = fit_hybrid_symbolic(data)
    assert closure.spec.provenance["n_snapshot"] == "20"
    assert closure.spec.provenance["data"] == "a known closure"
    q = data.q.values[:, 0]
    misfit = data.q_tendency.values[:, 0] - tendency_of(closure, q)
    for i in range(7):
        weights = np.zeros((2, 7))
        weights[:, i] = 1.0
        term = tendency_of(HybridSymbolic(spacing(N), weights, mean_flow=MEAN_FLOW), q)
        angle = (misfit * term).sum(axis=(0, 2, 3)) / np.sqrt(
            (misfit**2).sum(axis=(0, 2, 3)) * (term**2).sum(axis=(0, 2, 3))
        )
        # The misfit has nothing left of any term.
        assert np.abs(angle).max() <= 1e-9, i


def test_the_published_closure_has_the_published_weights() -> None:
    closure = HybridSymbolic.published((15625.0, 15625.0), mean_flow=(0.025, 0.0))
    weights = closure.weights[:, :, 0, 0].numpy()
    assert weights.shape == (2, 7)
    assert weights[:, 0] == pytest.approx([1.40773e7, 5.19646e6], rel=1e-5)
    assert weights[:, 6] == pytest.approx([8.99019e10, 9.79014e11], rel=1e-5)
    assert closure.mean_flow.ravel().tolist() == [0.025, 0.0]
    assert "online_metrics" in closure.spec.provenance["weights"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.drop_vars("v"), "pairs: expected a variable 'v' with dims"),
        (lambda d: d.isel(x=0), "pairs: expected a variable 'q' with dims"),
        (lambda d: d.isel(layer=[0]), "q: expected 2 layers, got 1"),
        (lambda d: d.assign_attrs(u1=None), "u1"),
        (lambda d: d.drop_vars("x"), "expected a coordinate 'x' .m. that grows in even steps"),
        (lambda d: d.assign_coords(y=d.y**2), "expected a coordinate 'y' .m. that grows in even"),
        (
            lambda d: d.map(np.zeros_like, keep_attrs=True),
            "expected fields in which all 7",
        ),
    ],
)
def test_pairs_that_do_not_do_are_refused(spoil: Any, message: str) -> None:
    data = spoil(pairs())
    data.attrs = {name: value for name, value in data.attrs.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        fit_hybrid_symbolic(data)
