"""Runs inside pyqg's own environment: reads requests as JSON lines, answers with seconds.

A request names the grid size `nx`, the time step `dt` [s] and `n_step`. A model is made at the
first request of its size and goes on from request to request. Times are the processor's.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import pyqg  # type: ignore[import-not-found]


def model(nx: int, dt: float) -> Any:
    """Return pyqg's default model on one thread, with random potential vorticity."""
    made = pyqg.QGModel(nx=nx, dt=dt, ntd=1, tmax=np.inf, twrite=10**9, log_level=0)
    made.set_q(1e-6 * np.random.default_rng(0).standard_normal((2, nx, nx)))
    return made


def main() -> None:
    """Answer requests until the input ends."""
    models: dict[tuple[int, float], Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = request["nx"], request["dt"]
        if key not in models:
            models[key] = model(*key)
        running = models[key]
        began = time.process_time()
        for _ in range(request["n_step"]):
            running._step_forward()
        seconds = time.process_time() - began
        if not np.isfinite(running.q).all():
            sys.exit(f"pyqg: no longer finite at nx={key[0]}, dt={key[1]} s")
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
