"""Load an archive and run it through the library that Fortran calls."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.spec import ClosureSpec
from fortran_bridge.binding import Binding, HostGrid
from fortran_bridge.native_closure import NativeClosure

__all__ = ["Binding", "CompiledClosure", "HostGrid", "host_grid", "load"]


class CompiledClosure:
    """A closure loaded from an archive by the native library.

    Parameters
    ----------
    path
        Archive.
    engine
        ``"native"``, ``"torchscript"`` or ``"aoti"``; ``"auto"``: the native engine where the
        archive holds a program for it, the library has it and the device is the CPU, else the one
        that the archive names.
    device
        ``"cpu"``, or a device of the engine such as ``"cuda:0"``.
    n_thread
        Threads inside the engine's operations.
    precision
        ``"float32"``, or ``"bf16"`` for the native engine and an archive that has passed the
        online test of ``hybrid precision``; see `hybrid.reduced_precision`.

    Attributes
    ----------
    spec : ClosureSpec
        The contract.
    sha256 : str
        Hash of the archive.
    """

    def __init__(
        self,
        path: Path | str,
        engine: str = "auto",
        device: str = "cpu",
        n_thread: int = 1,
        precision: str = "float32",
    ) -> None:
        self._native = NativeClosure(path, engine, device, n_thread, precision)
        self.sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self.spec = ClosureSpec.from_dict(json.loads(self._native.manifest)["spec"])

    @property
    def blocks(self) -> tuple[int, ...]:
        """Block sizes [columns] that round alike."""
        return self._native.blocks

    @property
    def description(self) -> str:
        """Engine, why not the native one, device, blocks and fields; lines of text."""
        return self._native.description

    def create(
        self,
        n_column: int,
        *,
        column_id: NDArray[np.int64] | None = None,
        seed: int = 0,
        reproducible: bool = True,
        policy: str = "error",
        grid: HostGrid | None = None,
    ) -> Binding:
        """Make a binding for `n_column` columns; see `fortran_bridge.binding.Binding`."""
        return Binding(
            self._native,
            n_column,
            column_id=column_id,
            seed=seed,
            reproducible=reproducible,
            policy=policy,
            grid=grid,
        )

    def evaluate(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        step: int = 0,
        seed: int = 0,
        grid: HostGrid | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Evaluate the closure once, from zero state.

        Parameters
        ----------
        inputs
            Field name to array of shape ``(n, *field.shape)`` in the units of the spec.
        step, seed
            Key of the random numbers.
        grid
            The grid of the inputs, for a grid closure that leaves sizes open; see `host_grid`.

        Returns
        -------
        dict
            Output name to array of shape ``(n, *field.shape)`` in the units of the spec.

        Raises
        ------
        BridgeError
            If an input is missing, unknown or of another shape, or not finite, or if `grid` is
            needed or is not the closure's.
        """
        sizes = {len(array) for array in inputs.values()}
        if len(sizes) != 1:
            raise ValueError(f"inputs: expected one number of columns, got {sorted(sizes)}")
        n = sizes.pop()
        binding = self.create(n, seed=seed, grid=grid)
        spec = self.spec
        if grid is not None:
            spec = spec.on_grid(dict(zip(grid.dims, grid.sizes, strict=True)))
        dims = {f.name: ",".join((spec.first_axis, *f.dims)) for f in spec.fields()}
        units = {f.name: f.units for f in spec.fields()}
        outputs = {f.name: np.empty((n, *f.sizes), dtype=f.dtype) for f in spec.outputs}
        for name, array in {**inputs, **outputs}.items():
            binding.bind(name, array, dims=dims.get(name, ""), units=units.get(name, "1"))
        binding.run(step)
        binding.free()
        return outputs


def host_grid(spec: ClosureSpec, sizes: Mapping[str, int]) -> HostGrid | None:
    """Return a grid with the spacing and boundary that a closure asks for; None for columns.

    Parameters
    ----------
    spec
        Closure contract.
    sizes
        Points along each dimension of the grid, without halo.
    """
    if spec.grid is None:
        return None
    dims = spec.grid_dims
    points = tuple(sizes[dim] for dim in dims)
    return HostGrid(dims, points, spec.grid.spacing, spec.grid.boundary)


def load(
    path: Path | str,
    engine: str = "auto",
    device: str = "cpu",
    n_thread: int = 1,
    precision: str = "float32",
) -> CompiledClosure:
    """Load an archive through the native library; arguments as those of `CompiledClosure`.

    Raises
    ------
    BridgeError
        If the file is missing, damaged, of a newer format, its engine cannot be opened, or it may
        not compute in `precision`.
    BuildError
        If the native library is not there and cannot be built.
    """
    return CompiledClosure(path, engine, device, n_thread, precision)
