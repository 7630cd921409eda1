"""What is compared: models without closure on several grids, and closures of the coarse model.

A closure is added by one line of `CANDIDATES`: a name, a label, and a function that makes it for a
model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType

from closures import Closure
from closures.quasigeostrophic import (
    Deconvolution,
    DynamicEddyViscosity,
    HybridSymbolic,
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    QGLeith,
    Smagorinsky,
    Stratification,
    ZannaBolton2020,
)
from closures.quasigeostrophic.networks import PAPER, Architecture
from hybrid.experiments.quasigeostrophic.calibration.coefficients import (
    CHOSEN,
    CHOSEN_DECONVOLVED,
    CHOSEN_OF_STRAIN,
    Coefficients,
)
from hybrid.experiments.quasigeostrophic.job import RegressionJob
from hybrid.experiments.quasigeostrophic.learning.plan import Plan
from hybrid.experiments.quasigeostrophic.runs.climate import ENVELOPE
from solvers.quasigeostrophic import TwoLayerQG

NONE = "none"
"""The coarse model without closure, whose distance from the truth is the unit of all scores."""

# Leith's constant over pi, as in Fox-Kemper and Menemenlis (2008), with a constant of 1.
_LEITH = pi**-3
# Damping time of the shortest wave [s].
_DAMPING_TIME = 86400.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that is scored.

    Parameters
    ----------
    label
        What tables call it.
    closure
        Makes the closure for a coarse model; None: none.
    nx
        Grid points along a side; None: those of the coarse model.
    published
        Whether Ross et al. (2023) ran it.
    coefficients
        Of `LeithE`, with deconvolution or without, which is computed inside the time loop; None: it
        is another closure.
    is_fitted
        Whether it is these with the coefficients that the run of the experiment finds.
    plan
        Network that the run of the experiment trains; None: it is none.
    regression
        The sparse regression that finds it in the run of the experiment; None: it is no such
        closure.
    is_hosted
        Whether it is run in Fortran too, where the scores should be the same.
    most_seeds
        Initial states that it is run from at most, the first ones: its steps cost much, or it is
        far from those that more states are to tell apart. None: all.
    """

    label: str
    closure: Callable[[TwoLayerQG], Closure] | None = None
    nx: int | None = None
    published: bool = False
    coefficients: Coefficients | None = None
    is_fitted: bool = False
    plan: Plan | None = None
    regression: RegressionJob | None = None
    is_hosted: bool = False
    most_seeds: int | None = None

    @property
    def has_closure(self) -> bool:
        """Whether it is a model with a closure."""
        learns = self.regression is not None or self.plan is not None
        return self.is_leith_e or learns or self.closure is not None

    @property
    def is_leith_e(self) -> bool:
        """Whether it is `LeithE`, with coefficients given or found."""
        return self.is_fitted or self.coefficients is not None


def _spacing(model: TwoLayerQG) -> tuple[float, float]:
    return model.grid.dy, model.grid.dx


def _largest(inputs: str) -> dict[str, float]:
    return {name: ENVELOPE[name] for name in inputs}


def _smagorinsky(model: TwoLayerQG) -> Closure:
    return Smagorinsky(_spacing(model), 0.15, largest=_largest("uv"))


def _leith(model: TwoLayerQG) -> Closure:
    return Leith(_spacing(model), c2=_LEITH, largest=_largest("uv"))


def _qg_leith(model: TwoLayerQG) -> Closure:
    return QGLeith(_spacing(model), c2=_LEITH, largest=_largest("q"))


def _dynamic(scale: str) -> Callable[[TwoLayerQG], Closure]:
    def make(model: TwoLayerQG) -> Closure:
        return DynamicEddyViscosity(_spacing(model), scale=scale, largest=_largest("quv"))

    return make


def _hyperviscosity(model: TwoLayerQG) -> Closure:
    shortest = pi / model.grid.dx
    return Hyperviscosity(
        _spacing(model), 1.0 / (_DAMPING_TIME * shortest**4), 2, largest=_largest("q")
    )


def _deconvolution(model: TwoLayerQG) -> Closure:
    return Deconvolution(
        _spacing(model), dt=model.dt, cutoff=CHOSEN_DECONVOLVED.cutoff, largest=_largest("q")
    )


def _backscatter(model: TwoLayerQG) -> Closure:
    return JansenHeldBackscatter(
        _spacing(model),
        Stratification.of(model.deformation_radius, model.delta),
        smagorinsky=0.007**0.5,
        returned=1.2,
        largest=_largest("q"),
    )


def _zanna_bolton(model: TwoLayerQG) -> Closure:
    return ZannaBolton2020(_spacing(model), largest=_largest("uv"))


def _combination(model: TwoLayerQG) -> Closure:
    return 0.5 * _smagorinsky(model) + 0.75 * _zanna_bolton(model)


def _symbolic(model: TwoLayerQG) -> Closure:
    return HybridSymbolic.published(
        _spacing(model), mean_flow=(model.u1, model.u2), largest=_largest("quv")
    )


# Of closures that are far from the best, and of networks.
_FEWER = 10

_GATED = Plan("gated", Architecture(n_channel=8, n_block=2))
_UNET = Plan("unet", Architecture(kind="unet", n_channel=8, n_block=2))

CANDIDATES: Mapping[str, Candidate] = MappingProxyType(
    {
        NONE: Candidate(label="no closure"),
        "none_96": Candidate(label="no closure, 96 x 96", nx=96),
        "none_128": Candidate(label="no closure, 128 x 128", nx=128),
        "smagorinsky": Candidate(
            label="Smagorinsky, 0.15", closure=_smagorinsky, published=True, most_seeds=_FEWER
        ),
        "leith": Candidate(label="Leith", closure=_leith, most_seeds=_FEWER),
        "qg_leith": Candidate(label="QG Leith", closure=_qg_leith, most_seeds=_FEWER),
        "dynamic_smagorinsky": Candidate(
            label="dynamic Smagorinsky", closure=_dynamic("smagorinsky"), most_seeds=_FEWER
        ),
        "dynamic_leith": Candidate(
            label="dynamic Leith", closure=_dynamic("leith"), most_seeds=_FEWER
        ),
        "hyperviscosity": Candidate(
            label="biharmonic viscosity", closure=_hyperviscosity, most_seeds=_FEWER
        ),
        "backscatter": Candidate(label="Jansen and Held", closure=_backscatter, published=True),
        "zanna_bolton": Candidate(
            label="Zanna and Bolton", closure=_zanna_bolton, published=True, most_seeds=_FEWER
        ),
        "combination": Candidate(
            label="0.5 Smagorinsky + 0.75 Zanna and Bolton", closure=_combination, most_seeds=_FEWER
        ),
        "symbolic": Candidate(label="symbolic, published", closure=_symbolic, published=True),
        "sparse": Candidate(
            label="symbolic, sparse regression",
            regression=RegressionJob(whiten=True),
            most_seeds=_FEWER,
        ),
        "sparse_unwhitened": Candidate(
            label="symbolic, sparse regression, not whitened",
            regression=RegressionJob(whiten=False),
            most_seeds=_FEWER,
        ),
        "leith_e": Candidate(label="Leith+E of momentum", coefficients=CHOSEN),
        "deconvolution": Candidate(
            label="deconvolution alone", closure=_deconvolution, most_seeds=_FEWER
        ),
        "leith_e_deconvolved": Candidate(
            label="Leith+E with deconvolution", coefficients=CHOSEN_DECONVOLVED
        ),
        "smagorinsky_e": Candidate(
            label="Smagorinsky+E with deconvolution", coefficients=CHOSEN_OF_STRAIN
        ),
        "leith_e_sixth": Candidate(
            label="Leith+E of sixth order with deconvolution", is_fitted=True
        ),
        "fcnn": Candidate(
            label="FCNN of the paper, trained here",
            plan=Plan("fcnn", PAPER),
            published=True,
            most_seeds=_FEWER,
        ),
        "gated": Candidate(
            label="gated network, trained on states", plan=_GATED, most_seeds=_FEWER
        ),
        "gated_online": Candidate(
            label="gated network, trained in runs",
            plan=Plan("gated_online", _GATED.architecture, begins_as=_GATED),
            is_hosted=True,
            most_seeds=_FEWER,
        ),
        "gated_noise": Candidate(
            label="gated network, and noise for what it misses",
            plan=Plan("gated_noise", _GATED.architecture, begins_as=_GATED, noise=True),
            most_seeds=_FEWER,
        ),
        "unet": Candidate(label="U-Net, trained on states", plan=_UNET, most_seeds=_FEWER),
    }
)
"""Models by the names that metrics have."""
