"""Closures as native programs, without an archive around them."""

import io
import zipfile

import torch

from closures import Closure
from closures.sampling import random_inputs
from hybrid.archive import Reference
from hybrid.native.program import Program
from hybrid.native.writing import NativePart, express, native_part

N_COLUMN = 64


def reference_of(closure: Closure, seed: int = 0) -> Reference:
    """Return random columns and what the closure makes of them."""
    spec = closure.spec
    arguments = random_inputs(spec, N_COLUMN, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        results = closure.eval()(*arguments)
    names = [field.name for field in (*spec.inputs, *spec.state, *spec.noise)]
    result_names = [field.name for field in (*spec.outputs, *spec.state)]
    return Reference(
        {name: tensor.numpy() for name, tensor in zip(names, arguments, strict=True)},
        {N_COLUMN: {n: t.numpy() for n, t in zip(result_names, results, strict=True)}},
    )


def part_of(closure: Closure) -> NativePart:
    """Return what the archive of a closure would get for the native engine."""
    no_storage = io.BytesIO()
    zipfile.ZipFile(no_storage, "w").close()
    return native_part(closure, closure.spec, no_storage.getvalue(), reference_of(closure))


def program_of_closure(closure: Closure) -> Program:
    """Return the program of a closure."""
    return express(closure, closure.spec, reference_of(closure))
