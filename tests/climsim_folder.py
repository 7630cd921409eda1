"""Where ClimSim's own files are, if they are."""

import os
from pathlib import Path

import pytest


def real_climsim_folder() -> Path:
    """Folder of ClimSim's files, which are too large for the repository; skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "climsim"
    folder = Path(os.environ.get("HYBRID_CLIMSIM_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no ClimSim files in {folder}; set HYBRID_CLIMSIM_DATA to their folder")
    return folder
