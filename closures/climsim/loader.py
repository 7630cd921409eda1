"""Batches from shards of ClimSim's samples."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from closures.climsim.errors import DataError
from closures.climsim.manifest import Manifest, Shard
from closures.climsim.shard_writer import is_intact
from closures.training.batches import Batch, MappedBatches, MemoryBatches, Order, Rows

__all__ = ["Batch", "MappedBatches", "MemoryBatches", "Order", "Shards"]


@dataclass(frozen=True)
class Shards:
    """A folder that `closures.climsim.conversion.convert` has written.

    Parameters
    ----------
    folder
        The folder.
    manifest
        What it holds.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "Shards":
        """Read the manifest, and check that every file is there in its full length.

        Raises
        ------
        DataError
            If the conversion has not ended, or a file is missing or cut off.
        """
        manifest = Manifest.read(folder)
        for shard in manifest.shards:
            if not is_intact(folder, shard, manifest.variables):
                raise DataError(
                    f"{folder / shard.inputs}: expected {shard.n_sample} samples here and in "
                    f"{shard.outputs}, got a file that is missing or cut off; convert again"
                )
        return cls(folder, manifest)

    @property
    def n_sample(self) -> int:
        """Number of samples of all shards."""
        return self.manifest.n_sample

    @property
    def widths(self) -> tuple[int, int]:
        """Number of inputs and of outputs."""
        return self.manifest.variables.n_input, self.manifest.variables.n_output

    def parts(self) -> list[tuple[Rows, Rows]]:
        """Return inputs and outputs of each shard, mapped."""
        return [self.rows(shard) for shard in self.manifest.shards]

    def rows(self, shard: Shard) -> tuple[Rows, Rows]:
        """Return inputs and outputs of a shard, mapped: what is not used is not read."""
        inputs = np.load(self.folder / shard.inputs, mmap_mode="r")
        outputs = np.load(self.folder / shard.outputs, mmap_mode="r")
        return inputs, outputs
