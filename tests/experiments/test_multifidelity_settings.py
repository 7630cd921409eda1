"""What results say of each test bed of the experiment ``multifidelity``."""

from pathlib import Path

import numpy as np
import pytest

from hybrid.climsim_generator import Generation, generate
from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.beds import Opened, Sizes
from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.climsim import ClimsimSizes, climsim_bed
from hybrid.experiments.multifidelity.columns import ColumnSizes, column_bed
from hybrid.experiments.multifidelity.job import Job
from hybrid.experiments.multifidelity.lorenz96 import LorenzSizes, lorenz_bed
from hybrid.experiments.multifidelity.lorenz96_online import OnlineSizes
from hybrid.experiments.multifidelity.settings import Settings
from hybrid.experiments.multifidelity.stated import Stated, bed_settings

SETTINGS = Settings(3, (16, 8), 7)


def some(n: int) -> Table:
    return Table(np.zeros((n, 1)), np.zeros((n, 1)), np.arange(n))


def stated(bed: Bed, sizes: Sizes, folder: Path, online: OnlineSizes | None = None) -> Stated:
    Tables(some(5), some(3), {"present": some(2), "warm": some(4)}).write(folder)
    jobs = [Job(bed.name, by_name(name), seed) for name in ("mf", "det") for seed in (4, 5)]
    return bed_settings(Opened(bed, folder), sizes, SETTINGS, jobs, online)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    generate(folder, Generation(((2, 10),), scheme="low", n_spin_up=1, n_level=20))
    return folder


def test_every_bed_says_its_sizes_members_epochs_and_seeds(tmp_path: Path, real: Path) -> None:
    beds: list[tuple[Bed, Sizes, dict[str, object]]] = [
        (column_bed(), ColumnSizes(9, 3, 2), {"sample_low": 9, "sample_tested": "2, 4, 8"}),
        (lorenz_bed(), LorenzSizes(9, 3, 2), {"sample_high": 3, "sample_n_member": 16}),
        (climsim_bed(real), ClimsimSizes(), {"sample_warmest": 0.05, "sample_low_steps": 9}),
    ]
    for bed, sizes, expected in beds:
        found = stated(bed, sizes, tmp_path / bed.name)
        assert all(name.startswith(f"{bed.name}_") for name in found)
        alone = {name.removeprefix(f"{bed.name}_"): value for name, value in found.items()}
        assert alone.items() >= expected.items()
        assert alone["contract"] == f"multifidelity_{bed.name} 1.0"
        assert (alone["n_low"], alone["n_high"], alone["n_test_warm"]) == (5, 3, 4)
        assert (alone["training_n_member"], alone["training_n_epoch"]) == (3, 7)
        assert alone["training_widths"] == "16, 8"
        assert (alone["seeds"], alone["candidates"]) == ("4, 5", "mf, det")
        assert alone["samples"] == bed.name
        # Both fidelities in words.
        assert alone["low_fidelity"] != alone["high_fidelity"]


def test_coupled_runs_are_said_where_there_are_any(tmp_path: Path) -> None:
    found = stated(lorenz_bed(), LorenzSizes(9, 3, 2), tmp_path, OnlineSizes(n_member=12))
    assert found["lorenz96_online_n_member"] == 12
    without = stated(lorenz_bed(), LorenzSizes(9, 3, 2), tmp_path)
    assert set(found) - set(without) == {
        f"lorenz96_online_{name}" for name in ("n_member", "time", "reference_time", "spin_up_time")
    }
