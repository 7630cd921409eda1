"""Files as Keras writes them, made with h5py; no TensorFlow is needed."""

import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Layer = tuple[str, str, dict[str, Any], list[str], list[Array]]
"""Class, name, configuration, names of the layers before it, weights."""


def climsim_mlp(n_input: int, n_profile: int, n_scalar: int) -> list[Layer]:
    """Return a small perceptron built like ClimSim's: LeakyReLU layers and two heads."""
    rng = np.random.default_rng(7)

    def weights(before: int, after: int) -> list[Array]:
        return [
            rng.normal(size=(before, after), scale=before**-0.5).astype(np.float32),
            rng.normal(size=after).astype(np.float32),
        ]

    def dense(name: str, before: str, sizes: tuple[int, int], activation: Any) -> Layer:
        config = {"units": sizes[1], "activation": activation, "use_bias": True}
        return ("Dense", name, config, [before], weights(*sizes))

    return [
        ("InputLayer", "input", {"shape": [None, n_input]}, [], []),
        dense("dense", "input", (n_input, 12), "linear"),
        ("LeakyReLU", "leaky_re_lu", {"slope": 0.15}, ["dense"], []),
        # The second layer is not called dense_1: names depend on what a session built before.
        dense("dense_7", "leaky_re_lu", (12, 9), "linear"),
        ("LeakyReLU", "leaky_re_lu_1", {"slope": 0.15}, ["dense_7"], []),
        dense("profiles", "leaky_re_lu_1", (9, n_profile), "linear"),
        dense("scalars", "leaky_re_lu_1", (9, n_scalar), "relu"),
        ("Concatenate", "concatenate", {"axis": -1}, ["profiles", "scalars"], []),
    ]


def evaluate(layers: list[Layer], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the model by hand."""
    values: dict[str, NDArray[np.float64]] = {}
    for kind, name, config, before, weights in layers:
        x = values[before[0]] if before else features
        if kind == "Dense":
            x = x @ weights[0] + weights[1]
            x = np.maximum(x, 0.0) if config["activation"] == "relu" else x
        elif kind == "LeakyReLU":
            x = np.where(x < 0.0, config["slope"] * x, x)
        elif kind == "Concatenate":
            x = np.concatenate([values[each] for each in before], axis=1)
        values[name] = x
    return values[layers[-1][1]]


def write_h5(path: Path, layers: list[Layer], **changes: Any) -> Path:
    """Write a whole model as Keras 2 does."""
    entries = []
    for kind, name, config, before, _ in layers:
        settings: dict[str, Any] = {"name": name, **config}
        if kind == "InputLayer":
            settings["batch_input_shape"] = settings.pop("shape")
        if "slope" in settings:
            settings["alpha"] = settings.pop("slope")
        nodes = [[[each, 0, 0, {}] for each in before]] if before else []
        entries.append(
            {"class_name": kind, "name": name, "config": settings, "inbound_nodes": nodes}
        )
    config = {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": entries,
            "input_layers": [[layers[0][1], 0, 0]],
            "output_layers": [[layers[-1][1], 0, 0]],
            **changes,
        },
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        groups = file.create_group("model_weights")
        groups.attrs["layer_names"] = [name.encode() for _, name, *_ in layers]
        for _, name, _, _, weights in layers:
            group = groups.create_group(name)
            names = [f"{name}/{part}:0" for part in ("kernel", "bias")[: len(weights)]]
            group.attrs["weight_names"] = [each.encode() for each in names]
            for each, array in zip(names, weights, strict=True):
                group.create_dataset(each, data=array)
    return path


def write_keras(path: Path, layers: list[Layer], folder: str = "layers") -> Path:
    """Write a whole model as Keras 3 does."""

    def tensor(name: str) -> dict[str, Any]:
        config = {"shape": [None, 1], "dtype": "float32", "keras_history": [name, 0, 0]}
        return {"class_name": "__keras_tensor__", "config": config}

    entries, counts = [], defaultdict[str, int](int)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for kind, name, config, before, weights in layers:
            settings: dict[str, Any] = {"name": name, **config}
            if kind == "InputLayer":
                settings["batch_shape"] = settings.pop("shape")
            if "slope" in settings:
                settings["negative_slope"] = settings.pop("slope")
            tensors: list[Any] = [tensor(each) for each in before]
            args = [tensors] if len(tensors) > 1 else tensors
            nodes: list[Any] = [{"args": args, "kwargs": {}}] if before else []
            entries.append({"class_name": kind, "config": settings, "inbound_nodes": nodes})
            label = {"LeakyReLU": "leaky_re_lu", "InputLayer": "input_layer"}.get(
                kind, kind.lower()
            )
            suffix = f"_{counts[label]}" if counts[label] else ""
            counts[label] += 1
            group = file.create_group(f"{folder}/{label}{suffix}/vars")
            for i, array in enumerate(weights):
                group.create_dataset(str(i), data=array)
    config = {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": entries,
            "input_layers": [layers[0][1], 0, 0],
            "output_layers": [layers[-1][1], 0, 0],
        },
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", stream.getvalue())
    return path
