"""What the time loop of the relaxed jet reads: arrays and numbers of a model."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solvers import relaxed_jet_kernel as kernel
from solvers.fft import complex_dtype

if TYPE_CHECKING:
    from solvers.relaxed_jet import RelaxedJetQG


def operators(model: "RelaxedJetQG") -> kernel.Operators:
    """Return the arrays that the time loop reads."""

    def real(array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(array, dtype=model.dtype)

    return kernel.Operators(
        k=real(model.grid.k),
        l=real(model.grid.l),
        inverse_determinant=real(model.inverse_determinant),
        euler=real(1.0 / (1.0 + model.dt * model.hyperviscosity)),
        leapfrog=real(1.0 / (1.0 + 2.0 * model.dt * model.hyperviscosity)),
        jet=model.jet_spectrum.astype(complex_dtype(model.dtype)),
        sponge=real(model.sponge_rate_fine),
        topography=real(model.topography_fine),
    )


def parameters(model: "RelaxedJetQG") -> kernel.Parameters:
    """Return the numbers that the time loop reads."""
    n_coarse, n_fine = np.prod(model.grid.shape), np.prod(model.fine_shape)
    numbers = (
        *(model.dt, model.beta, model.tau_d1, model.tau_d2, model.tau_f, model.jacobian),
        *(model.time_filter, 1.0 / n_coarse, n_coarse / n_fine),
    )
    return kernel.Parameters(*(np.dtype(model.dtype).type(number) for number in numbers))
