"""Tables of the page on multi-fidelity closures, from results of ``hybrid run multifidelity``."""

from dataclasses import dataclass
from typing import Any

from markdown_table import markdown_table


@dataclass(frozen=True)
class Shown:
    """What is shown of a test bed.

    Parameters
    ----------
    prefix
        In front of the names of its metrics.
    variables
        What its closures predict.
    climates
        Those that were never seen, by name, and what they are called here.
    lowest
        Whether there are levels, of which one is the worst.
    hellinger
        Whether coupled runs were scored.
    digits
        Of CRPS, behind the point.
    """

    prefix: str
    variables: tuple[str, ...]
    climates: dict[str, str]
    lowest: bool = True
    hellinger: bool = False
    digits: int = 4


GENERATED = Shown("", ("heating", "moistening"), {"p4k": "+4 K"})
LORENZ96 = Shown(
    "lorenz96_", ("subgrid",), {"f24": "F = 24", "f28": "F = 28"}, lowest=False, hellinger=True,
    digits=3,
)  # fmt: skip
CLIMSIM = Shown("climsim_", ("heating", "moistening"), {"warm": "warm"})


def shifted_table(results: dict[str, Any], bed: Shown) -> str:
    """Return the scores of every closure in the present climate and in those never seen."""
    header = ["closure"]
    for variable in bed.variables:
        header.append(f"R2 {variable}, now")
        for label in bed.climates.values():
            header += [f"R2, {label}", *(["lowest R2"] if bed.lowest else []), "CRPS"]
    header.append("in 90 %, now")
    for label in bed.climates.values():
        header += [f"in 90 %, {label}", "detects"]
        header += ["coupled, Hellinger"] if bed.hellinger else []
    rows = [
        [closure, *_scores(results, bed, name), *_calibration(results, bed, name)]
        for name, closure in _closures(results).items()
    ]
    return markdown_table(header, rows)


def _scores(results: dict[str, Any], bed: Shown, name: str) -> list[str]:
    row = []
    for variable in bed.variables:
        row.append(f"{results[f'{bed.prefix}r2_{variable}_present_{name}']:.3f}")
        for climate in bed.climates:
            of = f"{variable}_{climate}_{name}"
            row.append(f"{results[f'{bed.prefix}r2_{of}']:.3f}")
            if bed.lowest:
                row.append(f"{results[f'{bed.prefix}r2_lowest_{of}']:.2f}")
            row.append(f"{results[f'{bed.prefix}crps_{of}']:.{bed.digits}f}")
    return row


def _calibration(results: dict[str, Any], bed: Shown, name: str) -> list[str]:
    row = [_covered(results, bed, "present", name)]
    for climate in bed.climates:
        detects = results.get(f"{bed.prefix}ood_auroc_{climate}_{name}")
        row += [_covered(results, bed, climate, name), "" if detects is None else f"{detects:.2f}"]
        if bed.hellinger:
            row.append(f"{results[f'{bed.prefix}hellinger_{climate}_{name}']:.3f}")
    return row


def lead_table(results: dict[str, Any], bed: Shown) -> str:
    """Return by how much the recommended closure is ahead of each, with 95 % intervals."""
    pairs = [
        (score, variable, climate)
        for variable in bed.variables
        for climate in bed.climates
        for score in ("r2", "crps")
    ]
    header = ["MF-RPN against"]
    for score, variable, climate in pairs:
        where = f", {bed.climates[climate]}" if len(bed.climates) > 1 else ""
        header.append(f"{score.upper()} {variable}{where}")
    rows = []
    for name, closure in _closures(results).items():
        row = [closure]
        for score, variable, climate in pairs:
            key = f"{bed.prefix}lead_{score}_{variable}_{climate}_{name}"
            if key in results:
                digits = bed.digits if score == "crps" else 3
                low, high = (f"{results[f'{key}_{end}']:.{digits}f}" for end in ("low", "high"))
                row.append(f"{results[key]:.{digits}f} ({low} to {high})")
        if len(row) > 1:
            rows.append(row)
    return markdown_table(header, rows)


def _closures(results: dict[str, Any]) -> dict[str, str]:
    """Return what the closures are called, by name."""
    choices = results["choices"]
    return {k.removeprefix("label_"): v for k, v in choices.items() if k.startswith("label_")}


def _covered(results: dict[str, Any], bed: Shown, climate: str, name: str) -> str:
    found = [results.get(f"{bed.prefix}coverage90_{v}_{climate}_{name}") for v in bed.variables]
    known = [value for value in found if value is not None]
    return f"{100 * sum(known) / len(known):.0f} %" if len(known) == len(found) else ""
