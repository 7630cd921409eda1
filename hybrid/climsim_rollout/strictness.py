"""How steady the truth of a rollout is, and how much its large-scale flow hides.

``python -m hybrid.climsim_rollout.strictness --out FILE`` runs the truth alone for a month, and, on
fewer columns for some days, the other scheme, the perturbed truth and no physics with several
damping times. It writes the budgets of the truth, its means by thirds of the month, and the main
numbers of the others as JSON.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from closures.atomic import write_text
from hybrid.climsim_rollout.rollout import roll_out
from hybrid.climsim_rollout.settings import INTERVAL, STEPS_OF_DAY, RolloutSettings
from hybrid.climsim_rollout.summary import summary
from hybrid.commands.terminal import messages
from hybrid.progress import StepProgress, progress_display
from hybrid.versions import versions
from solvers.column_physics import Columns, ColumnSettings, Grid, generated_grid
from solvers.column_physics.constants import TIMESTEP
from solvers.column_physics.rollout import TRUTH, Rollout
from solvers.column_physics.rollout_scores import RolloutScores

Result = dict[str, Any]

DAMPINGS = (6.0, 24.0, math.inf)
"""Damping times that are compared [h]."""


def truth_climate(days: int, seed: int, grid: Grid, on_step: Callable[[float], None]) -> Result:
    """Return means of the truth by thirds of a run of scheme high, and its budgets."""
    columns = Columns(ColumnSettings("high", seed=seed), grid)
    scores = RolloutScores(grid, (TRUTH,), TIMESTEP, ice_heat=True, n_interval=INTERVAL)
    n_step = days * STEPS_OF_DAY
    for done, step in enumerate(Rollout(columns, {}).run(0.0, n_step, STEPS_OF_DAY), 1):
        scores.add(step)
        on_step(done / n_step)
    truth = scores.dataset().sel(run=TRUTH)
    thirds = np.array_split(np.arange(truth.sizes["time"]), 3)
    means = truth["mean"]
    return {
        "days": days,
        "columns": grid.n_column,
        **{
            f"{name}_by_thirds": [float(means.sel(profile=name)[third].mean()) for third in thirds]
            for name in ("temperature", "vapour")
        },
        **{
            kind: {str(term): float(truth[kind].sel(term=term)) for term in truth["term"].values}
            for kind in ("energy_budget", "water_budget")
        },
    }


def damped(
    days: int, seed: int, damping: float, grid: Grid, on_step: Callable[[float], None]
) -> Result:
    """Return the summary of each run beside the truth."""
    settings = RolloutSettings(days=days, seed=seed, damping=damping)
    rows = summary(roll_out([], settings, on_step, grid).scores)
    return {
        name: {key: None if math.isnan(value) else value for key, value in row.items()}
        for name, row in rows.items()
        if name != TRUTH
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and write; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--truth-days", type=int, default=30)
    parser.add_argument("--days", type=int, default=10, help="days with each damping time")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    result: Result = {"seed": given.seed, "days": given.days, "damping": {}}
    with StepProgress(progress_display(messages())) as steps:
        few = generated_grid(n_element=2)
        result["columns"] = few.n_column
        for damping in DAMPINGS:
            steps.start(f"damping {damping:g} h")
            rows = damped(given.days, given.seed, damping, few, steps.update)
            result["damping"][f"{damping:g} h"] = rows
        steps.start("truth")
        result["truth"] = truth_climate(
            given.truth_days, given.seed, generated_grid(), steps.update
        )
    result["versions"] = versions()
    write_text(given.out, json.dumps(result, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
