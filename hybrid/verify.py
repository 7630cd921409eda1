"""Compare every way to run an archive with what the Python closure computed at export."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import torch
from numpy.typing import NDArray

from closures.field import Field
from closures.spec import ClosureSpec
from fortran_bridge.build import ensure_built
from fortran_bridge.hosts import run_host
from hybrid.archive import read_manifest, read_reference
from hybrid.comparison import BOUNDS, Arrays, largest_difference, output_scales
from hybrid.export import NOISE_SEED, NOISE_STEP, python_function, reference_sizes
from hybrid.native.evaluate import evaluate
from hybrid.native.reading import read_program
from hybrid.runtime import CompiledClosure, HostGrid, host_grid, load
from hybrid.threads import one_thread

# Axes of an array that the Fortran host of this comparison reads.
LARGEST_RANK = 4
NATIVE = "native"


@dataclass(frozen=True)
class VerifyRow:
    """One way to run the archive, at one batch size."""

    engine: str
    n_column: int
    eps: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the difference is within the bound."""
        return self.eps <= self.bound


@dataclass(frozen=True)
class VerifyReport:
    """All comparisons of one archive, in eps on scaled outputs.

    They say little about a host's values of the fields `unbounded`, which have no envelope to draw
    random columns from.
    """

    path: Path
    rows: tuple[VerifyRow, ...]
    unbounded: tuple[str, ...] = ()
    unit: str = "eps of the output's precision, relative to its largest magnitude"

    @property
    def ok(self) -> bool:
        """Whether every comparison holds."""
        return all(row.ok for row in self.rows)


def verify(path: Path | str, on_row: Callable[[VerifyRow], None] | None = None) -> VerifyReport:
    """Compare Python, C ABI and Fortran with the eager results kept in the archive.

    Eager arithmetic itself rounds differently in batches of another size. So whole batches are
    compared with eager batches of the same size, and reproducible blocks, which promise for any
    batch what a large one gives, with the eager large batch. The Fortran host takes arrays of at
    most four axes; closures with larger ones are compared without it. A program of the native
    engine is compared as NumPy evaluates it, and through the engine if the native library has it.

    Parameters
    ----------
    path
        Archive.
    on_row
        Called after each comparison.

    Raises
    ------
    ArchiveError, BridgeError, HostError
        If the archive cannot be read or run at all.
    """
    path = Path(path)
    manifest = read_manifest(path)
    sizes = reference_sizes(manifest.spec)
    spec = manifest.spec.on_grid(sizes)
    grid = host_grid(spec, sizes)
    reference = read_reference(path)
    scales = output_scales(spec, reference.largest)
    bounds = dict(BOUNDS)
    if manifest.native and manifest.native.bound:
        bounds[NATIVE] = manifest.native.bound
    rows = []
    for way in (*_ways(path, spec, grid, manifest.engine), *_native_ways(path, spec)):
        for n, same_batch in sorted(reference.results.items()):
            arguments = {name: array[:n] for name, array in reference.arguments.items()}
            large_batch = {name: array[:n] for name, array in reference.largest.items()}
            expected = large_batch if way.reproducible else same_batch
            eps = largest_difference(way.evaluate(arguments, n), expected, scales)
            rows.append(VerifyRow(way.label, n, eps, bounds[way.engine]))
            if on_row:
                on_row(rows[-1])
    return VerifyReport(path, tuple(rows), spec.unbounded)


@dataclass(frozen=True)
class _Way:
    """One way to run an archive: arguments and number of columns to results."""

    label: str
    engine: str
    reproducible: bool
    evaluate: Callable[[Arrays, int], Arrays]


def _ways(path: Path, spec: ClosureSpec, grid: HostGrid | None, engine: str) -> tuple[_Way, ...]:
    module = python_function(path, engine)

    def python(arguments: Arrays, _: int) -> Arrays:
        with one_thread(), torch.no_grad():
            results = module(*(torch.from_numpy(array) for array in arguments.values()))
        names = (field.name for field in spec.results)
        return dict(zip(names, (tensor.numpy() for tensor in results), strict=True))

    ways = [_Way(engine, engine, False, python)]
    for language in (_c_way, _fortran_way):
        if language is _c_way or _host_can_run(spec):
            ways += [language(path, spec, grid, engine, reproducible=r) for r in (True, False)]
    return tuple(ways)


def _native_ways(path: Path, spec: ClosureSpec) -> tuple[_Way, ...]:
    """Return the ways to run the program of the native engine; none if there is no program."""
    program = read_program(path)
    if program is None:
        return ()

    def judge(arguments: Arrays, n: int) -> Arrays:
        results = evaluate(program, list(arguments.values()))
        return {
            field.name: values.reshape(n, *field.sizes)
            for field, values in zip(spec.results, results, strict=True)
        }

    ways = [_Way("native program", NATIVE, True, judge)]
    if ensure_built().engine(NATIVE).exists():
        ways.append(_c_way(path, spec, None, NATIVE, reproducible=True))
        if _host_can_run(spec):
            ways.append(_fortran_way(path, spec, None, NATIVE, reproducible=True))
    return tuple(ways)


def _c_way(
    path: Path, spec: ClosureSpec, grid: HostGrid | None, engine: str, *, reproducible: bool
) -> _Way:
    compiled = load(path, engine)

    def evaluate_all(arguments: Arrays, n: int) -> Arrays:
        return _run_c(compiled, spec, grid, arguments, n, reproducible=reproducible)

    return _Way(_label("c", engine, reproducible), engine, reproducible, evaluate_all)


def _fortran_way(
    path: Path, spec: ClosureSpec, grid: HostGrid | None, engine: str, *, reproducible: bool
) -> _Way:
    def evaluate_all(arguments: Arrays, n: int) -> Arrays:
        return _run_fortran(path, spec, grid, arguments, n, engine, reproducible=reproducible)

    return _Way(_label("fortran", engine, reproducible), engine, reproducible, evaluate_all)


def _label(language: str, engine: str, reproducible: bool) -> str:
    label = f"{language}, {NATIVE}" if engine == NATIVE else language
    return label if reproducible else f"{label}, whole batch"


def _host_can_run(spec: ClosureSpec) -> bool:
    ranks = [1 + len(field.dims) for field in (*spec.inputs, *spec.outputs)]
    return max(ranks) <= LARGEST_RANK


def _run_c(
    compiled: CompiledClosure,
    spec: ClosureSpec,
    grid: HostGrid | None,
    arguments: Arrays,
    n: int,
    *,
    reproducible: bool,
) -> dict[str, NDArray[Any]]:
    binding = compiled.create(n, seed=NOISE_SEED, reproducible=reproducible, grid=grid)
    results = {field.name: np.empty((n, *field.sizes), field.dtype) for field in spec.outputs}
    for name, field in {field.name: field for field in (*spec.inputs, *spec.outputs)}.items():
        array = results[name] if name in results else arguments[name]
        binding.bind(name, array, dims=",".join(_dims(spec, field)), units=field.units)
    for field in spec.state:
        binding.state_set(field.name, arguments[field.name])
    binding.run(NOISE_STEP)
    binding.commit()
    for field in spec.state:
        state = binding.state_get(field.name, field.size)
        results[field.name] = state.reshape(n, *field.sizes)
    binding.free()
    return results


def _run_fortran(
    path: Path,
    spec: ClosureSpec,
    grid: HostGrid | None,
    arguments: Arrays,
    n: int,
    engine: str,
    *,
    reproducible: bool,
) -> dict[str, NDArray[Any]]:
    settings: dict[str, Any] = {
        "archive": str(path.resolve()),
        "engine": engine,
        "file": "columns.nc",
        "n_column": n,
        "step": NOISE_STEP,
        "seed": NOISE_SEED,
        "reproducible": reproducible,
    }
    if grid is not None:
        settings |= {
            "grid_dims": ",".join(grid.dims),
            "grid_sizes": list(grid.sizes),
            "grid_spacing": list(grid.spacing),
            "grid_boundary": ",".join(grid.boundary),
        }
    for group in ("inputs", "outputs", "state"):
        names = [field.name for field in getattr(spec, group)]
        if names:
            settings[group] = names
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_columns(folder / "columns.nc", spec, arguments, n)
        run_host("verify", {"settings": settings}, folder)
        with netCDF4.Dataset(folder / "columns.nc") as file:
            file.set_auto_mask(False)
            results = {field.name: file[field.name][:].transpose() for field in spec.outputs}
            for field in spec.state:
                results[field.name] = file[field.name][:].reshape(n, *field.sizes)
            return results


def _write_columns(path: Path, spec: ClosureSpec, arguments: Arrays, n: int) -> None:
    # Fortran reads axes in reverse: the last in the file is its first and contiguous one.
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension(spec.first_axis, n)
        for field in spec.fields():
            if field in spec.noise:
                continue
            is_state = field in spec.state
            dims: tuple[str, ...]
            if is_state:
                dims = (f"{field.name}.flat",)
                file.createDimension(dims[0], n * field.size)
            else:
                # Sizes belong to the field: another may have more of a dimension of the same name.
                # Names of fields have no points, so no two of these are alike.
                own = [f"{field.name}.{dim}" for dim in field.dims]
                for dim, size in zip(own, field.sizes, strict=True):
                    file.createDimension(dim, size)
                dims = (spec.first_axis, *own)[::-1]
            variable = file.createVariable(field.name, "f8", dims)
            variable.units = field.units
            variable.dims = ",".join(_dims(spec, field))
            values = arguments.get(field.name)
            if values is not None:
                variable[:] = values.ravel() if is_state else values.transpose()


def _dims(spec: ClosureSpec, field: Field) -> tuple[str, ...]:
    return (spec.first_axis, *field.dims)
