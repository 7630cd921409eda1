"""Networks trained elsewhere: a file of TorchScript or Keras and a contract become an archive."""

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from closures.base import Closure
from closures.columns.emulator import ColumnEmulator
from closures.columns.keras import load_mlp
from closures.columns.layout import ColumnLayout
from closures.errors import SpecError
from closures.spec import ClosureSpec
from hybrid.errors import WrapError
from hybrid.export import ExportReport, export
from hybrid.scaling import read_scaling, unscaled
from hybrid.threads import one_thread
from hybrid.wrapped import WrappedModel, width_of

KERAS_SUFFIXES = {".h5", ".hdf5", ".keras"}


def wrap(
    model: Path | str,
    spec: Path | str | ClosureSpec,
    out: Path | str,
    *,
    scaling: Path | str | None = None,
    on_step: Callable[[str], None] | None = None,
) -> ExportReport:
    """Make an archive of a network trained elsewhere, and compare it with the network.

    Parameters
    ----------
    model
        TorchScript (``.pt``) or a perceptron saved by Keras (``.h5``, ``.keras``). TorchScript
        takes one tensor a field, or all features of a column in one tensor ``(n, n_input)``, and
        gives a tuple with one tensor a field, or one tensor ``(n, n_output)``.
    spec
        The contract, or a JSON file with it, as `ClosureSpec.to_json` writes.
    out
        Archive to write.
    scaling
        JSON file with mean and spread of fields for a network that works on normalised values, or
        the folder of ClimSim's normalisation; see `hybrid.scaling.read_scaling`.
    on_step
        Called with a short text before each step that may take long.

    Raises
    ------
    WrapError
        If a file cannot be read, or network, contract and scaling do not fit each other.
    ExportError
        If the network fails on columns within the contract, or mixes columns.
    """
    model = Path(model)
    contract = spec if isinstance(spec, ClosureSpec) else read_spec(Path(spec))
    if on_step:
        on_step(f"{contract.name}: reading {model.name}")
    closure = _closure(model, contract, None if scaling is None else Path(scaling))
    if on_step:
        on_step(f"{contract.name}: compiling, and comparing with {model.name}")
    return export(closure, out, engine="torchscript", provenance={"wrapped": model.name})


def read_spec(path: Path) -> ClosureSpec:
    """Read a contract from JSON.

    Raises
    ------
    WrapError
        If the file is missing, no JSON, or no valid contract.
    """
    try:
        return ClosureSpec.from_dict(_json(path, "a contract"))
    except SpecError as error:
        raise WrapError(f"{path}: {error}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise WrapError(
            f"{path}: expected a contract as ClosureSpec.to_json writes it, got other types "
            f"({error}); compare it with the output of ClosureSpec(...).to_json()"
        ) from error


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrapError(f"{path}: expected {what}, got '{error.strerror}'") from error
    except ValueError as error:
        raise WrapError(f"{path}: expected {what} in JSON, got something else: {error}") from error
    if not isinstance(data, dict):
        raise WrapError(f"{path}: expected {what}, a JSON object, got a {type(data).__name__}")
    return data


def _closure(model: Path, spec: ClosureSpec, scaling: Path | None) -> Closure:
    if model.suffix.lower() in KERAS_SUFFIXES:
        perceptron = load_mlp(model)
        network: torch.nn.Module = perceptron.network
        sizes = (perceptron.n_input, perceptron.n_output)
    else:
        network = script = read_torchscript(model)
        if scaling is None:
            with one_thread():
                return WrappedModel(script, spec, str(model))
        sizes = None
    layout = ColumnLayout.of_fields(spec.inputs, spec.outputs)
    if sizes not in {None, (layout.n_input, layout.n_output)}:
        raise WrapError(
            f"{model}: expected a network from {width_of(spec.inputs)} to "
            f"{width_of(spec.outputs)}, got one from {sizes[0]} to {sizes[1]}; write the fields "
            "that it was trained on into the contract"
        )
    made = unscaled(layout) if scaling is None else read_scaling(scaling, spec)
    return ColumnEmulator(spec, network, *made)


def read_torchscript(path: Path) -> torch.jit.ScriptModule:
    """Load a TorchScript file onto the CPU.

    Raises
    ------
    WrapError
        If the file is missing or holds something else, such as a state dict.
    """
    if not path.is_file():
        raise WrapError(f"{path}: expected a TorchScript file, got none; check the path")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
            return torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call, no-any-return]
    except (RuntimeError, ValueError) as error:
        kind = "something else"
        if zipfile.is_zipfile(path):
            kind = "a file of torch.save, which holds weights or pickled objects"
        reason = str(error).strip().splitlines()[0]
        raise WrapError(
            f"{path}: expected TorchScript, got {kind} ({reason}); save the network with "
            "torch.jit.script(network).save(path)"
        ) from error
