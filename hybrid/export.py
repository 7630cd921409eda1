"""Compile a closure to one archive and prove that the archive computes the same."""

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from closures.base import Closure
from closures.field import Field
from closures.sampling import random_inputs
from closures.spec import ClosureSpec
from hybrid import aoti, torchscript
from hybrid.archive import (
    NativeVerdict,
    Reference,
    manifest_text,
    reference_bytes,
    sealed,
)
from hybrid.bounds import check_bounds
from hybrid.comparison import BOUNDS, largest_difference, output_scales
from hybrid.errors import ExportError
from hybrid.native.writing import NativePart, native_part
from hybrid.noise import standard_normal
from hybrid.threads import one_thread

BATCHES = (1, 7, 16, 384)
# Members are large and few.
GRID_BATCHES = (1, 3, 8)
# Points along an open dimension, besides a halo at both ends: enough for a stencil to show, and
# for networks that coarsen three times.
LEAST_POINTS = 8
# What a neighbour may change: rounding of a matrix product of another size, and no more.
NEIGHBOUR_BOUND = 1e-4
NOISE_SEED = 0
NOISE_STEP = 1
SUFFIXES = {"torchscript": ".pt", "aoti": ".pt2"}
"""Engine to the end of its archives' names."""
_OTHER_LOCALITY = {"column": ", or declare locality 'grid'", "grid": ""}


@dataclass(frozen=True)
class ExportReport:
    """What an export measured.

    Parameters
    ----------
    path
        The archive.
    differences
        Batch size to largest difference between the archive and the Python closure
        [eps on scaled outputs].
    bound
        What was allowed [eps].
    native
        Whether the archive carries a program of the native engine, and what was shown of it, or
        why not; None for engine "aoti".
    """

    path: Path
    differences: Mapping[int, float]
    bound: float
    native: NativeVerdict | None = None


def export(
    closure: Closure,
    path: Path | str,
    *,
    engine: Literal["auto", "torchscript", "aoti"] = "auto",
    device: Literal["cpu", "cuda"] = "cpu",
    provenance: Mapping[str, str] | None = None,
    seed: int = 0,
    on_step: Callable[[str], None] | None = None,
) -> ExportReport:
    """Compile `closure` to an archive, reload it and compare it with the Python closure.

    Parameters
    ----------
    closure
        The trained closure; it is put into evaluation mode.
    path
        Archive to write; replaced only if the comparison holds.
    engine
        ``"torchscript"``: seconds, runs on any machine and device. ``"aoti"``: compiled to native
        code by AOTInductor, which takes tens of seconds and a C++ compiler. ``"auto"``: "aoti"
        if `path` ends in ``.pt2``, else "torchscript". An archive of TorchScript also carries a
        program of the native engine where that can express the closure.
    device
        Kind of device that engine "aoti" compiles for.
    provenance
        Entries added to the spec's provenance.
    seed
        Seed of the random in-range columns.
    on_step
        Called with a short text before each step that takes long.

    Raises
    ------
    ExportError
        If `closure` is no Closure, the folder of `path` does not exist, the spec is beyond what a
        reader takes, forward fails, its results do not fit the spec, the engine cannot compile it,
        its columns influence each other, or the archive differs from it; no file is left behind.

    Warns
    -----
    UserWarning
        If an input or state field lacks a bound: then the comparison, with values between -1 and 1
        or two units from the other bound, says little about the host's values.
    """
    path = Path(path)
    _check_request(closure, path)
    chosen = _chosen_engine(path, engine, device)
    closure.eval()
    spec = replace(closure.spec, provenance={**closure.spec.provenance, **(provenance or {})})
    compiled_for = aoti.versions(device) if chosen == "aoti" else {}
    manifest = manifest_text(spec, chosen, compiled_for)
    check_bounds(spec, manifest)
    if spec.unbounded:
        warnings.warn(_about_bounds(spec), UserWarning, stacklevel=2)
    fixed = spec.on_grid(reference_sizes(spec))
    reference = _evaluate(closure, fixed, _reference_columns(fixed, seed))
    _check_independence(fixed, reference)
    if chosen == "aoti":
        if on_step:
            on_step(f"{spec.name}: compiling to native code (tens of seconds)")
        examples = [torch.from_numpy(array) for array in reference.arguments.values()]
        compiled = aoti.compiled(closure, examples, device)
        native = NativePart()
    else:
        compiled = torchscript.compiled(closure)
        native = native_part(closure, spec, compiled, reference)
        manifest = manifest_text(spec, chosen, native=native.verdict)
    added = {f"extra/{name}": text.encode() for name, text in closure.documents().items()}
    added |= native.entries
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}-", suffix=SUFFIXES[chosen]
    )
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(sealed(compiled, manifest, reference_bytes(reference), added))
        differences = _compare(temporary, fixed, chosen, reference)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return ExportReport(path, differences, BOUNDS[chosen], native.verdict)


def python_function(path: Path, engine: str) -> Callable[..., tuple[torch.Tensor, ...]]:
    """Return what an archive computes as a function of tensors on the CPU, without the bridge."""
    return aoti.load_package(path) if engine == "aoti" else torchscript.load_scripted(path)


def reference_sizes(spec: ClosureSpec) -> dict[str, int]:
    """Return the points along each dimension of the grid that the reference members have.

    Those that the spec fixes are taken; open ones differ from each other, so that a closure that
    mixes up its dimensions is noticed.
    """
    if spec.grid is None:
        return {}
    around = -(-(LEAST_POINTS + 2 * spec.grid.halo_width) // LEAST_POINTS) * LEAST_POINTS
    sizes = {dim: around + LEAST_POINTS * i for i, dim in enumerate(spec.grid_dims)}
    for field in (*spec.outputs, *spec.state, *spec.noise):
        for dim, size in zip(field.dims, field.shape, strict=True):
            if dim in sizes and size is not None:
                sizes[dim] = size
    return sizes


def _about_bounds(spec: ClosureSpec) -> str:
    text = (
        f"{spec.name}: without two bounds: {', '.join(spec.unbounded)}; the archive is compared "
        "with the closure for values near 0 or near the one bound, which may be far from the "
        "host's, and the guard of the bridge cannot tell what the closure was not made for"
    )
    if spec.locality == "column":
        text += "; reproducible runs use blocks of 32 columns and more, also for one column"
    return f"{text}. Give valid_min and valid_max of the training data"


def _batches(spec: ClosureSpec) -> tuple[int, ...]:
    return BATCHES if spec.locality == "column" else GRID_BATCHES


def _check_request(closure: object, path: Path) -> None:
    if not isinstance(closure, Closure):
        got = f"a {type(closure).__name__}"
        if isinstance(closure, type):
            got = f"the class {closure.__name__}"
        raise ExportError(
            f"closure: expected an instance of a class derived from hybrid.Closure, got {got}; "
            "derive it from hybrid.Closure and pass its ClosureSpec to super().__init__"
        )
    if not path.parent.is_dir():
        raise ExportError(
            f"{path}: expected a path in an existing folder, got none at {path.parent}; "
            "make the folder first, or choose another path"
        )
    if path.is_dir():
        raise ExportError(f"{path}: expected the path of a file, got a folder; add a file name")


def _chosen_engine(path: Path, engine: str, device: str) -> str:
    if engine == "auto":
        engine = "aoti" if path.suffix == SUFFIXES["aoti"] else "torchscript"
    if engine not in SUFFIXES:
        raise ExportError(
            f"{path}: expected engine 'auto', 'torchscript' or 'aoti', got {engine!r}"
        )
    if path.suffix in SUFFIXES.values() and path.suffix != SUFFIXES[engine]:
        raise ExportError(
            f"{path}: expected a name that ends in {SUFFIXES[engine]} for engine '{engine}', got "
            f"one in {path.suffix}; rename it, or leave the engine to the name"
        )
    if device not in aoti.DEVICES:
        raise ExportError(f"{path}: expected device 'cpu' or 'cuda', got {device!r}")
    if engine == "torchscript" and device != "cpu":
        raise ExportError(
            f"{path}: expected no device for engine 'torchscript', got {device!r}; its archives "
            "run on any: choose the device when loading, or export to .pt2"
        )
    return engine


def _reference_columns(spec: ClosureSpec, seed: int) -> tuple[torch.Tensor, ...]:
    n = max(_batches(spec))
    drawn = random_inputs(spec, n, torch.Generator().manual_seed(seed))
    first_noise = len(drawn) - len(spec.noise)
    # The bridge draws noise by itself: with the same numbers here, it can be compared too.
    column_id = np.arange(1, n + 1)
    noise = [
        torch.from_numpy(standard_normal(NOISE_SEED, i, NOISE_STEP, column_id, field.size))
        .reshape(drawn[first_noise + i].shape)
        .to(drawn[first_noise + i].dtype)
        for i, field in enumerate(spec.noise)
    ]
    return (*drawn[:first_noise], *noise)


def _checked_results(
    spec: ClosureSpec, results: tuple[torch.Tensor, ...], n: int
) -> dict[str, NDArray[Any]]:
    fields = spec.results
    if not isinstance(results, tuple) or len(results) != len(fields):
        raise ExportError(
            f"{spec.name}: expected forward to return a tuple of {len(fields)} tensors (outputs, "
            f"new state), got {type(results).__name__}"
            + (f" of {len(results)}" if isinstance(results, tuple) else "")
        )
    for field, tensor in zip(fields, results, strict=True):
        if not isinstance(tensor, torch.Tensor):
            raise ExportError(
                f"{field.name}: expected a tensor from forward, got {type(tensor).__name__}"
            )
        shape = (n, *field.sizes)
        dtype = str(tensor.dtype).removeprefix("torch.")
        if tuple(tensor.shape) != shape or dtype != field.dtype:
            raise ExportError(
                f"{field.name}: expected a {field.dtype} tensor of shape {shape}, got {dtype} "
                f"and {tuple(tensor.shape)}; the closure's forward and its spec disagree"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise ExportError(
                f"{field.name}: expected finite values for random columns inside the training "
                "envelope, got NaN or infinity; narrow valid_min and valid_max or mend forward"
            )
    return _named(spec.results, results)


def _evaluate(
    closure: Closure, spec: ClosureSpec, arguments: tuple[torch.Tensor, ...]
) -> Reference:
    with one_thread(), torch.no_grad():
        results = {
            n: _checked_results(spec, _forward(closure, spec, [t[:n] for t in arguments]), n)
            for n in _batches(spec)
        }
    return Reference(_named(spec.arguments, arguments), results)


def _forward(closure: Closure, spec: ClosureSpec, arguments: list[torch.Tensor]) -> Any:
    given_to = [tensor.clone() for tensor in arguments]
    try:
        result = closure(*given_to)
    except Exception as error:
        given = "; ".join(
            f"{field.name}: {tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}"
            for field, tensor in zip(spec.arguments, arguments, strict=True)
        )
        raise ExportError(
            f"{spec.name}: expected a forward that takes inputs, state and noise in the order of "
            f"its spec ({given}), got {type(error).__name__}: {error}; give forward one argument "
            "for each of these, a scalar field a second axis (x[:, None]) before it meets a "
            "profile, and parameters the dtype of the fields"
        ) from error
    for field, before, after in zip(spec.arguments, arguments, given_to, strict=True):
        if not torch.equal(before, after):
            raise ExportError(
                f"{spec.name}: expected a forward that leaves its arguments alone, got one that "
                f"changes {field.name} in place; write x.clamp(...) for x.clamp_(...) and the like"
            )
    return result


def _check_independence(spec: ClosureSpec, reference: Reference) -> None:
    scales = output_scales(spec, reference.largest)
    for n, found in reference.results.items():
        expected = {name: array[:n] for name, array in reference.largest.items()}
        for field in spec.results:
            eps = float(np.finfo(field.dtype).eps)
            name = field.name
            difference = largest_difference(
                {name: found[name]}, {name: expected[name]}, {name: scales[name]}
            )
            if difference * eps > NEIGHBOUR_BOUND:
                kind, axis = spec.locality, spec.first_axis
                raise ExportError(
                    f"{name}: expected a {kind} closure, whose {axis}s do not feel each other, "
                    f"got results that change by {difference * eps:.1g} of their size between "
                    f"{n} and {max(reference.results)} {axis}s; remove what mixes {axis}s (batch "
                    "statistics) and random numbers drawn in forward (declare noise fields "
                    f"instead){_OTHER_LOCALITY[kind]}"
                )


def _compare(path: Path, spec: ClosureSpec, engine: str, reference: Reference) -> dict[int, float]:
    module = python_function(path, engine)
    bound = BOUNDS[engine]
    scales = output_scales(spec, reference.largest)
    differences = {}
    for n, expected in reference.results.items():
        arguments = [torch.from_numpy(array[:n]) for array in reference.arguments.values()]
        with one_thread(), torch.no_grad():
            found = _named(spec.results, module(*arguments))
        differences[n] = largest_difference(found, expected, scales)
        if not differences[n] <= bound:
            raise ExportError(
                f"{spec.name}: expected the archive within {bound:g} eps of the Python closure on "
                f"scaled outputs, got {differences[n]:.3g} for {n} columns; no file was written"
            )
    return differences


def _named(fields: tuple[Field, ...], tensors: tuple[torch.Tensor, ...]) -> dict[str, NDArray[Any]]:
    pairs = zip(fields, tensors, strict=True)
    return {field.name: tensor.detach().numpy() for field, tensor in pairs}
