"""Climates of the coarse model as a Fortran program, which calls the archive of a closure."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import hybrid
from fortran_bridge.build import ensure_built
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_host
from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.experiments.quasigeostrophic.runs.climate import (
    BLEW_UP,
    OnProgress,
    Sample,
    averaged,
    closure_tendency,
)
from hybrid.experiments.quasigeostrophic.runs.configurations import Duration
from solvers.quasigeostrophic import TwoLayerQG

Array = NDArray[np.float64]

HOST = "quasigeostrophic"
"""Name of the program."""

# What the host, or the closure's guard, says of a state that did not stay finite.
_LOST = re.compile(r"no longer finite|expected finite values")
_PHYSICS = ("dt", "beta", "deformation_radius", "delta", "u1", "u2", "bottom_drag", "filter")


def can_host() -> bool:
    """Return whether the program was built, which needs FFTW 3."""
    return ensure_built().host(HOST).exists()


def hosted_climate(
    model: TwoLayerQG,
    initial: Array,
    duration: Duration,
    archive: Path,
    on_progress: OnProgress = lambda _fraction: None,
) -> xr.Dataset:
    """Run the model in Fortran and return its climate, the same as `climate` does of its own runs.

    Of a run that did not stay finite the time is that of the last progress that was reported.

    Parameters
    ----------
    model
        The model.
    initial
        Potential vorticity to begin with, shape ``(2, ny, nx)`` [s-1].
    duration
        Length, and what is kept.
    archive
        The closure.
    on_progress
        Called with the fraction done.

    Raises
    ------
    HostError
        If the program is not built, or fails otherwise than by a run that did not stay finite.
    """
    interval = round(duration.sampled_every / model.dt)
    with TemporaryDirectory() as name:
        folder = Path(name)
        dims = ("member", "layer", "y", "x")
        start = xr.Dataset({"q": (dims, initial[None], {"units": "s-1"})})
        write_dataset(folder / "initial.nc", start)
        settings: dict[str, Any] = {
            "archive": str(archive.resolve()),
            "initial_file": "initial.nc",
            "output_file": "output.nc",
            "n_step": interval * duration.n_sample,
            "save_every": interval,
            "length_x": model.grid.length_x,
            "length_y": model.grid.length_y,
            **{each: getattr(model, each) for each in _PHYSICS},
        }
        done = 0.0

        def said(part: float) -> None:
            nonlocal done
            done = part
            on_progress(0.9 * part)

        try:
            run_host(HOST, {"settings": settings}, folder, said)
        except HostError as error:
            if not _LOST.search(str(error)):
                raise
            return xr.Dataset(attrs={BLEW_UP: done * settings["n_step"] * model.dt})
        states = read_dataset(folder / "output.nc")["q"].isel(member=0)
    samples = _samples(model, states.to_numpy()[1:], duration, archive)
    return averaged(model, samples, duration, lambda part: on_progress(0.9 + 0.1 * part))


def _samples(
    model: TwoLayerQG, states: Array, duration: Duration, archive: Path
) -> Iterator[Sample]:
    """Yield states, shape ``(time, 2, ny, nx)``, with what the closure says of each."""
    closure = hybrid.couple(archive)
    for i, q in enumerate(states, 1):
        tendency = None
        if i > duration.n_spin_up:
            integration = model.start(q, tendency=closure)
            integration.advance(1)
            tendency = closure_tendency(integration)
        yield Sample(i * duration.sampled_every, q, tendency)
