"""Discovery of model error as equations, from increments between observations and a model."""

from closures.model_error.columns import (
    AtTheEnd,
    BlackBoxColumns,
    Columns,
    ImplicitColumns,
    before_the_step,
    mean_over_step,
)
from closures.model_error.discovery import ModelError, discover, gather
from closures.model_error.equation import Equation
from closures.model_error.errors import (
    LibraryError,
    NothingFoundError,
    SamplesError,
    TermsError,
)
from closures.model_error.expressions import (
    Derivative,
    Evaluation,
    Expression,
    Power,
    Product,
    Sum,
    Variable,
    jacobian,
    laplacian,
)
from closures.model_error.gram import Gram, Moments
from closures.model_error.grid import PeriodicGrid
from closures.model_error.library import Library, monomials
from closures.model_error.posterior import Posterior
from closures.model_error.relevance import Criterion, Path, pruning_path
from closures.model_error.samples import Samples, Step, analysis_increments, one_step
from closures.model_error.spectral_terms import SpectralTerms
from closures.model_error.system import InEquation, SystemLibrary

__all__ = [
    "AtTheEnd",
    "BlackBoxColumns",
    "Columns",
    "Criterion",
    "Derivative",
    "Equation",
    "Evaluation",
    "Expression",
    "Gram",
    "ImplicitColumns",
    "InEquation",
    "Library",
    "LibraryError",
    "ModelError",
    "Moments",
    "NothingFoundError",
    "Path",
    "PeriodicGrid",
    "Posterior",
    "Power",
    "Product",
    "Samples",
    "SamplesError",
    "SpectralTerms",
    "Step",
    "Sum",
    "SystemLibrary",
    "TermsError",
    "Variable",
    "analysis_increments",
    "before_the_step",
    "discover",
    "gather",
    "jacobian",
    "laplacian",
    "mean_over_step",
    "monomials",
    "one_step",
    "pruning_path",
]
