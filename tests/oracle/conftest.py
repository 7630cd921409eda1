"""Where the real ClimSim files are, if they are there."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def climsim_data() -> Path:
    """Folder with ClimSim's `low-res/train` and `grid_info`; skips where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "climsim"
    folder = Path(os.environ.get("HYBRID_CLIMSIM_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real ClimSim files: {folder} is no folder (set HYBRID_CLIMSIM_DATA)")
    return folder
