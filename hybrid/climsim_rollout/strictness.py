"""How much the large-scale flow of a rollout hides: the references alone, by damping time.

``python -m hybrid.climsim_rollout.strictness --out FILE`` runs the truth, the other scheme, the
perturbed truth and no physics for a month with several damping times, and writes their main
numbers, the budgets of the truth and its drift as JSON.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from closures.atomic import write_text
from hybrid.climsim_rollout.rollout import RolloutRun, roll_out
from hybrid.climsim_rollout.settings import RolloutSettings
from hybrid.climsim_rollout.summary import summary
from hybrid.commands.terminal import messages
from hybrid.progress import StepProgress, progress_display
from hybrid.versions import versions
from solvers.column_physics.rollout import TRUTH

DAMPINGS = (6.0, 24.0, math.inf)
"""Damping times that are compared [h]."""


def truth_of(run: RolloutRun) -> dict[str, Any]:
    """Return means of the truth by thirds of the run, and its budgets."""
    truth = run.scores.sel(run=TRUTH)
    thirds = np.array_split(np.arange(truth.sizes["time"]), 3)
    means = truth["mean"]
    return {
        "temperature_by_thirds": [
            float(means.sel(profile="temperature")[third].mean()) for third in thirds
        ],
        "vapour_by_thirds": [float(means.sel(profile="vapour")[third].mean()) for third in thirds],
        **{
            kind: {str(term): float(truth[kind].sel(term=term)) for term in truth["term"].values}
            for kind in ("energy_budget", "water_budget")
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and write; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"days": given.days, "seed": given.seed, "damping": {}}
    with StepProgress(progress_display(messages())) as steps:
        for damping in DAMPINGS:
            steps.start(f"damping {damping:g} h")
            settings = RolloutSettings(days=given.days, seed=given.seed, damping=damping)
            run = roll_out([], settings, steps.update)
            rows = summary(run.scores)
            result["damping"][f"{damping:g} h"] = {
                name: {key: None if math.isnan(x) else x for key, x in row.items()}
                for name, row in rows.items()
                if name != TRUTH
            }
    result["truth"] = truth_of(run)
    result["versions"] = versions()
    write_text(given.out, json.dumps(result, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
