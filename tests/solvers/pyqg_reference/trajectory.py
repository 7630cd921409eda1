"""Runs inside pyqg's own environment: advance its two-layer model from a given state.

Called with an input and an output ``.npz`` file. The input holds potential vorticity `q`, shape
(2, n, n) [s-1], the numbers of `steps` after which the output is to hold q-hat, which `closure`
there is, and every other name is a parameter of `pyqg.QGModel`. The output holds the arrays
``qh_<step>``, shape (2, n, n/2 + 1), and the `version` of pyqg.
"""

import sys
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pyqg  # type: ignore[import-not-found]


def by_layers(model: Any) -> Any:
    """Return a tendency of q that differs from layer to layer [s-2]."""
    return 1e-7 * np.array([[[-1.0]], [[2.0]]]) * model.q * np.tanh(20.0 * model.u * model.v)


def symbolic(model: Any) -> Any:
    """Return the published sum of seven terms, with pyqg's own transforms [s-2]."""

    def advected(f: Any) -> Any:
        fluxes = model.fft(model.ufull * f), model.fft(model.vfull * f)
        return model.ifft(model.ik * fluxes[0] + model.il * fluxes[1])

    def laplacian(f: Any) -> Any:
        return model.ifft((model.ik**2 + model.il**2) * model.fft(f))

    first, second = laplacian(advected(model.q)), laplacian(laplacian(model.q))
    turns = [
        model.ifft(wave * model.fft(laplacian(f)))
        for wave, f in ((model.ik, model.v), (model.il, model.u))
    ]
    terms = (
        *(first, laplacian(first), laplacian(laplacian(first)), second, laplacian(second)),
        *(advected(advected(f)) for f in turns),
    )
    return sum(w * f for w, f in zip(WEIGHTS, terms, strict=True))


# In their order w_1 to w_7, upper layer and lower layer, as published.
WEIGHTS = np.array(
    [
        [1.4077349573135765e07, 5.196460289865505e06],
        [1.9300721349777748e15, 7.031351150824246e14],
        [2.3311494532833229e22, 1.130130768679029e11],
        [1.1828024430000000e09, 8.654265196250000e08],
        [1.1410567621344224e17, 7.496556547888773e16],
        [-6.7029178551956909e10, -8.300923156070618e11],
        [8.9901990193476257e10, 9.790139405295905e11],
    ]
)[:, :, np.newaxis, np.newaxis]
CLOSURES: dict[str, dict[str, Any]] = {
    "none": {},
    "by layers": {"q_parameterization": by_layers},
    "smagorinsky": {"uv_parameterization": pyqg.Smagorinsky(0.15)},
    "zanna bolton": {"uv_parameterization": pyqg.ZannaBolton2020()},
    "backscatter": {"q_parameterization": pyqg.BackscatterBiharmonic(0.007**0.5, 1.2)},
    "symbolic": {"q_parameterization": symbolic},
    "sum": {
        "uv_parameterization": 0.5 * pyqg.Smagorinsky(0.15) + 0.75 * pyqg.ZannaBolton2020(),
    },
}


def main(source: str, target: str) -> None:
    """Read the input, advance, write the output."""
    given = dict(np.load(source))
    q, steps = given.pop("q"), given.pop("steps")
    parameterization = CLOSURES[str(given.pop("closure"))]
    numbers = {name: value.item() for name, value in given.items()}
    model = pyqg.QGModel(log_level=0, ntd=1, **parameterization, **numbers)
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
