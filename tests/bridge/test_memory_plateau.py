"""Cycles with an engine keep resident memory where the first ones left it."""

import os
from pathlib import Path

import numpy as np
import pytest

from fortran_bridge.binding import Binding
from fortran_bridge.native_closure import NativeClosure

N_COLUMN, N_LEVEL = 6, 5
WARM_UP, CYCLES = 100, 500
ALLOWED_MB = 1.0
"""Between the first and the last fifth, some 400 cycles: 2.6 KB a cycle would take more."""


def resident_mb() -> float:
    """Return the resident memory of this process [MiB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cycle(path: Path, engine: str, step: int) -> None:
    """Load, create, bind, run, commit and free."""
    columns = Binding(NativeClosure(path, engine), N_COLUMN, policy="flag")
    t, ps = np.full((N_COLUMN, N_LEVEL), 250.0), np.full(N_COLUMN, 9e4)
    dt, rain = np.zeros_like(t), np.full(N_COLUMN, -1.0)
    columns.bind("state_t", t, dims="column,level", units="K")
    columns.bind("state_ps", ps, dims="column", units="Pa")
    columns.bind("ptend_t", dt, dims="column,level", units="K s-1")
    columns.bind("precipitation", rain, dims="column", units="m s-1")
    columns.run(step)
    columns.commit()
    columns.free()
    assert (rain > 0).all()


@pytest.mark.parametrize("engine", ["torchscript", "native"])
def test_resident_memory_stays_on_a_plateau(column_archive: Path, engine: str) -> None:
    resident = []
    for step in range(WARM_UP + CYCLES):
        cycle(column_archive, engine, step)
        resident.append(resident_mb())
    # The middle and the last fifth, not single cycles: the allocator gives and takes.
    settled = resident[WARM_UP:]
    early = float(np.median(settled[: CYCLES // 5]))
    late = float(np.median(settled[-CYCLES // 5 :]))
    assert late - early < ALLOWED_MB, f"resident memory grew from {early:.1f} to {late:.1f} MiB"
