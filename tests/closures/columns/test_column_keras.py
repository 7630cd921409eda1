"""Perceptrons from Keras files, against an evaluation by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from keras_files import Layer, climsim_mlp, evaluate, write_h5, write_keras

from closures.columns.keras import KerasError, load_mlp

LAYERS = climsim_mlp(7, 4, 3)
FEATURES = np.random.default_rng(1).normal(size=(20, 7))


def older_keras(path: Path, layers: list[Layer]) -> Path:
    return write_keras(path, layers, "_layer_checkpoint_dependencies")


@pytest.mark.filterwarnings("ignore:.*instance-level annotations.*")  # of generated modules
@pytest.mark.parametrize(
    ("write", "name"),
    [(write_h5, "mlp.h5"), (write_keras, "mlp.keras"), (older_keras, "older.keras")],
)
def test_functional_model_with_two_heads(
    write: Callable[[Path, list[Layer]], Path], name: str, tmp_path: Path
) -> None:
    before = torch.random.get_rng_state()
    found = load_mlp(write(tmp_path / name, LAYERS))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (found.n_input, found.n_output) == (7, 7)
    expected = evaluate(LAYERS, FEATURES)
    with torch.no_grad():
        output = found.network(torch.from_numpy(FEATURES).float())
        scripted = torch.jit.script(found.network)(torch.from_numpy(FEATURES).float())
    np.testing.assert_allclose(output.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(output, scripted)
    assert (expected[:, 4:] == 0.0).any()


def sequential(path: Path, layers: list[dict[str, Any]], weights: dict[str, list[Any]]) -> Path:
    config = {"class_name": "Sequential", "config": {"name": "chain", "layers": layers}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        groups = file.create_group("model_weights")
        for name, arrays in weights.items():
            group = groups.create_group(name)
            group.attrs["weight_names"] = [f"{i}:0".encode() for i in range(len(arrays))]
            for i, array in enumerate(arrays):
                group.create_dataset(f"{i}:0", data=np.asarray(array, dtype=np.float32))
    return path


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


def test_chain_without_input_layer_bias_or_names(tmp_path: Path) -> None:
    layers = [
        layer(
            "Dense", "a", units=2, activation="tanh", use_bias=False, batch_input_shape=[None, 3]
        ),
        layer("Dropout", "b", rate=0.5),
        layer("BatchNormalization", "c", epsilon=0.5, scale=True, center=True),
        layer("Activation", "d", activation="softplus"),
    ]
    kernel = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    gamma, beta, mean, variance = [2.0, 1.0], [0.1, 0.2], [0.5, -0.5], [0.5, 3.5]
    path = sequential(
        tmp_path / "chain.h5", layers, {"a": [kernel], "c": [gamma, beta, mean, variance]}
    )
    found = load_mlp(path)
    assert (found.n_input, found.n_output) == (3, 2)
    x = FEATURES[:, :3]
    y = (np.tanh(x @ kernel) - mean) / np.sqrt(np.add(variance, 0.5)) * gamma + beta
    with torch.no_grad():
        output = found.network(torch.from_numpy(x).float()).numpy()
    np.testing.assert_allclose(output, np.log1p(np.exp(y)), rtol=1e-5)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", lambda x: np.maximum(x, 0.0)),
        ("elu", lambda x: np.where(x > 0.0, x, np.expm1(x))),
        ("leaky_relu", lambda x: np.where(x > 0.0, x, 0.2 * x)),
        ("swish", lambda x: x / (1.0 + np.exp(-x))),
        ({"class_name": "LeakyReLU", "config": {}}, lambda x: np.where(x > 0.0, x, 0.3 * x)),
        (
            {"class_name": "ELU", "config": {"alpha": 2.0}},
            lambda x: np.where(x > 0, x, 2 * np.expm1(x)),
        ),
        ({"class_name": "function", "config": "sigmoid"}, lambda x: 1.0 / (1.0 + np.exp(-x))),
        ({"class_name": "ReLU", "config": {"max_value": None}}, lambda x: np.maximum(x, 0.0)),
        (None, lambda x: x),
    ],
)
def test_activations(activation: Any, expected: Callable[[Any], Any], tmp_path: Path) -> None:
    layers = [
        layer("InputLayer", "in", batch_shape=[None, 1]),
        layer("Dense", "a", units=1, activation=activation),
    ]
    found = load_mlp(sequential(tmp_path / "a.h5", layers, {"a": [[[1.0]], [0.0]]}))
    x = np.linspace(-3.0, 3.0, 20)[:, None]
    with torch.no_grad():
        output = found.network(torch.from_numpy(x).float()).numpy()
    np.testing.assert_allclose(output, expected(x), rtol=1e-5, atol=1e-6)


INPUT = layer("InputLayer", "in", batch_shape=[None, 2])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([INPUT, layer("Conv1D", "c")], r"expected Dense, .* got Conv1D \(c\); export the model"),
        ([INPUT, layer("Dense", "a", units=3)], r"of a with shapes \[\(2, 3\), \(3,\)\], got \[\]"),
        ([INPUT, layer("Activation", "a", activation="cube")], r"got cube \(a\)"),
        ([INPUT, layer("ReLU", "a", max_value=6.0)], r"got ReLU with limits \(a\)"),
        ([layer("Dense", "a", units=3)], "the shape of its input, got none; call it once"),
        ([layer("InputLayer", "i", batch_shape=[None, 6, 2])], r"one of shape \(None, 6, 2\)"),
        ([INPUT, layer("BatchNormalization", "n")], r"expected 4 weights of n with shape \(2,\)"),
    ],
)
def test_what_is_not_understood_is_refused(
    layers: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(KerasError, match=message):
        load_mlp(sequential(tmp_path / "a.h5", layers, {}))


def test_files_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(KerasError, match="expected a Keras file, got none; check the path"):
        load_mlp(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("no file of Keras")
    with pytest.raises(KerasError, match="got a file that does not read as one"):
        load_mlp(tmp_path / "text.h5")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.create_group("dense")
    with pytest.raises(KerasError, match="got weights alone; save it with"):
        load_mlp(tmp_path / "weights.h5")
    whole = write_keras(tmp_path / "whole.keras", LAYERS).read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KerasError, match="got a file that does not read as one"):
        load_mlp(tmp_path / "cut.keras")


def test_a_layer_used_twice_is_refused(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "shared.h5", LAYERS)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["inbound_nodes"] *= 2
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(KerasError, match="every layer to be used once, got dense used 2 times"):
        load_mlp(path)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "MyModel", "config": {}})
        file.create_group("model_weights")
    with pytest.raises(KerasError, match="a Sequential or Functional model, got 'MyModel'"):
        load_mlp(tmp_path / "own.h5")


def test_several_outputs_stand_one_after_the_other(tmp_path: Path) -> None:
    outputs = [["profiles", 0, 0], ["scalars", 0, 0]]
    found = load_mlp(write_h5(tmp_path / "two.h5", LAYERS[:-1], output_layers=outputs))
    with torch.no_grad():
        output = found.network(torch.from_numpy(FEATURES).float())
    np.testing.assert_allclose(output.numpy(), evaluate(LAYERS, FEATURES), rtol=1e-5, atol=1e-6)
