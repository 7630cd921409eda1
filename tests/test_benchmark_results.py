"""The committed speed of the solvers is that of a whole run, and its table shows it."""

import json
from pathlib import Path
from typing import Any

import cost_tables
import pytest

from benchmarks import barotropic_step, kuramoto_sivashinsky_step, lorenz96_step, two_layer_step
from benchmarks.groups import Group

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "results" / "solver-speed.json").read_text())
    return found


def table(results: dict[str, Any]) -> list[list[str]]:
    lines = cost_tables.solver_speed_table(results).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def records(results: dict[str, Any], group: str) -> list[dict[str, Any]]:
    return [record for record in results["records"] if record["group"] == group]


def test_every_group_was_run(results: dict[str, Any]) -> None:
    # The overhead of the bridge, engines, closures, loading, threads, moist columns, ClimSim's
    # reading, its emulators, eddy viscosities, and the regressions, which are scored more than
    # timed, have results of their own.
    solvers = set(Group) - {
        Group.OVERHEAD,
        Group.ENGINES,
        Group.CLOSURES,
        Group.LOADING,
        Group.THREADS,
        Group.MOIST_COLUMNS,
        Group.CLIMSIM_READING,
        Group.EMULATORS,
        Group.SPARSE_REGRESSION,
        Group.ENSEMBLES,
        Group.EDDY_VISCOSITY,
    }
    assert {record["group"] for record in results["records"]} == solvers
    assert results["threads"] == 1
    assert results["machine"]
    assert {"numpy", "numba", "simd", "fftw", "rocket-fft"} <= set(results["versions"])


@pytest.mark.parametrize("group", ["two-layer", "barotropic", "shallow-water"])
def test_every_size_of_a_plane_was_run(results: dict[str, Any], group: str) -> None:
    sizes = dict.fromkeys(record["size"] for record in records(results, group))
    assert list(sizes) == [f"{nx} x {nx}" for nx in two_layer_step.SIZES]


@pytest.mark.parametrize(
    ("group", "n_size", "n_peer"),
    [
        ("two-layer", len(two_layer_step.SIZES), 1),
        ("barotropic", len(barotropic_step.SIZES), 2),
        ("kuramoto-sivashinsky", len(kuramoto_sivashinsky_step.SIZES), 1),
    ],
)
def test_every_fft_library_was_run_and_one_is_the_default(
    results: dict[str, Any], group: str, n_size: int, n_peer: int
) -> None:
    found = records(results, group)
    libraries = {record["variant"] for record in found}
    assert {"fftw", "rocket-fft"} <= libraries
    assert "scipy" not in libraries
    assert len(found) == n_size * n_peer * len(libraries)
    assert sum(record["default"] for record in found) == n_size * n_peer
    assert all(record["speed_up"] > 1.0 for record in found)


def test_lorenz96_was_run_beside_fortran(results: dict[str, Any]) -> None:
    found = records(results, "lorenz96")
    assert [record["variant"] for record in found] == ["Wilks", "Rasp"] * len(lorenz96_step.SIZES)
    assert {record["peer"] for record in found} == {" ".join(lorenz96_step.COMPILE)}


def test_the_table_shows_the_default_beside_other_libraries(results: dict[str, Any]) -> None:
    header, _, *rows = table(results)
    solvers = [r for r in results["records"] if "speed_up" in r and r["default"] is not False]
    assert len(rows) == len(solvers)
    first = dict(zip(header, rows[0], strict=True))
    by_library = {r["variant"]: r["speed_up"] for r in records(results, "two-layer")[:3]}
    assert (first["solver"], first["size"], first["compared with"]) == (
        "two-layer QG", "64 x 64", "pyqg 0.7.2",
    )  # fmt: skip
    assert first["times faster"] == f"{by_library[first['FFT']]:.1f}"
    assert first["with FFTW"] == f"{by_library['fftw']:.1f}"
    assert first["with rocket-fft"] == f"{by_library['rocket-fft']:.1f}"
    # Shallow water is not transformed.
    shallow = next(row for row in rows if row[0] == "shallow water")
    assert shallow[3] == shallow[6] == shallow[7] == ""


def test_a_run_without_fftw_and_pyqg_has_a_table_too(results: dict[str, Any]) -> None:
    kept = [r for r in records(results, "two-layer") if r["variant"] != "fftw"]
    for record in kept:
        record.update(peer=None, peer_step=None, speed_up=None)
    _, _, first, *_ = table({"records": kept})
    assert first[3:] == ["simd", "", "", "", ""]
