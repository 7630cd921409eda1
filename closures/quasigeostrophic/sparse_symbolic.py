"""A sparse sum of candidate terms as a closure of two-layer flow."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from closures.base import Closure
from closures.closed_form import ENTRY, ClosedForm
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.sparse_terms import FIELDS, N_POWER, TERMS, Term
from closures.quasigeostrophic.specification import finite_array, layer_spec
from closures.turbulence.flow import Waves, to_grid

# As many fit into a line of a page.
_TERMS_A_LINE, _NEXT_LINE = 3, " \\\\\n &\\quad"
_ROSS = "Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258"


class SparseSymbolic(Closure):
    r"""Linear in candidate terms, most of which have no weight, layer by layer.

    .. math::
        T = \sum_{f, p} w_{fp} (d^2 \nabla^2)^p f, \quad
        f \in \{q, \zeta, v, \partial_x q, A q, A \zeta, A^2 q, A^2 \zeta\}, \quad
        A f = \nabla \cdot ((\mathbf{u} + \mathbf{U}) f),

    with the relative vorticity :math:`\zeta`, the mean flow U and the grid spacing d, whose square
    is the area of a cell. All of them change sign with the vorticity when north and south are
    exchanged. The first five terms of the symbolic closure of Ross et al. (2023) are among them;
    its :math:`A^2 \nabla^2 \partial_x v` and :math:`A^2 \nabla^2 \partial_y u` are not. As that
    one, this closure changes for an observer who moves along; and v and q_x know the axes.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    weights
        By layer, field and power of the Laplacian, shape ``(2, 8, 4)``; those of a field all have
        the units of its `Candidate`.
    mean_flow
        U of the upper and of the lower layer, along x [m s-1].
    largest
        Largest magnitudes of q, u and v that it was made for [s-1, m s-1], by name; see
        `layer_spec`.
    provenance
        Where the weights come from.

    Raises
    ------
    SpecError
        If weights or mean flow have other shapes or are not finite, or `largest` names no input.

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258.

    Examples
    --------
    >>> weights = np.zeros((2, len(FIELDS), N_POWER))
    >>> weights[:, 0, 2] = -1e-6, -2e-6
    >>> closure = SparseSymbolic((1e4, 1e4), weights, mean_flow=(0.025, 0.0))
    >>> print(closure.equation(digits=3))
    q_t = ...
    upper layer: - 1e+10 [m4 s-1] lap^2 q
    lower layer: - 2e+10 [m4 s-1] lap^2 q
    A f = div((u + U) f), U = 0.025 and 0.0 m s-1, vorticity = v_x - u_y
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        weights: ArrayLike,
        *,
        mean_flow: Sequence[float],
        largest: Mapping[str, float] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        values = finite_array("weights", weights, (2, len(FIELDS), N_POWER))
        flow = finite_array("mean_flow", mean_flow, (2,))
        super().__init__(
            layer_spec(
                "sparse_symbolic",
                spacing,
                "quv",
                "Sparse regression on Laplacians of q, vorticity, v and of what the flow advects",
                (_ROSS,),
                largest,
                provenance,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.unit = self.dy * self.dx
        self.register_buffer("weights", torch.from_numpy(values))
        self.register_buffer("mean_flow", torch.from_numpy(flow[:, np.newaxis, np.newaxis]))

    weights: Tensor
    mean_flow: Tensor

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], u and v [m s-1], all ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        laplacian = -self.unit * w.squared
        weights = self.weights[:, :, :, None, None]
        factors = weights[:, :, 3]
        for power in (2, 1, 0):
            factors = factors * laplacian + weights[:, :, power]
        fields = self.fields(q, u, v, w)
        return (to_grid((factors.transpose(0, 1) * fields).sum(1), q),)

    def fields(self, q: Tensor, u: Tensor, v: Tensor, w: Waves) -> Tensor:
        """Return the spectra of `FIELDS`, shape ``(n, 8, 2, l, k)``."""
        whole = u + self.mean_flow
        spectra = torch.fft.rfft2(torch.stack([q, u, v], dim=1)) * w.kept
        of_q, of_v = spectra[:, 0], spectra[:, 2]
        spin = 1j * w.k * of_v - 1j * w.l * spectra[:, 1]
        both = torch.stack([of_q, spin], dim=1)
        once = self._advected(both, q, whole, v, w)
        twice = self._advected(once, q, whole, v, w)
        single = torch.stack([of_q, spin, of_v, 1j * w.k * of_q], dim=1)
        return torch.cat([single, once, twice], dim=1)

    def _advected(self, spectra: Tensor, like: Tensor, u: Tensor, v: Tensor, w: Waves) -> Tensor:
        """Return the spectra of ``div((u, v) f)`` of some f, shape ``(n, f, 2, l, k)``."""
        fields = to_grid(spectra, like)
        along_x = torch.fft.rfft2(u[:, None] * fields)
        along_y = torch.fft.rfft2(v[:, None] * fields)
        advected: Tensor = w.kept * (1j * w.k * along_x + 1j * w.l * along_y)
        return advected

    def terms(self, q: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Return the candidate terms, in the order of `TERMS`, shape ``(n, 32, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        fields, laplacian = self.fields(q, u, v, w), -self.unit * w.squared
        each = [to_grid(fields[:, field] * laplacian**power, q) for field, power in TERMS]
        return torch.stack(each, dim=1)

    def equation(self, digits: int | None = None) -> ClosedForm:
        """Return the closure written out, with units.

        Parameters
        ----------
        digits
            Significant digits of numbers; None: as many as tell them apart from all others.
        """
        layers = ("upper", "lower")
        sums = [self._written_out(layer, digits) for layer in range(2)]
        upper, lower = (repr(float(u)) for u in self.mean_flow.ravel())
        lines = [f"{name} layer: {text}" for name, (text, _) in zip(layers, sums, strict=True)]
        where = f"U = {upper} and {lower} m s-1, vorticity = v_x - u_y"
        rows = [
            rf"\partial_t q_{i} &= \cdots {latex}" for i, (_, latex) in enumerate(sums, start=1)
        ]
        rows += [
            r"A f &= \nabla \cdot ((\mathbf{u} + \mathbf{U}) f)",
            rf"U_1 &= {upper}\ \mathrm{{m\,s^{{-1}}}}, \quad U_2 = {lower}\ \mathrm{{m\,s^{{-1}}}}",
            r"\zeta &= \partial_x v - \partial_y u",
        ]
        latex = "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
        return ClosedForm("\n".join(["q_t = ...", *lines, f"A f = div((u + U) f), {where}"]), latex)

    def coefficients(self, layer: int) -> dict[Term, float]:
        """Return the coefficients of the terms of a layer that have one [`Term.units`]."""
        values = {
            term: float(self.weights[layer, term.field, term.power]) * self.unit**term.power
            for term in TERMS
        }
        return {term: value for term, value in values.items() if value}

    def _written_out(self, layer: int, digits: int | None) -> tuple[str, str]:
        text, latex = "", ""
        for i, (term, value) in enumerate(self.coefficients(layer).items()):
            size = repr(abs(value)) if digits is None else f"{abs(value):.{digits}g}"
            sign = "-" if value < 0.0 else "+"
            text += f" {sign} {size} [{term.units}] {term.name}"
            latex += _NEXT_LINE if i and i % _TERMS_A_LINE == 0 else ""
            latex += rf" {sign} {_in_latex(size)}{term.latex_units} \, {term.latex}"
        return text.strip() or "nothing", latex.strip() or "+ 0"

    def documents(self) -> dict[str, str]:
        """Return the equation, as ``equation.json``."""
        return {ENTRY: self.equation().to_json()}


def _in_latex(number: str) -> str:
    mantissa, _, exponent = number.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa
