"""Finished stages of a run, kept so that an interrupted run can go on where it stopped.

A run is made of named stages. The result of a stage is a file in a folder named after everything
that the run depends on; with other settings, another seed, other data or another version of this
software there is another folder, and the old one stays until a run comes to its end. A file carries
the digest of its content in its name, so that one that was torn or damaged does not count as
finished.

Two things make a resumed run equal to an uninterrupted one, bit for bit. A stage draws its random
numbers from its own generator, whatever ran before. And its result is always what was read back
from the file, also where it was made a moment ago.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import xarray as xr

from closures.atomic import write_text
from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.experiments.result import Request
from hybrid.versions import versions

Result = TypeVar("Result")

FOLDER = "checkpoint"
"""Name of the folder, below that of the run."""

_UNFINISHED = "unfinished_"
_ROOMS = ("closures", "fortran_bridge", "hybrid", "solvers")
_SOURCES = {".F90", ".cpp", ".f90", ".h", ".hpp", ".py"}


@dataclass(frozen=True)
class Checkpoint:
    """Keeps the results of stages; several threads may work on different stages.

    Parameters
    ----------
    folder
        Where the files are.
    seed
        Seed of the run.
    prefix
        Beginning of the names of stages.
    """

    folder: Path
    seed: int
    prefix: str = ""

    @classmethod
    def open(cls, request: Request, depends_on: Mapping[str, Any], n_stage: int) -> "Checkpoint":
        """Find what an earlier run of the same kind finished, and say how much that is.

        Parameters
        ----------
        request
            The run; its seed and the version of the software are part of what it depends on.
        depends_on
            Everything else that results depend on, as JSON has it.
        n_stage
            Number of stages of a whole run.
        """
        everything = identity({**depends_on, "seed": request.seed})
        root = request.out / FOLDER
        folder = root / _key(everything)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(_described(folder), json.dumps(everything, sort_keys=True))
        # What has this prefix is being written, maybe by another process.
        finished = (path for path in folder.iterdir() if not path.name.startswith(_UNFINISHED))
        n_done = sum(map(_is_intact, finished))
        line = f"resuming: {n_done} of {n_stage} stages are done" if n_done else _kept(folder)
        if line:
            request.progress.console.print(line, highlight=False, soft_wrap=True)
        return cls(folder, request.seed)

    def within(self, prefix: str) -> "Checkpoint":
        """Return a view whose stages begin with `prefix`: a part that occurs several times."""
        return replace(self, prefix=f"{self.prefix}{prefix}_")

    def generator(self, stage: str) -> np.random.Generator:
        """Return the random numbers of a stage; those of other stages are independent."""
        words = np.frombuffer(sha256(f"{self.prefix}{stage}".encode()).digest(), "<u4")
        return np.random.default_rng([self.seed, *words.tolist()])

    def arrays(self, stage: str, make: Callable[[], xr.Dataset]) -> xr.Dataset:
        """Return the Dataset of a stage: made by `make`, or read where it was made before."""
        return self._result(stage, make, write_dataset, read_dataset)

    def weights(self, stage: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the numbers, strings and tensors of a stage, in dicts and lists, likewise."""
        return self._result(
            stage,
            make,
            lambda path, values: torch.save(values, path),
            lambda path: torch.load(path, weights_only=True),
        )

    def has(self, stage: str) -> bool:
        """Return whether a stage is finished."""
        return next(self.folder.glob(f"{self.prefix}{stage}.*"), None) is not None

    def _result(
        self,
        stage: str,
        make: Callable[[], Result],
        save: Callable[[Path, Result], object],
        load: Callable[[Path], Result],
    ) -> Result:
        name = f"{self.prefix}{stage}"
        found = next(self.folder.glob(f"{name}.*"), None)
        if found is None:
            unfinished = self.folder / f"{_UNFINISHED}{name}"
            save(unfinished, make())
            found = unfinished.replace(self.folder / f"{name}.{_digest(unfinished)}")
        return load(found)


def discard(out: Path) -> None:
    """Delete the checkpoint of the run in folder `out`, if there is one."""
    if (out / FOLDER).exists():
        shutil.rmtree(out / FOLDER)


def identity(depends_on: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that a result depends on, as JSON has it: also versions and sources.

    Parameters
    ----------
    depends_on
        Settings, seeds, data.
    """
    everything = {**depends_on, "versions": versions(), "sources": _source_digest()}
    as_json: dict[str, Any] = json.loads(json.dumps(everything))
    return as_json


def _key(everything: Mapping[str, Any]) -> str:
    return sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]


def _described(folder: Path) -> Path:
    """Return the file that says what the stages in `folder` depend on."""
    return folder.with_suffix(".json")


def _kept(folder: Path) -> str:
    """Return what is said of stages that another run has left; empty if there are none."""
    described = (path.with_suffix("") for path in folder.parent.glob("*.json"))
    others = [each for each in described if each != folder and any(each.glob("*"))]
    if not others:
        return ""
    last = max(others, key=lambda other: other.stat().st_mtime)
    own, theirs = (json.loads(_described(each).read_text("utf-8")) for each in (folder, last))
    differing = [key for key in {**own, **theirs} if own.get(key) != theirs.get(key)]
    return (
        f"beginning anew: the stages that are kept are of a run that differs in "
        f"{', '.join(differing)}; a run as that one goes on with them, and the end of any run "
        f"deletes {folder.parent}"
    )


def _source_digest() -> str:
    # A version number stays the same while someone works on the code.
    root = Path(__file__).parents[2]
    digest = sha256()
    for path in sorted(path for room in _ROOMS for path in (root / room).rglob("*.*")):
        if path.suffix in _SOURCES:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_intact(path: Path) -> bool:
    intact = path.suffix == f".{_digest(path)}"
    if not intact:
        path.unlink()
    return intact


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()[:16]
