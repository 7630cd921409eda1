"""Write the tables of README.md and of the guide from the results of named runs in docs/results.

Usage: python docs/tables.py. A test holds these pages to what this would write.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from column_tables import column_budgets_table, column_climate_table, column_rollout_table
from cost_tables import (
    climsim_reading_table,
    eddy_viscosity_table,
    overhead_table,
    solver_speed_table,
)
from emulator_tables import (
    emulator_ablation_table,
    emulator_costs_table,
    emulator_rollout_table,
    emulator_scores_table,
)
from ensemble_tables import ensemble_costs_table, ensemble_training_table
from model_error_tables import (
    jet_interpolator_table,
    jet_online_table,
    jet_table,
    medida_ks_table,
    sparse_regression_table,
)
from multifidelity_tables import CLIMSIM, GENERATED, LORENZ96, lead_table, shifted_table
from plasim_tables import (
    plasim_climate_table,
    plasim_column_table,
    plasim_day_table,
    plasim_fidelity_table,
    plasim_response_table,
    plasim_trend_table,
    plasim_zonal_table,
)
from quick_tables import climsim_table, lorenz96_table
from turbulence_tables import (
    smarl_gains_table,
    smarl_table,
    smarl_transfer_table,
)
from two_layer_tables import (
    two_layer_ahead_table,
    two_layer_ceiling_table,
    two_layer_energy_table,
    two_layer_exchange_table,
    two_layer_fit_table,
    two_layer_hosted_table,
    two_layer_network_table,
    two_layer_sparse_table,
    two_layer_table,
)
from values import with_values

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
COST = DOCS / "guide" / "cost.md"
COLUMN_HOST = DOCS / "column_host.md"
COLUMNS = DOCS / "column_physics.md"
EMULATORS = DOCS / "emulators.md"
MULTIFIDELITY = DOCS / "multifidelity.md"
MODEL_ERROR = DOCS / "model_error.md"
ENSEMBLES = DOCS / "ensembles.md"
TURBULENCE = DOCS / "turbulence.md"
LEARNED_TURBULENCE = DOCS / "learned_turbulence.md"
PARALLEL = DOCS / "guide" / "parallel.md"
PLASIM = DOCS / "plasim.md"
TWO_LAYER = DOCS / "quasigeostrophic_benchmark.md"
PAGES = (
    *(README, COST, COLUMN_HOST, COLUMNS, EMULATORS, MULTIFIDELITY, MODEL_ERROR, ENSEMBLES),
    TURBULENCE,
    LEARNED_TURBULENCE,
    PARALLEL,
    PLASIM,
    TWO_LAYER,
)


def with_tables(text: str) -> str:
    """Return the text of a page with its marked tables and values brought up to date."""
    for name, (file, table) in _TABLES.items():
        if f"<!-- table: {name} -->" not in text:
            continue
        results = json.loads((DOCS / "results" / file).read_text())
        block = f"<!-- table: {name} -->\n{table(results)}\n<!-- end of table -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end of table -->"
        # What follows a backslash in a replacement would be read as a group.
        text = re.sub(pattern, block.replace("\\", r"\\"), text, flags=re.DOTALL)
    return with_values(text)


_TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "lorenz96": ("lorenz96-quick.json", lorenz96_table),
    "climsim": ("climsim-quick.json", climsim_table),
    "climsim-reading": ("climsim-reading.json", climsim_reading_table),
    "solver-speed": ("solver-speed.json", solver_speed_table),
    "emulators": (
        "emulators-full.json",
        lambda results: emulator_scores_table(results, "interleaved"),
    ),
    "emulators-season": (
        "emulators-full.json",
        lambda results: emulator_scores_table(results, "season"),
    ),
    "ablation": (
        "emulators-full.json",
        lambda results: emulator_ablation_table(results, "interleaved"),
    ),
    "ablation-season": (
        "emulators-full.json",
        lambda results: emulator_ablation_table(results, "season"),
    ),
    "emulators-rollout": ("emulators-rollout.json", emulator_rollout_table),
    "multifidelity": ("multifidelity-full.json", partial(shifted_table, bed=GENERATED)),
    "multifidelity-leads": ("multifidelity-full.json", partial(lead_table, bed=GENERATED)),
    "multifidelity-lorenz96": ("multifidelity-full.json", partial(shifted_table, bed=LORENZ96)),
    "multifidelity-lorenz96-leads": ("multifidelity-full.json", partial(lead_table, bed=LORENZ96)),
    "multifidelity-climsim": ("multifidelity-full.json", partial(shifted_table, bed=CLIMSIM)),
    "multifidelity-climsim-leads": ("multifidelity-full.json", partial(lead_table, bed=CLIMSIM)),
    "medida-ks": ("medida-ks-full.json", medida_ks_table),
    "sparse-regression": ("sparse-regression.json", sparse_regression_table),
    "medida-qg": ("medida-qg-full.json", jet_table),
    "medida-qg-online": ("medida-qg-full.json", jet_online_table),
    "medida-qg-interpolators": ("medida-qg-full.json", jet_interpolator_table),
    "column-rollout": ("column-rollout.json", column_rollout_table),
    "column-budgets": ("column-rollout.json", column_budgets_table),
    "column-climate": ("column-rollout.json", column_climate_table),
    "bridge-overhead": ("bridge-overhead.json", overhead_table),
    "climsim-emulators": ("climsim-emulators.json", emulator_costs_table),
    "smarl": ("smarl-full.json", smarl_table),
    "plasim-quick-climate": ("plasim-quick.json", plasim_climate_table),
    "plasim-quick-column": ("plasim-quick.json", plasim_column_table),
    "plasim-quick-day": ("plasim-quick.json", plasim_day_table),
    "plasim-full-climate": ("plasim-full.json", plasim_climate_table),
    "plasim-full-trend": ("plasim-full.json", plasim_trend_table),
    "plasim-full-zonal": ("plasim-full.json", plasim_zonal_table),
    "plasim-full-column": ("plasim-full.json", plasim_column_table),
    "plasim-full-day": ("plasim-full.json", plasim_day_table),
    "plasim-full-response": ("plasim-full.json", plasim_response_table),
    "plasim-full-fidelity": ("plasim-full.json", plasim_fidelity_table),
    "smarl-transfer": ("smarl-full.json", smarl_transfer_table),
    "smarl-gains": ("smarl-full.json", smarl_gains_table),
    "two-layer": ("quasigeostrophic-full.json", two_layer_table),
    "two-layer-before": ("quasigeostrophic-two-rounds.json", two_layer_table),
    "two-layer-ahead": ("quasigeostrophic-full.json", two_layer_ahead_table),
    "two-layer-ceiling": ("quasigeostrophic-full.json", two_layer_ceiling_table),
    "two-layer-networks": ("quasigeostrophic-full.json", two_layer_network_table),
    "two-layer-energy": ("quasigeostrophic-full.json", two_layer_energy_table),
    "two-layer-exchange": ("quasigeostrophic-full.json", two_layer_exchange_table),
    "two-layer-fit": ("quasigeostrophic-full.json", two_layer_fit_table),
    "two-layer-hosted": ("quasigeostrophic-full.json", two_layer_hosted_table),
    "two-layer-sparse": ("quasigeostrophic-full.json", two_layer_sparse_table),
    "eddy-viscosity": ("eddy-viscosity.json", eddy_viscosity_table),
    "ensembles": ("ensembles.json", ensemble_costs_table),
    "ensemble-training": ("ensembles.json", ensemble_training_table),
}


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text()))
