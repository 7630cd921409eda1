"""The test beds by name: how each is made."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hybrid.experiments.checkpoint import identity
from hybrid.experiments.climsim.settings import VARIABLE
from hybrid.experiments.multifidelity.bed import Bed, Tables
from hybrid.experiments.multifidelity.climsim import ClimsimSizes, climsim_bed, climsim_tables
from hybrid.experiments.multifidelity.columns import ColumnSizes, column_bed, column_tables
from hybrid.experiments.multifidelity.lorenz96 import LorenzSizes, lorenz_bed, lorenz_tables
from hybrid.experiments.result import Request

Sizes = ColumnSizes | LorenzSizes | ClimsimSizes
OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class Opened:
    """A test bed with its samples on the disk.

    Parameters
    ----------
    bed
        Contract and scores.
    data
        Folder of the samples.
    """

    bed: Bed
    data: Path


def open_bed(sizes: Sizes, request: Request) -> Opened | None:
    """Return a test bed, its samples made if they are not there; None if it has no data.

    Parameters
    ----------
    sizes
        Of the samples; their type says which bed it is.
    request
        The run: its folder keeps the samples, and real columns are read from its data folder or
        that of the environment variable ``HYBRID_CLIMSIM_DATA``.
    """
    source = ""
    if isinstance(sizes, ClimsimSizes):
        named = request.data or (Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None)
        if named is None:
            return None
        real, source = named, str(named.resolve())
        bed = climsim_bed(real)

        def make(on_progress: OnProgress) -> Tables:
            return climsim_tables(real, sizes, on_progress)

    elif isinstance(sizes, LorenzSizes):
        bed = lorenz_bed(sizes.tested)

        def make(on_progress: OnProgress) -> Tables:
            return lorenz_tables(sizes, on_progress)

    else:
        bed = column_bed()

        def make(on_progress: OnProgress) -> Tables:
            return column_tables(sizes, on_progress)

    data = samples_folder(request, bed, sizes=repr(sizes), source=source)
    if not Tables.are_in(data):
        make(request.task(f"{bed.title}: samples")).write(data)
    return Opened(bed, data)


def samples_folder(request: Request, bed: Bed, **depends_on: str) -> Path:
    """Return where samples are kept, named after all they depend on: others are not taken for them.

    Parameters
    ----------
    request
        The run, whose folder keeps them.
    bed
        Of the samples.
    **depends_on
        Sizes, and what they are made from.
    """
    everything = json.dumps(identity(depends_on), sort_keys=True)
    digest = sha256(everything.encode()).hexdigest()[:12]
    return request.out / "samples" / f"{bed.name}-{digest}"
