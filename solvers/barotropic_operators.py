"""The arrays and numbers of a barotropic model that its compiled time loop reads."""

from typing import TYPE_CHECKING

import numpy as np

from solvers.barotropic_kernel import Operators

if TYPE_CHECKING:
    from solvers.barotropic import Barotropic


def operators_of(model: "Barotropic") -> Operators:
    """Return the arrays and numbers that the time loop reads."""
    grid, real = model.grid, np.dtype(model.dtype).type
    rate = model.damping * model.dt
    if model.weights is None:
        propagator = np.exp(np.multiply.outer([0.0, -0.5, -1.0], rate))
    else:
        propagator = 1.0 / (1.0 + 0.5 * rate[np.newaxis])
    tables = (grid.k, grid.l, -grid.inverse_wavenumber_squared, propagator)
    k, l, inverse_laplacian, factors = (  # noqa: E741
        np.ascontiguousarray(table, dtype=model.dtype) for table in tables
    )
    return Operators(
        k=k,
        l=l,
        inverse_laplacian=inverse_laplacian,
        propagator=factors,
        rows=np.flatnonzero(model.kept[:, 0]),
        n_column=int(model.kept[0].sum()),
        scale=real(1.0 / (grid.n_x * grid.n_y)),
        beta=real(model.beta),
        dealiased=model.dealias,
    )
