"""Structure and weights of a Keras model, from the two formats of its files."""

import io
import json
import re
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class KerasError(ValueError):
    """A file is no Keras model, or one that cannot be understood."""


def read_keras(path: Path) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    """Return the configuration of a model, and the weights of each layer by its name.

    Raises
    ------
    KerasError
        If the file is missing, of neither format, or holds weights alone.
    """
    if not path.is_file():
        raise KerasError(f"{path}: expected a Keras file, got none; check the path")
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        with h5py.File(path, "r") as file:
            return _read_h5(path, file)
    except (OSError, KeyError, json.JSONDecodeError, zipfile.BadZipFile) as error:
        raise KerasError(
            f"{path}: expected a model saved by Keras as .h5 or .keras, got a file that does not "
            f"read as one ({error}); save it again with model.save"
        ) from error


def _read_h5(path: Path, file: h5py.File) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    if "model_config" not in file.attrs:
        raise KerasError(
            f"{path}: expected a whole model, got weights alone; save it with model.save, not "
            "save_weights"
        )
    groups = file["model_weights"]
    weights = {
        name: [
            np.asarray(group[_text(weight)], dtype=np.float64)
            for weight in group.attrs.get("weight_names", ())
        ]
        for name, group in groups.items()
    }
    config: dict[str, Any] = json.loads(_text(file.attrs["model_config"]))
    return config, weights


def _read_zip(path: Path) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    with zipfile.ZipFile(path) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
        content = io.BytesIO(archive.read("model.weights.h5"))
    settings = config["config"]
    layers = settings if isinstance(settings, list) else settings["layers"]
    weights = {}
    counts: dict[str, int] = defaultdict(int)
    with h5py.File(content, "r") as file:
        # The first files of this format called the folder differently.
        root = file.get("layers") or file.get("_layer_checkpoint_dependencies")
        for layer in layers:
            # Weights are filed by class and order, not by the layer's name.
            kind = _snake_case(layer["class_name"])
            label = f"{kind}_{counts[kind]}" if counts[kind] else kind
            counts[kind] += 1
            stored = None if root is None else root.get(f"{label}/vars")
            if stored is not None:
                weights[layer["config"]["name"]] = [
                    np.asarray(stored[key], dtype=np.float64) for key in sorted(stored, key=int)
                ]
    return config, weights


def _snake_case(name: str) -> str:
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
