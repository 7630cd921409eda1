"""Tables of the moist columns of this project."""

from typing import Any

from markdown_table import markdown_table
from table_numbers import number


def column_rollout_table(results: dict[str, Any]) -> str:
    """Return errors of the references of a rollout by the damping time of the flow."""
    header = [
        f"day {results['days']}, by `--damping`",
        *(f"{score}, {damping}" for damping in results["damping"] for score in ("T [K]", "lost")),
    ]
    names = list(next(iter(results["damping"].values())))
    rows = [
        [
            name,
            *(text for runs in results["damping"].values() for text in _survived(runs[name])),
        ]
        for name in names
    ]
    return markdown_table(header, rows)


def column_budgets_table(results: dict[str, Any]) -> str:
    """Return what changes energy and water of the truth's columns, and what they store."""
    truth = results["truth"]
    rows = []
    for label, name in (
        ("energy [W m-2]", "energy_budget"),
        ("water [mm/day]", "water_budget"),
    ):
        terms = [truth[name][term] for term in ("physics", "surface", "flow")]
        rows.append([label, *(number(term) for term in (*terms, sum(terms)))])
    return markdown_table(["truth", "physics", "surface", "flow", "stored"], rows)


def column_climate_table(results: dict[str, Any]) -> str:
    """Return means of the truth by thirds of the run."""
    truth = results["truth"]
    days = truth["days"] / 3
    header = ["mean of the truth", *(f"days {days * i:g} to {days * (i + 1):g}" for i in range(3))]
    temperature = [f"{value:.2f}" for value in truth["temperature_by_thirds"]]
    vapour = [f"{1000 * value:.3f}" for value in truth["vapour_by_thirds"]]
    return markdown_table(header, [["temperature [K]", *temperature], ["vapour [g/kg]", *vapour]])


def _survived(run: dict[str, float | None]) -> tuple[str, str]:
    error, lost = run["rmse_end_T"], run["lost"]
    assert lost is not None
    return "" if error is None else number(error), f"{100 * lost:.0f} %"
