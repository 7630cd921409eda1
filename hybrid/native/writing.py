"""What an archive gets for the native engine: a program that was shown to be right, or a reason."""

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import torch

from closures.base import Closure
from closures.skipping import every_column
from closures.spec import ClosureSpec
from hybrid.archive import NativeVerdict, Reference
from hybrid.comparison import BOUNDS, largest_difference, output_scales
from hybrid.native.errors import NotExpressedError, ProgramError
from hybrid.native.evaluate import evaluate
from hybrid.native.program import Program
from hybrid.native.program_file import program_entries
from hybrid.native.rounding import bound_for
from hybrid.native.tracing import trace

FEWEST_COLUMNS = 5
"""Least columns that a forward is followed with."""
LONGEST_REASON = 200
"""Letters of a reason."""


@dataclass(frozen=True)
class NativePart:
    """What the archive of a closure holds for the native engine.

    Parameters
    ----------
    verdict
        For the manifest; None for archives that other engines alone can run.
    entries
        Name to content; none if the closure is not expressed.
    """

    verdict: NativeVerdict | None = None
    entries: Mapping[str, bytes] = field(default_factory=dict)


def native_part(
    closure: Closure, spec: ClosureSpec, compiled: bytes, reference: Reference
) -> NativePart:
    """Express a closure for the native engine, and compare the program with the closure.

    It never fails: what cannot be expressed stays with TorchScript, for the reason given.

    Parameters
    ----------
    closure
        The closure, in evaluation mode.
    spec
        Its contract.
    compiled
        What TorchScript saved: its weights are referred to.
    reference
        Columns and what the closure made of them.
    """
    try:
        program = express(closure, spec, reference)
        verdict = _compared(program, closure, spec, reference)
        entries = program_entries(program, saved_storages(compiled))
    except (NotExpressedError, ProgramError) as error:
        return NativePart(NativeVerdict(expressed=False, reason=_short(str(error))))
    # Torch and foreign modules may raise anything, and the archive is good without a program.
    except Exception as error:  # noqa: BLE001
        text = f"forward cannot be followed ({type(error).__name__}: {error})"
        return NativePart(NativeVerdict(expressed=False, reason=_short(text)))
    return NativePart(verdict, entries)


def express(closure: Closure, spec: ClosureSpec, reference: Reference) -> Program:
    """Return the program of a closure; raise `NotExpressedError` or `ProgramError` if none is."""
    if spec.locality != "column":
        raise NotExpressedError("the native engine knows columns alone, not grids")
    for given in spec.fields():
        if None in given.shape:
            raise NotExpressedError(f"{given.name} has a size that is known only to the host")
    if not spec.arguments:
        raise NotExpressedError("forward has no argument")
    n = _n_column(closure, spec)
    columns = [torch.from_numpy(reference.arguments[a.name][:n].copy()) for a in spec.arguments]
    with every_column(closure):
        program = trace(closure.scriptable(), columns)
    program.check_contract(spec)
    return program


def _n_column(closure: Closure, spec: ClosureSpec) -> int:
    """Return a number of columns that no axis of a field or a weight has."""
    taken = {size for given in spec.fields() for size in given.sizes}
    for tensor in (*closure.parameters(), *closure.buffers()):
        taken.update(tensor.shape)
    return next(n for n in count(FEWEST_COLUMNS) if n not in taken)


def _compared(
    program: Program, closure: Closure, spec: ClosureSpec, reference: Reference
) -> NativeVerdict:
    """Return what comparing a program with the closure shows; raise if they differ."""
    expected = reference.largest
    given = [reference.arguments[a.name] for a in spec.arguments]
    found = {
        field.name: values.reshape(expected[field.name].shape)
        for field, values in zip(spec.results, evaluate(program, given), strict=True)
    }
    difference = largest_difference(found, expected, output_scales(spec, expected))
    bound = usual = BOUNDS["native"]
    if difference > usual:
        bound = bound_for(closure, spec, reference)
    if not difference <= bound:
        raise NotExpressedError(
            f"the program of its forward differs by {difference:.3g} eps on scaled outputs, more "
            f"than {bound:.3g}"
        )
    own = "" if bound == usual else ", twice its own rounding"
    reason = (
        f"within {math.ceil(difference)} of {bound:.3g} eps of the Python closure on scaled "
        f"outputs{own}, in {len(program.steps)} steps"
    )
    return NativeVerdict(expressed=True, reason=reason, bound=None if bound == usual else bound)


def saved_storages(compiled: bytes) -> dict[str, bytes]:
    """Return the entries ``data/...`` of what TorchScript saved."""
    with zipfile.ZipFile(io.BytesIO(compiled)) as file:
        names = {name.split("/", 1)[-1]: name for name in file.namelist()}
        return {short: file.read(name) for short, name in names.items() if "data/" in short}


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= LONGEST_REASON else f"{printable[:LONGEST_REASON]}..."
