"""Runs inside pyqg's own environment: advance its two-layer model from a given state.

Called with an input and an output ``.npz`` file. The input holds potential vorticity `q`, shape
(2, n, n) [s-1], the numbers of `steps` after which the output is to hold q-hat, whether there is
a `closure`, and every other name is a parameter of `pyqg.QGModel`. The output holds the arrays
``qh_<step>``, shape (2, n, n/2 + 1), and the `version` of pyqg.
"""

import sys
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pyqg  # type: ignore[import-not-found]


def closure(model: Any) -> Any:
    """Return a tendency of q that differs from layer to layer [s-2]."""
    return 1e-7 * np.array([[[-1.0]], [[2.0]]]) * model.q * np.tanh(20.0 * model.u * model.v)


def main(source: str, target: str) -> None:
    """Read the input, advance, write the output."""
    given = dict(np.load(source))
    q, steps = given.pop("q"), given.pop("steps")
    function = closure if given.pop("closure") else None
    numbers = {name: value.item() for name, value in given.items()}
    model = pyqg.QGModel(log_level=0, ntd=1, q_parameterization=function, **numbers)
    with warnings.catch_warnings():
        # It recommends a name that 0.7.2 and earlier releases do not share.
        warnings.simplefilter("ignore", DeprecationWarning)
        model.set_q(q)
    states: dict[str, Any] = {"version": version("pyqg")}
    for step in range(1, max(steps) + 1):
        model._step_forward()
        if step in steps:
            states[f"qh_{step}"] = np.array(model.qh)
    np.savez(target, **states)


if __name__ == "__main__":
    main(*sys.argv[1:])
