"""The imperfect models of MEDIDA's two-layer study, and how wrong a model is."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from closures.model_error import (
    Derivative,
    Expression,
    InEquation,
    Variable,
    jacobian,
    laplacian,
)
from solvers.relaxed_jet import RelaxedJetQG

CASES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "1001": {"tau_d1": 0.11, "tau_d2": 0.11},
        "1002": {"tau_d1": 0.11, "tau_d2": 0.11, "tau_f": 0.37},
        "1003": {"tau_d1": 0.0, "tau_d2": 0.0},
        "1004": {"jacobian": 0.5},
        "1005": {"tau_d1": 0.11, "tau_d2": 0.11, "tau_f": 0.37, "jacobian": 0.0},
        "1006": {"tau_f": 0.37},
        "1007": {"tau_f": 0.0},
        "1008": {"tau_d2": 0.0},
        "1009": {"beta": 0.0},
    }
)
"""Parameters of each model that are not those of nature, by the number of the published case."""

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "1001": "relaxation 11 times",
        "1002": "relaxation 11 times, friction 5 times",
        "1003": "no relaxation",
        "1004": "half the advection",
        "1005": "relaxation 11 times, friction 5 times, no advection",
        "1006": "friction 5 times",
        "1007": "no friction",
        "1008": "relaxation to rest",
        "1009": "no gradient of rotation",
    }
)
"""What is wrong in each case, in words."""

_PSI = (Variable("psi1", r"\psi_1"), Variable("psi2", r"\psi_2"))
_Q = (Variable("q1", "q_1"), Variable("q2", "q_2"))
_JET = Variable("psi_r", r"\psi_R")


def candidate_terms() -> tuple[InEquation, ...]:
    """Return 10 terms for each layer: the Jacobian, and what is linear in the streamfunctions.

    Nothing ties the layers: a relaxation, which has three terms in each, is six findings.
    """
    linear: list[Expression] = [*_PSI, _JET, *(laplacian(psi) for psi in _PSI)]
    linear += [Derivative(psi, axis) for psi in _PSI for axis in "xy"]
    return tuple(
        InEquation(term, layer, _Q[layer].symbol)
        for layer in (0, 1)
        for term in (jacobian(_PSI[layer], _Q[layer]), *linear)
    )


def coefficients(model: RelaxedJetQG) -> dict[str, float]:
    """Return the coefficients of the candidate terms in a model's tendency, those that are not 0.

    The sponge and hyperviscosity, which all models share, are not among them.
    """
    d1, d2 = model.tau_d1, model.tau_d2
    everything = {
        "q1: J(psi1, q1)": -model.jacobian,
        "q1: psi1_x": -model.beta,
        "q1: psi1": d1,
        "q1: psi2": -d1,
        "q1: psi_r": -d2,
        "q2: J(psi2, q2)": -model.jacobian,
        "q2: psi2_x": -model.beta,
        "q2: psi1": -d1,
        "q2: psi2": d1,
        "q2: psi_r": d2,
        "q2: lap(psi2)": -model.tau_f,
    }
    return {name: value for name, value in everything.items() if value}


def imperfect(nature: RelaxedJetQG, case: str) -> RelaxedJetQG:
    """Return nature with the parameters of a case."""
    return replace(nature, **CASES[case])


def missing_terms(nature: RelaxedJetQG, model: RelaxedJetQG) -> dict[str, float]:
    """Return the tendency that a model lacks: coefficients by the names of the terms."""
    right, wrong = coefficients(nature), coefficients(model)
    differences = {name: right.get(name, 0.0) - wrong.get(name, 0.0) for name in right | wrong}
    return {name: value for name, value in differences.items() if value}


def percent_error(
    nature: RelaxedJetQG, model: RelaxedJetQG, correction: Mapping[str, float] | None = None
) -> float:
    r"""Return how far coefficients are from those of nature, in percent.

    .. math:: 100 \, \frac{\| c_{nature} - c_{model} \|}{\| c_{nature} \|},

    over all terms of both layers that either has, or the correction brings.

    Parameters
    ----------
    nature, model
        What is compared.
    correction
        Coefficients of terms that are added to the model's tendency, by name.

    References
    ----------
    Mojgani, Chattopadhyay and Hassanzadeh (2022), Chaos 32, 061105.
    """
    left = missing_terms(nature, model)
    for name, value in (correction or {}).items():
        left[name] = left.get(name, 0.0) - value
    scale = np.linalg.norm(list(coefficients(nature).values()))
    return 100.0 * float(np.linalg.norm(list(left.values())) / scale)


def worst_term(missing: Mapping[str, float], found: Mapping[str, float]) -> float:
    """Return the largest error of a coefficient that was looked for, in percent of itself."""
    return max(abs(100.0 * (found.get(name, 0.0) / value - 1.0)) for name, value in missing.items())
