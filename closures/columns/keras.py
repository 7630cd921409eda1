"""Multilayer perceptrons saved by Keras, without Keras.

Read are whole models, structure and weights: ``.h5`` as Keras 2 wrote them, and ``.keras`` of
Keras 2.12 and later. Nothing in a file is executed; what is not in the lists below is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch.fx
from torch import nn

from closures.columns.keras_file import Array, KerasError, read_keras
from closures.columns.keras_layers import ACTIVATIONS, activation_of, linear

__all__ = ["KerasError", "KerasMLP", "load_mlp"]

_IDENTITIES = {"Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Flatten"}
"""Layers that do nothing to a vector in evaluation."""


@dataclass(frozen=True)
class KerasMLP:
    """A perceptron from a Keras file.

    Parameters
    ----------
    network
        Maps ``(n, n_input)`` to ``(n, n_output)``, float32, scriptable.
    n_input, n_output
        Sizes; several outputs of the model stand one after the other.
    """

    network: nn.Module
    n_input: int
    n_output: int


def load_mlp(path: Path | str) -> KerasMLP:
    """Read a perceptron from a ``.h5`` or ``.keras`` file.

    Understood are Dense, BatchNormalization, Concatenate, dropout and noise, and the activations
    linear, relu, leaky_relu, elu, selu, gelu, silu, tanh, sigmoid and softplus, as layers or as
    arguments; in a chain or a graph with one input.

    Raises
    ------
    KerasError
        If the file is no whole Keras model, holds something else, or weights and structure
        disagree.
    """
    path = Path(path)
    config, weights = read_keras(path)
    builder = _Builder(path, weights)
    kind, settings = config.get("class_name"), config.get("config", {})
    if kind == "Sequential":
        layers = settings if isinstance(settings, list) else settings["layers"]
        return builder.chain(layers)
    if kind in {"Functional", "Model"}:
        return builder.graph_of(settings)
    raise KerasError(
        f"{path}: expected a Sequential or Functional model, got {kind!r}; save it as one, or "
        "export it to TorchScript"
    )


class _Builder:
    """Graph under construction: by layer name its node and the width of what it returns."""

    def __init__(self, path: Path, weights: Mapping[str, list[Array]]) -> None:
        self.path = path
        self.weights = weights
        self.graph = torch.fx.Graph()
        self.features = self.graph.placeholder("features")
        self.modules: dict[str, nn.Module] = {}
        self.found: dict[str, tuple[torch.fx.Node, int]] = {}
        self.n_input = 0

    def chain(self, layers: list[dict[str, Any]]) -> KerasMLP:
        last: list[str] = []
        for layer in layers:
            settings = layer["config"]
            shape = settings.get("batch_shape") or settings.get("batch_input_shape")
            if not last and layer["class_name"] != "InputLayer":
                if shape is None:
                    raise KerasError(
                        f"{self.path}: expected a model that was built, with the shape of its "
                        "input, got none; call it once before saving it"
                    )
                self._input("", shape)
                last = [""]
            self._add(layer, last)
            last = [settings["name"]]
        return self._finish(last)

    def graph_of(self, settings: dict[str, Any]) -> KerasMLP:
        for layer in settings["layers"]:
            nodes = layer.get("inbound_nodes") or []
            if len(nodes) > 1:
                raise KerasError(
                    f"{self.path}: expected every layer to be used once, got "
                    f"{layer['config']['name']} used {len(nodes)} times; export it to TorchScript"
                )
            self._add(layer, _sources(nodes))
        outputs = settings["output_layers"]
        return self._finish(
            [outputs[0]] if isinstance(outputs[0], str) else [each[0] for each in outputs]
        )

    def _add(self, layer: dict[str, Any], sources: list[str]) -> None:
        kind, settings = layer["class_name"], layer["config"]
        name = settings["name"]
        if kind == "InputLayer":
            self._input(name, settings.get("batch_shape") or settings["batch_input_shape"])
            return
        unknown = [source for source in sources if source not in self.found]
        if unknown or not sources:
            raise KerasError(
                f"{self.path}: expected {name} to follow layers before it, got {unknown or 'none'}"
            )
        if kind == "Concatenate":
            self._concatenate(name, sources, settings)
            return
        node, width = self.found[sources[0]]
        if len(sources) > 1:
            raise self._unknown(kind, name)
        made = self._module(kind, name, settings, width)
        for module in made:
            label = f"layer_{len(self.modules)}"
            self.modules[label] = module
            node = self.graph.call_module(label, (node,))
            width = module.out_features if isinstance(module, nn.Linear) else width
        self.found[name] = (node, width)

    def _input(self, name: str, shape: list[int | None]) -> None:
        if self.n_input or len(shape) != 2 or shape[1] is None:
            got = "a second input" if self.n_input else f"one of shape {tuple(shape)}"
            raise KerasError(
                f"{self.path}: expected one input, a vector of fixed length, got {got}; export "
                "the model to TorchScript"
            )
        self.n_input = shape[1]
        self.found[name] = (self.features, shape[1])

    def _concatenate(self, name: str, sources: list[str], settings: dict[str, Any]) -> None:
        if settings.get("axis", -1) not in {-1, 1}:
            raise KerasError(
                f"{self.path}: expected {name} to join features, got axis {settings['axis']}"
            )
        nodes = [self.found[source][0] for source in sources]
        node = self.graph.call_function(torch.cat, (nodes,), {"dim": 1})
        self.found[name] = (node, sum(self.found[source][1] for source in sources))

    def _module(
        self, kind: str, name: str, settings: dict[str, Any], width: int
    ) -> tuple[nn.Module, ...]:
        if kind in _IDENTITIES:
            return ()
        if kind == "Dense":
            arrays = self._arrays(name, settings, width)
            bias = arrays[1] if len(arrays) > 1 else np.zeros(settings["units"])
            dense = linear(arrays[0].T, bias)
            activation = self._activation(settings.get("activation") or "linear", name)
            return (dense, activation) if activation else (dense,)
        if kind == "BatchNormalization":
            return (self._batch_norm(name, settings, width),)
        activation = self._activation({"class_name": kind, "config": settings}, name)
        return (activation,) if activation else ()

    def _arrays(self, name: str, settings: dict[str, Any], width: int) -> list[Array]:
        arrays = self.weights.get(name, [])
        units = settings["units"]
        expected = [(width, units), (units,)][: 2 if settings.get("use_bias", True) else 1]
        if [array.shape for array in arrays] != expected:
            raise KerasError(
                f"{self.path}: expected weights of {name} with shapes {expected}, got "
                f"{[array.shape for array in arrays]}; the file is damaged or incomplete"
            )
        return arrays

    def _batch_norm(self, name: str, settings: dict[str, Any], width: int) -> nn.Linear:
        arrays = list(self.weights.get(name, []))
        n_expected = 2 + bool(settings.get("scale", True)) + bool(settings.get("center", True))
        if [array.shape for array in arrays] != [(width,)] * n_expected:
            raise KerasError(
                f"{self.path}: expected {n_expected} weights of {name} with shape {(width,)}, got "
                f"{[array.shape for array in arrays]}; the file is damaged or incomplete"
            )
        gamma = arrays.pop(0) if settings.get("scale", True) else np.ones(width)
        beta = arrays.pop(0) if settings.get("center", True) else np.zeros(width)
        mean, variance = arrays
        scale = gamma / np.sqrt(variance + settings.get("epsilon", 1e-3))
        return linear(np.diag(scale), beta - mean * scale)

    def _activation(self, given: str | dict[str, Any], name: str) -> nn.Module | None:
        kind, settings = activation_of(given)
        if kind == "linear":
            return None
        if kind not in ACTIVATIONS:
            raise self._unknown(kind, name)
        return ACTIVATIONS[kind](settings)

    def _unknown(self, kind: str, name: str) -> KerasError:
        return KerasError(
            f"{self.path}: expected Dense, BatchNormalization, Concatenate, dropout and "
            f"activations, got {kind} ({name}); export the model to TorchScript"
        )

    def _finish(self, outputs: list[str]) -> KerasMLP:
        nodes = [self.found[name][0] for name in outputs]
        n_output = sum(self.found[name][1] for name in outputs)
        joined = nodes[0]
        if len(nodes) > 1:
            joined = self.graph.call_function(torch.cat, (nodes,), {"dim": 1})
        self.graph.output(joined)
        network = torch.fx.GraphModule(self.modules, self.graph).eval()
        return KerasMLP(network, self.n_input, n_output)


def _sources(nodes: list[Any]) -> list[str]:
    """Return the names of the layers that feed a node.

    Keras 2: ``[[[name, node, tensor, {}], ...]]``; Keras 3: tensors with a ``keras_history``
    anywhere within ``args``.
    """
    if nodes and isinstance(nodes[0], list):
        first = nodes[0]
        return [first[0]] if isinstance(first[0], str) else [each[0] for each in first]
    found: list[str] = []

    def search(value: Any) -> None:
        if isinstance(value, dict) and "keras_history" in value:
            found.append(value["keras_history"][0])
        elif isinstance(value, dict):
            for each in value.values():
                search(each)
        elif isinstance(value, list):
            for each in value:
                search(each)

    for node in nodes:
        search(node.get("args", []))
    return found
