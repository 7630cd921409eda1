"""The equation of a closure in LaTeX."""

import re

from closures.closed_form import ClosedForm
from closures.model_error import Equation
from closures.model_error.equation import as_factor
from closures.model_error.significant import measured
from closures.spec import ClosureSpec
from hybrid.emit.source import comment

_UNIT = re.compile(r"(?P<symbol>[A-Za-z]+)(?P<power>-?\d+)?")
_SPECIAL = {"%": r"\%", "_": r"\_", "#": r"\#", "&": r"\&", "^": r"\^{}", "$": r"\$"}


def latex(equation: Equation, spec: ClosureSpec) -> str:
    r"""Return the equation as a display, with coefficients, standard errors and units.

    The dots stand for the tendency that the model has already. It needs ``amsmath``.

    Parameters
    ----------
    equation, spec
        What the archive holds.
    """
    known = equation.prognostic
    name = equation.output.replace("_", r"\_")
    left = rf"\partial_t {known.latex}" if known else rf"\mathrm{{{name}}}"
    triples = zip(
        equation.coefficients,
        equation.standard_errors,
        equation.units,
        equation.terms,
        strict=True,
    )
    lines = [
        rf"      & {'-' if c < 0.0 else '+'} {_number(abs(c), error)}{_units(units)} \, "
        rf"{as_factor(term).latex}"
        for c, error, units, term in triples
    ]
    return "\n".join(
        [
            _heading(spec),
            comment(_about_errors(equation), "% "),
            r"\begin{equation}",
            r"  \begin{aligned}",
            rf"    {left} = {{}} & \cdots \\",
            " \\\\\n".join(lines),
            r"  \end{aligned}",
            r"\end{equation}",
        ]
    )


def written_out(closed_form: ClosedForm, spec: ClosureSpec) -> str:
    """Return the display that a closure has written of itself.

    Parameters
    ----------
    closed_form, spec
        What the archive holds.
    """
    return "\n".join([_heading(spec), closed_form.latex])


def _heading(spec: ClosureSpec) -> str:
    return comment(f"Closure {spec.name}, version {spec.version}.", "% ")


def _about_errors(equation: Equation) -> str:
    if equation.covariance is None:
        return "The standard errors of the coefficients are not known."
    return "Behind each coefficient stands its standard error."


def _number(size: float, error: float | None) -> str:
    value, digits, power = measured(size, error)
    text = rf"({value} \pm {digits})" if digits else value
    return rf"{text} \times 10^{{{power}}}" if power else text


def _units(units: str) -> str:
    if units == "1":
        return ""
    factors = []
    for word in units.split():
        match = _UNIT.fullmatch(word)
        if match is None:
            factors.append("".join(_SPECIAL.get(letter, letter) for letter in word))
        else:
            power = f"^{{{match['power']}}}" if match["power"] else ""
            factors.append(match["symbol"] + power)
    joined = r"\,".join(factors)
    return rf" \, \mathrm{{{joined}}}"
