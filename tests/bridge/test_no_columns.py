"""A rank or a chunk without columns: every call is allowed and does nothing."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from bridge.fortran_closures import Difference
from closure_examples import N_LEVEL

import hybrid
from fortran_bridge import BridgeError
from hybrid.runtime import host_grid


@pytest.fixture(scope="module")
def mesh_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mesh") / "mesh.pt"
    hybrid.export(Difference(), path)
    return path


@pytest.mark.fortran
@pytest.mark.parametrize(
    "macros", [(), ("-DHYBRID_NO_ASSUMED_RANK",)], ids=["descriptors", "ranks"]
)
def test_from_fortran(
    fortran_program: Callable[..., CompletedProcess[str]],
    column_archive: Path,
    persistence_archive: Path,
    mesh_archive: Path,
    macros: tuple[str, ...],
) -> None:
    archives = (column_archive, persistence_archive, mesh_archive)
    result = fortran_program("no_columns", *archives, macros=macros)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "nothing went wrong"


@pytest.mark.parametrize("reproducible", [True, False])
@pytest.mark.parametrize("policy", ["error", "zero", "host"])
def test_from_python(persistence_archive: Path, policy: str, *, reproducible: bool) -> None:
    binding = hybrid.load(persistence_archive).create(
        0, column_id=np.zeros(0, np.int64), policy=policy, reproducible=reproducible
    )
    none = np.zeros(0)
    binding.shadow("x_tendency").partial("x_tendency", column=none)
    for step in range(2):
        binding.put("x", none, dims="column", units="1")
        binding.apply(step)
        binding.get("x_tendency", none, dims="column", units="s-1")
        binding.commit()
    assert binding.state_get("memory", N_LEVEL).shape == (0, N_LEVEL)
    binding.state_set("memory", np.zeros((0, N_LEVEL)))
    assert binding.mask().shape == binding.reasons().shape == (0,)
    assert binding.counts()["evaluated"] == 0
    assert "0 of 0 column evaluations flagged (0 %)" in binding.summary
    assert binding.timers.n_run == 2
    assert binding.differences("x_tendency", 1).count[0] == 0


def test_evaluate(column_archive: Path) -> None:
    found = hybrid.load(column_archive).evaluate(
        {"state_t": np.zeros((0, N_LEVEL)), "state_ps": np.zeros(0)}
    )
    assert found["ptend_t"].shape == (0, N_LEVEL)


def test_members_of_a_grid(mesh_archive: Path) -> None:
    closure = hybrid.load(mesh_archive)
    grid = host_grid(closure.spec, {"y": 3, "x": 4})
    for reproducible in (True, False):
        binding = closure.create(0, reproducible=reproducible, grid=grid)
        binding.put("q", np.zeros((0, 3, 6)), dims="member,y,x", units="m")
        binding.apply(0)
        binding.get("q_x", np.zeros((0, 3, 4)), dims="member,y,x", units="1")


def test_a_wrong_shape_is_still_refused(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(0)
    with pytest.raises(BridgeError, match="state_t: expected 5 along 'level', got 4"):
        binding.bind("state_t", np.zeros((0, 4)), dims="column,level", units="K")
    with pytest.raises(BridgeError, match="state_t: expected 0 along 'column', got 2"):
        binding.bind("state_t", np.zeros((2, 5)), dims="column,level", units="K")
