"""What is compared: multi-fidelity ensembles, and everything that might do without them."""

from dataclasses import dataclass
from typing import Literal

from closures.multifidelity import Form

Learned = Literal["both", "high", "low", "pooled", "correction"]


@dataclass(frozen=True)
class Candidate:
    """One closure.

    Parameters
    ----------
    name
        In metrics and file names.
    label
        For people.
    learned
        Samples that it learns from: ``"both"`` fidelities as such, one of them, both ``"pooled"``
        as if they were the same, or what the high fidelity differs from the low-fidelity code by
        (``"correction"``): then that code runs with it.
    inputs
        Which of a bed's ways to show inputs.
    form
        How the fidelities are combined.
    deterministic
        One network without prior and noise.
    stop_gradient
        Whether the high-fidelity error leaves the low-fidelity network alone.
    published
        Whether priors and activation are the published ones.
    """

    name: str
    label: str
    learned: Learned
    inputs: Literal["raw", "invariant"] = "invariant"
    form: Form = "single"
    deterministic: bool = False
    stop_gradient: bool = False
    published: bool = False


CANDIDATES = (
    Candidate("mf", "MF-RPN", "both", form="additive"),
    Candidate("mf_stop", "MF-RPN, gradient stopped", "both", form="additive", stop_gradient=True),
    Candidate("mf_raw", "MF-RPN, raw inputs", "both", "raw", form="additive"),
    Candidate(
        "mf_published",
        "MF-RPN as published",
        "both",
        "raw",
        form="published",
        stop_gradient=True,
        published=True,
    ),
    Candidate("mf_published_invariant", "as published, invariant inputs", "both", form="published"),
    Candidate("lf", "LF alone", "low", "raw"),
    Candidate("hf", "HF alone", "high", "raw"),
    Candidate("pooled", "LF and HF pooled", "pooled", "raw"),
    Candidate("det", "HF, deterministic", "high", "raw", deterministic=True),
    Candidate("lf_invariant", "LF alone, invariant inputs", "low"),
    Candidate("hf_invariant", "HF alone, invariant inputs", "high"),
    Candidate("pooled_invariant", "pooled, invariant inputs", "pooled"),
    Candidate("code", "LF code + learned correction", "correction"),
)
"""All of them; the first is what the project recommends if it wins."""


def by_name(name: str) -> Candidate:
    """Return a candidate; raise ValueError if there is none of that name."""
    known = {each.name: each for each in CANDIDATES}
    if name not in known:
        raise ValueError(f"candidate: expected one of {', '.join(known)}; got {name!r}")
    return known[name]
