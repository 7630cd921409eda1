"""A linear policy written out: its coefficients and all that they are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from closures.closed_form import ClosedForm


class _Words(NamedTuple):
    """A quantity in plain text and in LaTeX."""

    text: str
    latex: str


# In the order of `closures.turbulence.invariants`.
_INVARIANTS = (
    _Words("", ""),
    _Words(
        "(|grad w|/rms - 1)",
        r"\left(\frac{|\nabla\omega|}{\langle|\nabla\omega|^2\rangle^{1/2}} - 1\right)",
    ),
    _Words("(|S|^2 - w^2)/(|S|^2 + w^2)", r"\frac{|S|^2 - \omega^2}{|S|^2 + \omega^2}"),
    _Words("(|S|/rms - 1)", r"\left(\frac{|S|}{\langle|S|^2\rangle^{1/2}} - 1\right)"),
    _Words("A", "A"),
    _Words("(|w|/rms - 1)", r"\left(\frac{|\omega|}{\langle\omega^2\rangle^{1/2}} - 1\right)"),
)
_SCALES = {
    "leith": _Words("|grad w|", r"|\nabla\omega|"),
    "smagorinsky": _Words("|S|", "|S|"),
    "uniform": _Words("", ""),
}
_FIRST_POWER = {"leith": 3, "smagorinsky": 2}
_STRAIN = _Words(
    "|S|^2 = (u_x - v_y)^2 + (u_y + v_x)^2",
    r"|S|^2 = {} & (u_x - v_y)^2 + (u_y + v_x)^2",
)
_ALIGNMENT = _Words(
    "A = -((u_x - v_y) (w_x^2 - w_y^2) + 2 (u_y + v_x) w_x w_y)/(|grad w|^2 |S|)",
    r"A = {} & -\frac{(u_x - v_y) (\omega_x^2 - \omega_y^2) + 2 (u_y + v_x) \omega_x \omega_y}"
    r"{|\nabla\omega|^2 |S|}",
)
_NEXT_LINE = " \\\\\n    & "
_NOTE = (
    "<.> is the mean over the domain and rms the root of the mean square of what stands before "
    "it; a fraction is 0 where its denominator is 0; of w, and of the tendency, only waves below "
    "a third of the number of points take part"
)


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of a linear policy.

    Parameters
    ----------
    number
        2 or 4, that of its viscosity.
    weights
        A weight for each invariant [1].
    low, high
        Bounds [1].
    """

    number: int
    weights: Sequence[float]
    low: float
    high: float


def policy_equation(
    coefficients: Sequence[Coefficient],
    scale: str,
    width: float,
    margin: float,
    digits: int | None = None,
) -> ClosedForm:
    """Write out a linear policy.

    Parameters
    ----------
    coefficients
        c2, and c4 if there is a hyperviscosity.
    scale, width
        What viscosities are proportional to, and the filter width [length].
    margin
        Net dissipation that the limiter keeps [1]; negative: no limiter.
    digits
        Significant digits of numbers; None: as many as tell them apart from all others.
    """
    text = [
        _equation([c.number for c in coefficients]).text,
        _viscosities(coefficients, scale, width, digits).text,
        *(_coefficient(c, digits).text for c in coefficients),
    ]
    latex = [
        _equation([c.number for c in coefficients]).latex,
        _viscosities(coefficients, scale, width, digits).latex,
        *(_coefficient(c, digits).latex for c in coefficients),
    ]
    if margin >= 0.0:
        limiter = _limiter(len(coefficients) > 1, margin, digits)
        text.append(limiter.text)
        latex.append(limiter.latex)
    text += [_STRAIN.text, _ALIGNMENT.text, _NOTE]
    latex += [_STRAIN.latex, _ALIGNMENT.latex]
    body = " \\\\\n".join(f"    {line}" for line in latex)
    lines = [r"\begin{equation}", r"  \begin{aligned}", body, r"  \end{aligned}", r"\end{equation}"]
    return ClosedForm("\n".join(text), "\n".join([f"% {_NOTE}.", *lines]))


def _equation(numbers: Sequence[int]) -> _Words:
    text, latex = "w_t = ... + div(nu2 grad w)", r"\partial_t \omega = {} & \cdots"
    latex += r" + \nabla \cdot (\nu_2 \nabla\omega)"
    if 4 in numbers:
        text += " - div(nu4 grad lap w)"
        latex += r" - \nabla \cdot (\nu_4 \nabla\nabla^2\omega)"
    return _Words(text, latex)


def _viscosities(
    coefficients: Sequence[Coefficient], scale: str, width: float, digits: int | None
) -> _Words:
    text, latex = [], []
    for c in coefficients:
        factor = _SCALES[scale]
        if scale in _FIRST_POWER:
            power = _FIRST_POWER[scale] + c.number - 2
            factor = _Words(f" D^{power} {factor.text}", f" D^{power} {factor.latex}")
        text.append(f"nu{c.number} = c{c.number}{factor.text}")
        latex.append(rf"\nu_{c.number} = c_{c.number}{factor.latex}")
    if scale in _FIRST_POWER:
        text.append(f"D = {_number(width, digits).text}")
        latex.append(f"D = {_number(width, digits).latex}")
    return _Words(", ".join(text), r", \quad ".join(latex).replace(" = ", " = {} & ", 1))


def _coefficient(c: Coefficient, digits: int | None) -> _Words:
    text, latex = "", ""
    for weight, invariant in zip(c.weights, _INVARIANTS, strict=True):
        if weight == 0.0:
            continue
        sign, size = "-" if weight < 0.0 else "+", _number(abs(weight), digits)
        # The first term has no blank behind its sign, and no plus.
        before = f" {sign} " if text else sign.removeprefix("+")
        text += f"{before}{size.text} {invariant.text}".rstrip()
        # In LaTeX a line for each.
        latex += _NEXT_LINE if latex else ""
        latex += rf"{before}{size.latex} \, {invariant.latex}".strip().removesuffix(r" \,")
    low, high = _number(c.low, digits), _number(c.high, digits)
    return _Words(
        f"c{c.number} = {text or '0'}, cut off at {low.text} and {high.text}",
        rf"c_{c.number} = {{}} & {latex or '0'}, \quad {low.latex} \le c_{c.number} \le "
        f"{high.latex}",
    )


def _limiter(hyper: bool, margin: float, digits: int | None) -> _Words:
    part = _number(margin, digits)
    text = (
        f"where nu2 < 0 it is multiplied by min(1, (1 - {part.text}) max(L, 0)/G), "
        "G = -<min(nu2, 0) |grad w|^2>, L = <max(nu2, 0) |grad w|^2"
    )
    latex = (
        rf"\nu_2 \to {{}} & \min\left(1, (1 - {part.latex}) \frac{{\max(L, 0)}}{{G}}\right) \nu_2 "
        r"\quad \text{where } \nu_2 < 0, \quad G = -\langle\min(\nu_2, 0) |\nabla\omega|^2\rangle, "
        r"\quad L = \langle\max(\nu_2, 0) |\nabla\omega|^2"
    )
    if hyper:
        text += " - nu4 grad w . grad lap w"
        latex += r" - \nu_4 \nabla\omega \cdot \nabla\nabla^2\omega"
    return _Words(f"{text}>", rf"{latex}\rangle")


def _number(value: float, digits: int | None) -> _Words:
    text = repr(float(value)) if digits is None else f"{value:.{digits}g}"
    mantissa, _, power = text.partition("e")
    return _Words(text, rf"{mantissa} \times 10^{{{int(power)}}}" if power else text)
