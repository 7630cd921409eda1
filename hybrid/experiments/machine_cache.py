"""Datasets that take minutes to compute, kept in the cache of the machine from run to run."""

import os
from collections.abc import Callable
from hashlib import sha256

import xarray as xr

from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.versions import versions
from solvers.cache import cache_folder, exclusive


def kept(name: str, depends_on: object, make: Callable[[], xr.Dataset]) -> xr.Dataset:
    """Return what `make` returns; where the cache of this machine has it, from there.

    Of processes that ask for the same Dataset one computes it, and the others wait.

    Parameters
    ----------
    name
        Beginning of the file's name.
    depends_on
        Everything that the Dataset depends on but versions of software, by its ``repr``.
    make
        Computes it.
    """
    everything = repr((depends_on, sorted(versions().items())))
    key = sha256(everything.encode()).hexdigest()[:16]
    folder = cache_folder()
    path = None if folder is None else folder / f"{name}-{key}.nc"
    with exclusive(path):
        if path is not None and path.is_file():
            return read_dataset(path)
        made = make()
        if path is not None:
            # What was interrupted must not look like a file that is there.
            partial = path.with_name(f"{path.name}.{os.getpid()}")
            write_dataset(partial, made)
            partial.replace(path)
    return made
