"""A model with the terms that were found, as a compiled closure in its time loop."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures import ClosureSpec, Field, Grid
from closures.model_error import SpectralTerms, Variable
from closures.model_error.tree import walk
from hybrid.coupling import At, CoupledClosure, couple
from hybrid.experiments.medida_qg.cases import candidate_terms
from hybrid.experiments.medida_qg.flow import Flow
from hybrid.experiments.medida_qg.scores import named
from hybrid.export import export
from solvers.errors import SolverBlewUp, TendencyError
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

PLACES: Mapping[str, At] = MappingProxyType(
    {
        f"{name}{layer + 1}{end}": At(f"{name}{end}", "layer", layer)
        for name, end in (("q", ""), ("psi", ""), ("q", "_tendency"))
        for layer in (0, 1)
    }
)
"""Where the fields of the equations are in the solver's; psi_r has its own name there."""

# What a model meets in a run may be somewhat larger than what was sampled.
_BEYOND = 2.0


def envelope(nature: RelaxedJetQG, q: Array) -> dict[str, float]:
    """Return the largest absolute values that inputs are made for [1].

    Parameters
    ----------
    nature
        Whose grid it is.
    q
        Samples of its potential vorticity, ``(..., 2, ny, nx)`` [1].
    """
    flow = Flow(nature)
    largest = {"psi_r": np.abs(flow.jet()).max()}
    for name, field in (("q", q), ("psi", flow.psi(q))):
        for layer in (0, 1):
            largest[f"{name}{layer + 1}"] = np.abs(field[..., layer, :, :]).max()
    return {name: _BEYOND * float(value) for name, value in largest.items()}


def closure_of(
    model: RelaxedJetQG, case: str, found: xr.Dataset, bounds: Mapping[str, float]
) -> SpectralTerms:
    """Return the terms that were found in a case as a closure on the grid of a model.

    Parameters
    ----------
    model
        Of any case.
    case
        Key of `CASES`, in which something was found.
    found
        What `job.discoveries` returned.
    bounds
        What `envelope` returned.
    """
    coefficients = named(found, case)
    terms = [term for term in candidate_terms() if term.name in coefficients]
    names = [term.name for term in terms]
    covariance = found.covariance.sel(case=case, term=names, other_term=names)
    on_grid = {"dims": ("y", "x"), "shape": model.grid.shape, "dtype": "float64"}
    nodes = [node for term in terms for node in walk(term.argument)]
    symbols = {node.symbol for node in nodes if isinstance(node, Variable)}
    spec = ClosureSpec(
        f"jet_{case}",
        "1.0",
        tuple(
            Field(name, "1", **on_grid, valid_min=-bounds[name], valid_max=bounds[name])  # type: ignore[arg-type]
            for name in sorted(symbols)
        ),
        tuple(
            Field(f"{quantity}_tendency", "1", **on_grid)  # type: ignore[arg-type]
            for quantity in sorted({term.quantity for term in terms})
        ),
        locality="grid",
        grid=Grid((model.grid.dy, model.grid.dx), ("periodic", "periodic")),
        description="What a two-layer jet lacks, in closed form",
    )
    values = [coefficients[name] for name in names]
    return SpectralTerms.of_terms(
        tuple(terms), values, spec, covariance=covariance.to_numpy(), dealias=True
    )


def compiled(closure: SpectralTerms, path: Path) -> CoupledClosure:
    """Write the archive of a closure, and return it as what a solver couples to."""
    export(closure, path)
    fields = [field.name for field in (*closure.spec.inputs, *closure.spec.outputs)]
    return couple(path, names={name: PLACES[name] for name in fields if name in PLACES})


def forecast(
    model: RelaxedJetQG,
    correction: CoupledClosure | None,
    initial: Array,
    time: float,
    every: float,
    n_thread: int = 1,
) -> Array | None:
    """Return states from some on, None if they do not stay finite.

    Parameters
    ----------
    model
        What is run.
    correction
        What is added to its tendency; None for the model as it is.
    initial
        Potential vorticity to begin with, shape ``(n_member, 2, ny, nx)`` [1].
    time, every
        How long, and the time between states that are returned [1].
    n_thread
        Threads that share the members.

    Returns
    -------
    ndarray
        Shape ``(n_time, n_member, 2, ny, nx)``, the beginning first [1].

    Raises
    ------
    TendencyError
        If the closure does not fit the model.
    """
    if correction is not None:
        # Later, an error of the closure is one of what it was given.
        model.one_step(initial, tendency=correction)
    with warnings.catch_warnings():
        # Some of these models are unstable: that is what the run shows.
        warnings.simplefilter("ignore")
        try:
            run = model.run(
                time=time,
                save_every=every,
                initial=initial,
                tendency=correction,
                n_thread=n_thread,
                progress=False,
            )
        except (SolverBlewUp, TendencyError):
            return None
    return np.asarray(run.q.transpose("time", "member", "layer", "y", "x").to_numpy())
