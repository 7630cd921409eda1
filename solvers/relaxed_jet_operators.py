"""What the time loop of the relaxed jet reads: arrays and numbers of a model."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from solvers import relaxed_jet_kernel as kernel
from solvers.fft import complex_dtype
from solvers.spectral import SpectralGrid


class JetModel(Protocol):
    """What is read of a model: parameters and fields of `solvers.relaxed_jet.RelaxedJetQG`."""

    @property
    def grid(self) -> SpectralGrid: ...  # noqa: D102 -- as in the model

    @property
    def fine_shape(self) -> tuple[int, int]: ...  # noqa: D102 -- as in the model

    @property
    def dtype(self) -> str: ...  # noqa: D102 -- as in the model

    @property
    def dt(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def beta(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def tau_d1(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def tau_d2(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def tau_f(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def jacobian(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def time_filter(self) -> float: ...  # noqa: D102 -- as in the model

    @property
    def inverse_determinant(self) -> NDArray[np.float64]: ...  # noqa: D102 -- as in the model

    @property
    def hyperviscosity(self) -> NDArray[np.float64]: ...  # noqa: D102 -- as in the model

    @property
    def jet_spectrum(self) -> NDArray[np.complex128]: ...  # noqa: D102 -- as in the model

    @property
    def sponge_rate_fine(self) -> NDArray[np.float64]: ...  # noqa: D102 -- as in the model

    @property
    def topography_fine(self) -> NDArray[np.float64]: ...  # noqa: D102 -- as in the model


def operators(model: JetModel) -> kernel.Operators:
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


def parameters(model: JetModel) -> kernel.Parameters:
    """Return the numbers that the time loop reads."""
    n_coarse, n_fine = np.prod(model.grid.shape), np.prod(model.fine_shape)
    numbers = (
        *(model.dt, model.beta, model.tau_d1, model.tau_d2, model.tau_f, model.jacobian),
        *(model.time_filter, 1.0 / n_coarse, n_coarse / n_fine),
    )
    return kernel.Parameters(*(np.dtype(model.dtype).type(number) for number in numbers))
