"""Every architecture by name, with its presets, and `build`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from torch import nn

from closures.columns.layout import ColumnLayout
from closures.columns.networks import (
    bilstm,
    cnn,
    convnext,
    encoder_decoder,
    heteroskedastic,
    mlp,
    randomized_prior,
    reslstm,
    squeezeformer,
    unet,
    variational,
    vertical_rnn,
)
from closures.columns.networks.confident import Confident, doubled
from closures.columns.networks.triggered import Triggered, with_switch
from closures.columns.seeding import seeded

Head = Literal["", "confidence", "trigger"]


@dataclass(frozen=True)
class Architecture:
    """One entry of the registry.

    Parameters
    ----------
    summary
        What it is, in a few words.
    make
        Makes the network from a layout and sizes.
    presets
        Sizes by name: ``tiny`` for tests, ``small`` trains in minutes on one core,
        ``published`` as in the papers.
    """

    summary: str
    make: Callable[[ColumnLayout, Any], nn.Module]
    presets: Mapping[str, Any]


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "mlp": Architecture("multilayer perceptron", mlp.MLP, mlp.PRESETS),
        "cnn": Architecture("residual convolutions along the levels", cnn.CNN, cnn.PRESETS),
        "ed": Architecture(
            "encoder-decoder with a narrow bottleneck",
            encoder_decoder.EncoderDecoder,
            encoder_decoder.PRESETS,
        ),
        "hsr": Architecture(
            "heteroskedastic regression: mean and precision",
            heteroskedastic.HeteroskedasticRegression,
            heteroskedastic.PRESETS,
        ),
        "rpn": Architecture(
            "randomized prior ensemble",
            randomized_prior.RandomizedPriorEnsemble,
            randomized_prior.PRESETS,
        ),
        "cvae": Architecture(
            "conditional variational autoencoder", variational.ConditionalVAE, variational.PRESETS
        ),
        "unet": Architecture("U-Net along the levels", unet.UNet, unet.PRESETS),
        "bilstm": Architecture("bidirectional LSTM", bilstm.BiLSTM, bilstm.PRESETS),
        "vertical_rnn": Architecture(
            "recurrent along the levels, with memory between steps",
            vertical_rnn.VerticalRNN,
            vertical_rnn.PRESETS,
        ),
        "reslstm": Architecture(
            "residual stack of bidirectional LSTMs", reslstm.ResLSTM, reslstm.PRESETS
        ),
        "convnext": Architecture("ConvNeXt along the levels", convnext.ConvNeXt, convnext.PRESETS),
        "squeezeformer": Architecture(
            "convolution and attention along the levels",
            squeezeformer.Squeezeformer,
            squeezeformer.PRESETS,
        ),
    }
)
"""Architectures by the name that the command line takes."""

DETERMINISTIC = tuple(
    name for name in ARCHITECTURES if name not in {"hsr", "rpn", "cvae", "vertical_rnn"}
)
"""Architectures that can be given a second head."""


def sizes_of(name: str, preset: str) -> Any:
    """Return the sizes of a preset: a frozen dataclass, to be changed by `dataclasses.replace`.

    Raises
    ------
    ValueError
        If there is no such architecture or preset.

    Examples
    --------
    >>> sizes_of("mlp", "published").widths
    (768, 640, 512, 640, 640, 128)
    """
    architecture = _architecture(name)
    if preset not in architecture.presets:
        raise ValueError(
            f"{name}: expected a preset of {', '.join(architecture.presets)}; got {preset!r}"
        )
    return architecture.presets[preset]


def build(
    name: str,
    layout: ColumnLayout,
    preset: str = "small",
    seed: int = 0,
    *,
    sizes: Any = None,
    head: Head = "",
) -> nn.Module:
    """Return a network with weights drawn from `seed`.

    It maps normalised features ``(n, layout.n_input)`` to ``(n, layout.n_output)``.

    Parameters
    ----------
    name
        Architecture, a key of `ARCHITECTURES`.
    layout
        Order of the features.
    preset
        Name of the sizes.
    seed
        Seed of the weights; the global generator is left as it is.
    sizes
        Sizes of your own, of the class that `sizes_of` returns, in place of a preset.
    head
        A second head: ``"confidence"`` predicts its own loss, see `Confident`; ``"trigger"``
        decides whether the prediction applies, see `Triggered`.

    Raises
    ------
    ValueError
        If there is no such architecture or preset, or it can have no such head.

    Examples
    --------
    >>> layout = ColumnLayout.profiles_first(60, inputs=(2, 4), outputs=(2, 8))
    >>> sum(p.numel() for p in build("mlp", layout, "published").parameters())
    1753472
    """
    architecture = _architecture(name)
    if head and name not in DETERMINISTIC:
        raise ValueError(
            f"{name}: expected one of {', '.join(DETERMINISTIC)} for a head of {head}; this one "
            "has a spread or a memory of its own"
        )
    chosen = sizes_of(name, preset) if sizes is None else sizes
    with seeded(seed):
        if head == "confidence":
            return Confident(architecture.make(doubled(layout), chosen), layout.n_output)
        if head == "trigger":
            return Triggered(architecture.make(with_switch(layout), chosen), layout.n_output)
        return architecture.make(layout, chosen)


def _architecture(name: str) -> Architecture:
    if name not in ARCHITECTURES:
        raise ValueError(f"network: expected one of {', '.join(ARCHITECTURES)}; got {name!r}")
    return ARCHITECTURES[name]
