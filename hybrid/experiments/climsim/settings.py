"""Which data, how much of it, and how long to train."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from closures.climsim.files import Pair, list_pairs
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.mlp import WIDTHS, MLPConfig
from closures.training import Training
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.experiments.result import Preset, Request

VARIABLE = "HYBRID_CLIMSIM_DATA"
"""Environment variable that names the data folder where the request does not."""


@dataclass(frozen=True)
class Scale:
    """Size of a run.

    Parameters
    ----------
    n_epoch
        Passes over the training columns.
    weight_decay
        Weight decay of the network.
    widths
        Hidden layers of the network.
    n_per_month
        Pairs used of each month, None for all.
    """

    n_epoch: int
    weight_decay: float = 0.01
    widths: tuple[int, ...] = WIDTHS
    n_per_month: int | None = None

    def mlp(self, seed: int) -> MLPConfig:
        """Return the configuration of the network."""
        training = Training(self.n_epoch, weight_decay=self.weight_decay, seed=seed)
        return MLPConfig(training, self.widths)


SCALES: dict[Preset, Scale] = {
    "test": Scale(n_epoch=10, widths=(128, 128), n_per_month=3),
    "quick": Scale(n_epoch=10),
    "full": Scale(n_epoch=30, weight_decay=0.1),
}
"""One scale a preset."""


@dataclass(frozen=True)
class Data:
    """Files of a run.

    Parameters
    ----------
    folder
        Where the files are.
    pairs
        Pairs in the order of time.
    grid
        Grid of their columns.
    label
        What they are, for headlines and captions.
    generated
        True if they are the generated sample.
    """

    folder: Path
    pairs: tuple[Pair, ...]
    grid: ColumnGrid
    label: str
    generated: bool

    @property
    def sizes(self) -> dict[str, int]:
        """Size of each file by path [bytes]."""
        files = [file for pair in self.pairs for file in (pair.mli, pair.mlo)]
        return {str(file.resolve()): file.stat().st_size for file in files}


def find_data(request: Request, experiment: str, n_per_month: int | None = None) -> Data:
    """Open the requested folder, that of the environment, or a generated sample.

    Parameters
    ----------
    request
        The run.
    experiment
        Its name, for the progress display.
    n_per_month
        Pairs used of each month, None for all.

    Raises
    ------
    closures.climsim.files.DataError
        If a folder is named that holds no ClimSim files.
    """
    named = os.environ.get(VARIABLE)
    folder = request.data or (Path(named) if named else None)
    generated = folder is None
    if folder is None:
        # Another size or seed gets its own folder: it has other files.
        folder = request.out / f"sample_{request.preset}_{request.seed}"
        config = SampleConfig(n_per_month or SampleConfig().n_per_month, seed=request.seed)
        write_sample(folder, config, request.task(f"{experiment}: generating columns"))
    pairs = list_pairs(folder)
    if n_per_month is not None:
        pairs = _first_of_each_month(pairs, n_per_month)
    label = "generated sample" if generated else "ClimSim files"
    return Data(folder, pairs, read_grid(find_grid(folder)), label, generated)


def _first_of_each_month(pairs: Sequence[Pair], count: int) -> tuple[Pair, ...]:
    months: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        months[pair.year, pair.month].append(pair)
    return tuple(pair for month in months.values() for pair in month[:count])
