"""ClimSim folders: the real files where they are, and a generated sample."""

from pathlib import Path

import pytest
from climsim_folder import real_climsim_folder

from hybrid.climsim_sample import SampleConfig, write_sample


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated sample: nine pairs that both splits can use."""
    folder = tmp_path_factory.mktemp("climsim_sample")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 7, 10), seed=1))
    return folder


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """ClimSim's own files."""
    return real_climsim_folder()


@pytest.fixture(scope="session", params=["sample", "real"])
def any_folder(request: pytest.FixtureRequest) -> Path:
    """Both, one after the other: what holds for the real files must hold for the sample."""
    folder: Path = request.getfixturevalue(f"{request.param}_folder")
    return folder
