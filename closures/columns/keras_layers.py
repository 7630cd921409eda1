"""What Keras calls layers and activations, as modules of PyTorch."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from closures.columns.keras_file import Array

Settings = Mapping[str, Any]


def _slope(default: float) -> Callable[[Settings], nn.Module]:
    def make(settings: Settings) -> nn.Module:
        # Keras 2 calls the slope alpha.
        return nn.LeakyReLU(float(settings.get("negative_slope", settings.get("alpha", default))))

    return make


ACTIVATIONS: Mapping[str, Callable[[Settings], nn.Module]] = MappingProxyType(
    {
        "relu": lambda _: nn.ReLU(),
        "ReLU": lambda _: nn.ReLU(),
        "leaky_relu": _slope(0.2),
        "LeakyReLU": _slope(0.3),
        "elu": lambda _: nn.ELU(),
        "ELU": lambda settings: nn.ELU(float(settings.get("alpha", 1.0))),
        "selu": lambda _: nn.SELU(),
        "gelu": lambda _: nn.GELU(),
        "silu": lambda _: nn.SiLU(),
        "swish": lambda _: nn.SiLU(),
        "tanh": lambda _: nn.Tanh(),
        "sigmoid": lambda _: nn.Sigmoid(),
        "softplus": lambda _: nn.Softplus(threshold=50.0),
    }
)
"""Activations by the name of a function or of a layer; default slopes are those of Keras."""

_LIMITS = ("max_value", "negative_slope", "threshold")


def activation_of(given: str | dict[str, Any]) -> tuple[str, Settings]:
    """Return name and settings of an activation, however Keras wrote it down.

    A ReLU with a limit, slope or threshold of its own keeps another name, which is in no list.
    """
    if isinstance(given, str):
        return given, {}
    settings = given.get("config", {})
    if isinstance(settings, str):
        # Keras 3 writes a function as an object whose configuration is its name.
        return settings, {}
    kind = given["class_name"]
    if kind == "Activation":
        return activation_of(settings["activation"])
    if kind == "ReLU" and any(settings.get(key) for key in _LIMITS):
        return "ReLU with limits", settings
    return kind, settings


def linear(weight: Array, bias: Array) -> nn.Linear:
    """Return the layer ``x weight^T + bias`` without drawing random numbers for it."""
    with torch.device("meta"):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(weight)).float())
    layer.bias = nn.Parameter(torch.from_numpy(np.ascontiguousarray(bias)).float())
    return layer
