"""Classical closures of two-layer quasi-geostrophic flow, for archives and for training.

Each takes some of q, u and v of both layers, without the mean flow, as `solvers.TwoLayerQG` gives
them, and returns the tendency of q. Derivatives are spectral, and products are taken on the grid,
not dealiased, as the solver does; the shortest wave of the grid, which has no derivative, takes no
part. `LeithE` alone takes differences of neighbours. ``0.5 * a + 0.75 * b`` is a closure too.
"""

from closures.quasigeostrophic.backscatter import JansenHeldBackscatter
from closures.quasigeostrophic.deconvolution import Deconvolution
from closures.quasigeostrophic.dynamic import DynamicEddyViscosity
from closures.quasigeostrophic.energetic_leith import LeithE
from closures.quasigeostrophic.hyperviscosity import Hyperviscosity
from closures.quasigeostrophic.leith import Leith, QGLeith
from closures.quasigeostrophic.smagorinsky import Smagorinsky
from closures.quasigeostrophic.sparse_fit import fit_sparse_symbolic
from closures.quasigeostrophic.sparse_symbolic import SparseSymbolic
from closures.quasigeostrophic.stratification import Stratification
from closures.quasigeostrophic.symbolic import HybridSymbolic
from closures.quasigeostrophic.symbolic_fit import fit_hybrid_symbolic
from closures.quasigeostrophic.zanna_bolton import ZannaBolton2020

__all__ = [
    "Deconvolution",
    "DynamicEddyViscosity",
    "HybridSymbolic",
    "Hyperviscosity",
    "JansenHeldBackscatter",
    "Leith",
    "LeithE",
    "QGLeith",
    "Smagorinsky",
    "SparseSymbolic",
    "Stratification",
    "ZannaBolton2020",
    "fit_hybrid_symbolic",
    "fit_sparse_symbolic",
]
