"""MLP, ridge and climatology as closures: physical units, limits, determinism."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from closures.climsim.baselines import climatology, fit_ridge
from closures.climsim.emulator import normalizations, predict
from closures.climsim.files import Columns, list_pairs, read_columns
from closures.climsim.mlp import WIDTHS, MLPConfig, build_network, train_mlp
from closures.climsim.splits import season
from closures.climsim.variables import v1
from closures.columns.emulator import ColumnEmulator
from closures.training import Training
from hybrid import torchscript

V1 = v1()
SMALL = MLPConfig(Training(n_epoch=2, batch_size=64, seed=5), widths=(16, 8))


@pytest.fixture(scope="module")
def columns(sample_folder: Path) -> Columns:
    return read_columns(list_pairs(sample_folder), V1)


@pytest.fixture(scope="module")
def mlp(columns: Columns) -> ColumnEmulator:
    return train_mlp(columns, V1, SMALL, provenance={"data": "sample"})[0]


def test_network_has_the_layers_and_size_of_the_paper() -> None:
    network = build_network(124, WIDTHS, 128, seed=0)
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [768, 640, 512, 640, 640, 128, 128]
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_753_472


def test_spec_names_what_the_host_binds(mlp: ColumnEmulator, columns: Columns) -> None:
    assert [(field.name, field.units, field.shape) for field in mlp.spec.inputs] == [
        ("state_t", "K", (60,)),
        ("state_q0001", "kg kg-1", (60,)),
        ("state_ps", "Pa", ()),
        ("pbuf_solin", "W m-2", ()),
        ("pbuf_lhflx", "W m-2", ()),
        ("pbuf_shflx", "W m-2", ()),
    ]
    assert [(field.name, field.units) for field in mlp.spec.outputs][:4] == [
        ("ptend_t", "K s-1"),
        ("ptend_q0001", "kg kg-1 s-1"),
        ("cam_out_netsw", "W m-2"),
        ("cam_out_flwds", "W m-2"),
    ]
    temperature = mlp.spec.inputs[0]
    assert temperature.valid_min == pytest.approx(columns.inputs[:, :60].min(axis=0), rel=1e-7)
    assert temperature.valid_max == pytest.approx(columns.inputs[:, :60].max(axis=0), rel=1e-7)
    assert mlp.spec.provenance["data"] == "sample"
    assert mlp.spec.provenance["n_column"] == "3456"
    assert mlp.spec.provenance["seed"] == "5"


def test_same_seed_same_network(mlp: ColumnEmulator, columns: Columns) -> None:
    before = torch.random.get_rng_state()
    again, history = train_mlp(columns, V1, SMALL)
    assert torch.equal(torch.random.get_rng_state(), before)
    for first, second in zip(mlp.parameters(), again.parameters(), strict=True):
        assert torch.equal(first, second)
    other, _ = train_mlp(columns, V1, replace(SMALL, training=Training(2, 64, seed=6)))
    assert not torch.equal(next(iter(mlp.parameters())), next(iter(other.parameters())))
    assert len(history.training) == 2


def test_outputs_that_never_vary_stay_exactly_constant(
    mlp: ColumnEmulator, columns: Columns
) -> None:
    never = columns.outputs.std(axis=0) == 0.0
    assert never[60:72].all()
    assert never.sum() == 12
    wild = columns.inputs[:50] * np.linspace(0.5, 1.5, 50)[:, None]
    np.testing.assert_array_equal(predict(mlp, wild, V1)[:, never], 0.0)


def test_fluxes_and_precipitation_are_never_negative(mlp: ColumnEmulator, columns: Columns) -> None:
    ridge = fit_ridge(columns, V1)
    # Far from the training columns, where the last layer alone would give negative fluxes.
    scale = np.linspace(0.5, 1.5, columns.inputs.shape[0])[:, None]
    for closure in (mlp, ridge):
        outputs = predict(closure, columns.inputs * scale, V1)
        assert outputs[:, 120:].min() == 0.0
        assert outputs[:, :60].min() < 0.0 < outputs[:, :60].max()


def test_ridge_recovers_a_linear_truth(columns: Columns) -> None:
    # Smooth profiles: 124 collinear features would leave the map undetermined.
    rng = np.random.default_rng(2)
    inputs = np.tile(columns.inputs.mean(axis=0), (500, 1))
    for feature in (10, 59, 110, 120, 121):
        inputs[:, feature] *= 1.0 + 0.2 * rng.standard_normal(500)
    outputs = np.zeros((500, 128))
    outputs[:, 30] = 1e-7 * inputs[:, 59] - 2e-9 * inputs[:, 121]
    outputs[:, 121] = 300.0 + 0.5 * inputs[:, 59]
    made = Columns(columns.pairs, inputs, outputs)
    found = predict(fit_ridge(made, V1, penalty=0.0), inputs, V1)
    np.testing.assert_allclose(found[:, 30], outputs[:, 30], atol=1e-5 * np.ptp(outputs[:, 30]))
    np.testing.assert_allclose(found[:, 121], outputs[:, 121], rtol=1e-5)
    with pytest.raises(ValueError, match="expected a penalty >= 0, got -1"):
        fit_ridge(made, V1, penalty=-1.0)


def test_climatology_is_the_mean_of_the_training_columns(columns: Columns) -> None:
    found = climatology(columns, 3)
    assert found.shape == (3, 128)
    np.testing.assert_allclose(found[1], columns.outputs.mean(axis=0))


def test_tiny_variations_of_humidity_are_not_amplified(columns: Columns) -> None:
    inputs, _ = normalizations(columns, V1)
    mean, spread = columns.inputs.mean(axis=0), columns.inputs.std(axis=0)
    ratio = spread[60:120] / mean[60:120]
    assert ratio.min() < 0.02
    assert ratio.max() > 0.5
    np.testing.assert_allclose(inputs.spread[60:120], np.maximum(ratio, 0.1) * mean[60:120])
    np.testing.assert_allclose(inputs.spread[:60], spread[:60])


def test_next_seasons_stratospheric_vapour_is_within_reach(real_folder: Path) -> None:
    """Vapour near the top drifts; by its own deviation it would leave the training range."""
    split = season(list_pairs(real_folder))
    train, test = (read_columns(pairs, V1) for pairs in (split.train, split.test))
    top = 60
    plain = (test.inputs[:, top] - train.inputs[:, top].mean()) / train.inputs[:, top].std()
    assert plain.mean() > 5.0
    inputs, _ = normalizations(train, V1)
    assert np.abs(inputs.normalize(test.inputs)[:, top]).max() < 0.5


def test_scripted_closure_computes_the_same(mlp: ColumnEmulator, columns: Columns) -> None:
    scripted = torch.jit.load(io.BytesIO(torchscript.compiled(mlp)))  # type: ignore[no-untyped-call]
    features = torch.from_numpy(columns.inputs[:40]).float()
    arguments = (features[:, :60], features[:, 60:120], *features[:, 120:].unbind(1))
    for eager, compiled in zip(mlp(*arguments), scripted(*arguments), strict=True):
        assert torch.equal(eager, compiled)


def test_widths_are_checked() -> None:
    with pytest.raises(ValueError, match="expected positive widths of hidden layers"):
        MLPConfig(widths=())
