"""The sparse symbolic closure: its terms, which of them a regression finds, and its equation."""

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from pysindy import FROLS, STLSQ
from torch import Tensor
from two_dimensional_flow import positions, spacing
from two_layer_fields import (
    POTENTIAL_VORTICITY,
    VORTICITY,
    Field,
    U,
    V,
    by_formulas,
    close,
    dx,
    dy,
    flow_of,
    layers,
    tendency_of,
    turbulence,
)

import hybrid
from closures.errors import SpecError
from closures.model_error import LibraryError
from closures.quasigeostrophic import HybridSymbolic, SparseSymbolic, fit_sparse_symbolic
from closures.quasigeostrophic.snapshots import Snapshots
from closures.quasigeostrophic.sparse_terms import FIELDS, TERMS
from closures.quasigeostrophic.whitening import Whitening
from hybrid.equations import read_closed_form

N = 32
MEAN_FLOW = (0.4, -0.7)
DIMS = ("time", "layer", "y", "x")
SHAPE = (2, len(FIELDS), 4)


def weights(*given: tuple[int, str, int, float]) -> Field:
    """Weights that are 0 but for some: layer, name of the field, power, value."""
    values = np.zeros(SHAPE)
    names = [field.name for field in FIELDS]
    for layer, name, power, value in given:
        values[layer, names.index(name), power] = value
    return values


TRUE = weights(
    (0, "A vorticity", 1, 0.5),
    (0, "vorticity", 2, -0.3),
    (0, "A A q", 1, 0.02),
    (1, "A q", 0, 0.2),
    (1, "q", 3, 0.1),
)


def pairs(noise: float = 0.1) -> xr.Dataset:
    """Flows with the tendencies of a known closure, and noise relative to these."""
    q = turbulence(N, seed=3, n_member=12)
    flow = flow_of(q)
    tendency = tendency_of(SparseSymbolic(spacing(N), TRUE, mean_flow=MEAN_FLOW), q)
    rng = np.random.default_rng(1)
    scale = noise * tendency.std(axis=(0, 2, 3), keepdims=True)
    tendency = tendency + scale * rng.standard_normal(tendency.shape)
    x = positions(N)[0][0]
    return xr.Dataset(
        {name: (DIMS, values) for name, values in {"q": q, "u": flow["u"], "v": flow["v"]}.items()}
        | {"q_tendency": (DIMS, tendency)},
        coords={"x": x, "y": x},
        attrs={"u1": MEAN_FLOW[0], "u2": MEAN_FLOW[1], "source": "a known closure"},
    )


def test_terms_are_laplacians_of_products_of_derivatives() -> None:
    whole = layers(U, N) + np.array(MEAN_FLOW)[:, np.newaxis, np.newaxis]
    q, v = layers(POTENTIAL_VORTICITY, N), layers(V, N)
    vorticity = layers(VORTICITY, N)

    def advected(field: Field) -> Field:
        return dx(whole * field) + dy(v * field)

    once = [advected(q), advected(vorticity)]
    fields = [q, vorticity, v, dx(q), *once, *map(advected, once)]
    closure = SparseSymbolic(spacing(N), np.zeros(SHAPE), mean_flow=MEAN_FLOW)
    known = by_formulas(N)
    found = closure.terms(known["q"], known["u"], known["v"])[0]
    assert len(found) == len(TERMS) == 4 * len(fields)
    area = spacing(N)[0] * spacing(N)[1]
    for i, (field, power) in enumerate(TERMS):
        expected = fields[field]
        for _ in range(power):
            expected = area * (dx(dx(expected)) + dy(dy(expected)))
        # Six derivatives multiply the rounding of the shortest waves, of which the long have none.
        assert close(found[i], expected, 1e-7), (FIELDS[field].name, power)


def test_the_tendency_is_the_weighted_sum_of_terms() -> None:
    values = np.random.default_rng(0).standard_normal(SHAPE)
    closure = SparseSymbolic(spacing(N), values, mean_flow=MEAN_FLOW)
    known = by_formulas(N)
    state = known["q"], known["u"], known["v"]
    terms = closure.terms(*state)[0].numpy()
    total = (values.reshape(2, -1, 1, 1) * terms.swapaxes(0, 1)).sum(axis=1)
    assert close(closure(*state)[0][0], total, 1e-10)


def test_what_it_shares_with_the_published_closure_is_the_same() -> None:
    published = np.zeros((2, 7))
    published[:, :5] = [[0.3, 0.02, -0.001, 0.03, 0.002], [-0.1, 0.05, 0.003, 0.01, -0.004]]
    area = spacing(N)[0] * spacing(N)[1]
    places = (("A q", 1), ("A q", 2), ("A q", 3), ("q", 2), ("q", 3))
    same = weights(
        *(
            (layer, name, power, published[layer, i] / area**power)
            for layer in range(2)
            for i, (name, power) in enumerate(places)
        )
    )
    q = turbulence(N)
    expected = tendency_of(HybridSymbolic(spacing(N), published, mean_flow=MEAN_FLOW), q)
    assert close(tendency_of(SparseSymbolic(spacing(N), same, mean_flow=MEAN_FLOW), q), expected)


@pytest.mark.parametrize(("noise", "whiten"), [(0.1, False), (0.001, True)])
def test_the_relevance_vector_machine_finds_the_terms(noise: float, *, whiten: bool) -> None:
    closure = fit_sparse_symbolic(pairs(noise), within=1e-4, whiten=whiten)
    found = closure.weights.numpy()
    assert ((found != 0.0) == (TRUE != 0.0)).all()
    assert found == pytest.approx(TRUE, rel=0.02, abs=0.0)
    assert closure.spec.provenance["data"] == "a known closure"
    assert "relevance" in closure.spec.provenance["weights"]
    assert closure.spec.provenance["explained"].startswith(f"{1.0 - noise**2:.3f} of the upper")
    assert ("all waves alike" in closure.spec.provenance["weights"]) == whiten


@pytest.mark.parametrize("optimizer", [None, FROLS(max_iter=5)])
def test_whitened_noise_leaves_the_terms_their_coefficients(optimizer: FROLS | None) -> None:
    closure = fit_sparse_symbolic(pairs(noise=0.01), within=1e-4, optimizer=optimizer)
    found = closure.weights.numpy()
    # Noise is raised where the target has little else, so that terms may come with the true ones.
    assert found[TRUE != 0.0] == pytest.approx(TRUE[TRUE != 0.0], rel=0.05)


LARGE, SMALL = (0, "A q", 0, 1.0), (0, "q", 3, 1.0)


def test_long_waves_count_as_much_as_short_ones() -> None:
    q = turbulence(N, seed=3, n_member=12)
    data = pairs()
    parts = [
        tendency_of(
            SparseSymbolic(spacing(N), weights(term, (1, *term[1:])), mean_flow=MEAN_FLOW), q
        )
        for term in (LARGE, SMALL)
    ]
    # Of the variance of the target the term at large scales has a thousandth.
    sizes = [part.std(axis=(0, 2, 3), keepdims=True) for part in parts]
    target = 0.03 * parts[0] / sizes[0] + parts[1] / sizes[1]
    data["q_tendency"] = (DIMS, target)
    field = [candidate.name for candidate in FIELDS].index("A q")
    whitened = fit_sparse_symbolic(data).weights.numpy()
    expected = (0.03 / sizes[0])[0, :, 0, 0]
    assert whitened[:, field, 0] == pytest.approx(expected, rel=0.2)
    assert not fit_sparse_symbolic(data, whiten=False).weights.numpy()[:, field].any()


def test_whitened_targets_have_as_much_of_every_wavenumber() -> None:
    snapshots = Snapshots.of(pairs())
    whitened = Whitening.of(snapshots)(snapshots.fields["q_tendency"].astype(np.float64))
    power = np.abs(np.fft.fft2(whitened)) ** 2
    number = np.fft.fftfreq(N, 1.0 / N)
    ring = np.rint(np.hypot(number[:, np.newaxis], number)).astype(int)
    for layer in range(2):
        mean = power[:, layer].mean(axis=0)
        rings = [mean[ring == n].mean() for n in range(1, N // 2)]
        # Means over half of the plane, in which waves along x without y are not there twice.
        assert rings / np.mean(rings) == pytest.approx(np.ones(len(rings)), rel=0.3)


@pytest.mark.parametrize("shape", [(32, 32), (31, 32), (24, 33), (16, 64)])
@pytest.mark.parametrize("steps", [(1.0, 1.0), (0.2, 1.0), (1.0, 16.0)])
def test_grids_of_any_shape_are_whitened(
    shape: tuple[int, int], steps: tuple[float, float]
) -> None:
    noise = np.random.default_rng(0).standard_normal((40, 2, *shape))
    fields = dict.fromkeys(("q", "u", "v", "q_tendency"), noise)
    whitened = Whitening.of(Snapshots(steps, (0.0, 0.0), {**fields}, "noise"))(noise)
    # White noise is white.
    assert whitened / whitened.std() == pytest.approx(noise / noise.std(), abs=0.6)


def test_planes_of_which_a_part_is_missing_have_no_waves() -> None:
    data = pairs()
    data["q_tendency"] = data.q_tendency.where(data.x > data.x[3])
    with pytest.raises(ValueError, match="expected planes with a target everywhere or nowhere"):
        fit_sparse_symbolic(data)
    assert fit_sparse_symbolic(data, whiten=False).weights.numpy().any()


def test_an_optimizer_is_one_that_is_made() -> None:
    for wrong in ("STLSQ", STLSQ):
        with pytest.raises(TypeError, match="optimizer: expected one that is made"):
            fit_sparse_symbolic(pairs(), optimizer=wrong)  # type: ignore[arg-type]


def test_targets_of_several_operators_are_not_mixed() -> None:
    data = pairs().expand_dims(operator=[1, 2])
    with pytest.raises(ValueError, match="expected those of one operator"):
        fit_sparse_symbolic(data)


def test_an_optimizer_of_pysindy_finds_them_too() -> None:
    optimizer = STLSQ(threshold=0.05, alpha=0.0)
    closure = fit_sparse_symbolic(pairs(noise=0.01), whiten=False, optimizer=optimizer)
    found = closure.weights.numpy()
    assert ((found != 0.0) == (TRUE != 0.0)).all()
    assert found == pytest.approx(TRUE, rel=0.02, abs=0.0)
    assert "STLSQ" in closure.spec.provenance["weights"]


def test_fewer_terms_where_more_may_be_left() -> None:
    found = [
        fit_sparse_symbolic(pairs(), within=within, whiten=False).weights.numpy()
        for within in (1e-4, 0.2)
    ]
    n_term = [np.count_nonzero(each, axis=(1, 2)).tolist() for each in found]
    assert n_term[0] == [3, 2]
    assert 1 <= n_term[1][0] < 3


@pytest.mark.parametrize("within", [-0.1, 2.0, float("nan")])
def test_what_may_be_left_is_a_part(within: float) -> None:
    with pytest.raises(ValueError, match="within: expected a part of the variance, from 0 to 1"):
        fit_sparse_symbolic(pairs(), within=within)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(SpecError, match=r"weights: expected numbers of shape \(2, 8, 4\)"):
        SparseSymbolic(spacing(N), np.zeros((2, 7)), mean_flow=MEAN_FLOW)


def test_its_archive_holds_the_equation(tmp_path: Path) -> None:
    given = weights((0, "A q", 1, 0.5), (1, "q_x", 0, -2.0), (1, "A A vorticity", 2, 1e-6))
    closure = SparseSymbolic((2.0, 2.0), given, mean_flow=(0.25, 0.0))
    path = tmp_path / "closure.pt"
    hybrid.export(closure, path)
    form = read_closed_form(path)
    assert form is not None
    assert str(form).splitlines() == [
        "q_t = ...",
        "upper layer: + 2.0 [m2] lap A q",
        "lower layer: - 2.0 [m s-1] q_x + 1.6e-05 [m4 s] lap^2 A A vorticity",
        "A f = div((u + U) f), U = 0.25 and 0.0 m s-1, vorticity = v_x - u_y",
    ]
    assert r"+ 2.0\ \mathrm{m^{2}} \, \nabla^2 A q" in form.latex
    assert r"1.6 \times 10^{-5}\ \mathrm{m^{4}\,s} \, \nabla^4 A^2 \zeta" in form.latex
    assert r"U_1 &= 0.25\ \mathrm{m\,s^{-1}}" in form.latex


def test_a_layer_without_terms_is_written_out() -> None:
    form = SparseSymbolic((2.0, 2.0), np.zeros(SHAPE), mean_flow=(0.0, 0.0)).equation()
    assert "upper layer: nothing" in str(form)
    assert r"\partial_t q_1 &= \cdots + 0" in form.latex


def test_all_terms_change_sign_where_north_and_south_are_exchanged() -> None:
    closure = SparseSymbolic(spacing(N), np.zeros(SHAPE), mean_flow=MEAN_FLOW)
    q, u, v = (known := by_formulas(N))["q"], known["u"], known["v"]

    def exchanged(field: Tensor, sign: float) -> Tensor:
        return sign * torch.roll(field.flip(-2), 1, -2)

    found = closure.terms(exchanged(q, -1.0), exchanged(u, 1.0), exchanged(v, -1.0))[0]
    expected = exchanged(closure.terms(q, u, v), -1.0)[0]
    for term, own, wanted in zip(TERMS, found, expected, strict=True):
        assert close(own, wanted, 1e-7), term.name


def test_dims_in_another_order_are_the_same_pairs() -> None:
    data = pairs().expand_dims(run=2).copy()
    data["q_tendency"] = data.q_tendency.transpose("time", "run", ...)
    assert np.array_equal(
        fit_sparse_symbolic(data).weights, fit_sparse_symbolic(pairs().expand_dims(run=2)).weights
    )
    with pytest.raises(ValueError, match="q_tendency: expected the dims of q"):
        fit_sparse_symbolic(data.assign(q_tendency=data.q_tendency.isel(run=0)))


@pytest.mark.parametrize("optimizer", [None, STLSQ()])
@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize(("factor", "got"), [(0.0, "0"), (np.nan, "NaN")])
def test_a_layer_needs_a_target(
    optimizer: STLSQ | None, factor: float, got: str, *, whiten: bool
) -> None:
    data = pairs()
    data["q_tendency"] = data.q_tendency * xr.DataArray([1.0, factor], dims="layer")
    with pytest.raises(LibraryError, match=f"got {got} in layer 2 for the target"):
        fit_sparse_symbolic(data, whiten=whiten, optimizer=optimizer)


def test_rows_without_a_target_are_left_out() -> None:
    data, seen = pairs(noise=0.01), pairs(noise=0.01)
    data["q_tendency"] = data.q_tendency.where(data.time != 3)
    expected = fit_sparse_symbolic(seen.isel(time=seen.time != 3), optimizer=STLSQ(0.05, alpha=0.0))
    found = fit_sparse_symbolic(data, optimizer=STLSQ(0.05, alpha=0.0))
    assert found.weights.numpy() == pytest.approx(expected.weights.numpy(), rel=1e-9)
