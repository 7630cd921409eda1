"""Real columns, read once: one pair of files a month."""

from pathlib import Path

import numpy as np
import pytest
from climsim_folder import real_climsim_folder
from constrained_columns import Months, levels_of, one_pair_a_month, read_fields

from closures.climsim.files import Pair
from closures.climsim.grid import find_grid, read_grid
from closures.constraints import HybridLevels


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """ClimSim's own files."""
    return real_climsim_folder()


@pytest.fixture(scope="session")
def real_levels(real_folder: Path) -> HybridLevels:
    """Levels of ClimSim's files."""
    return levels_of(read_grid(find_grid(real_folder)))


@pytest.fixture(scope="session")
def real_months(real_folder: Path) -> Months:
    """Month to all fields of one of its pairs, 384 columns, float64."""
    pairs: list[Pair] = one_pair_a_month(real_folder)
    found = {pair.month: read_fields(pair) for pair in pairs}
    for fields in found.values():
        fields["column_heating"] = np.zeros(384)
    return found
