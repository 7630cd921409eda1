"""Python and the native library take the same grid closures, and the same grids of hosts."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bridge.stub_archives import archive, field, manifest
from grid_closures import SPACING, NeighbourMean

import hybrid
from closures import ClosureSpec, SpecError
from fortran_bridge import BridgeError
from fortran_bridge.binding import HostGrid
from fortran_bridge.native_closure import NativeClosure

ARCHIVE, ENGINE = 2, 3
HALO = ("halo",)
PLANE = ["y", "x"]


def plane(name: str, shape: list[int | None], dims: list[str] = PLANE) -> dict[str, Any]:
    return {**field(name), "dims": dims, "shape": shape}


def grid(**change: Any) -> dict[str, Any]:
    return {"spacing": [2.0, 1.0], "boundary": ["wall", "halo"], "halo_width": 2, **change}


BASE = manifest(
    [plane("q", [None, None])], [plane("dq", [None, None])], locality="grid", grid=grid()
)["spec"]
WITHOUT_WIDTH = {key: value for key, value in grid().items() if key != "halo_width"}

# What is changed of the specification above, and whether it is still one.
SPECS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"grid": grid(halo_width=0)}, True),
    ({"grid": grid(halo_width=1024)}, True),
    ({"grid": grid(halo_width=1025)}, False),
    ({"grid": grid(halo_width=-1)}, False),
    ({"grid": grid(halo_width=1.0)}, False),
    ({"grid": grid(halo_width=True)}, False),
    ({"grid": grid(halo_width=None)}, False),
    ({"grid": WITHOUT_WIDTH}, False),
    ({"grid": grid(spacing=[1, 2])}, True),
    ({"grid": grid(spacing=[1e-300, 1e300])}, True),
    ({"grid": grid(spacing=[0.0, 1.0])}, False),
    ({"grid": grid(spacing=[1.0, -1.0])}, False),
    ({"grid": grid(spacing=[True, 1.0])}, False),
    ({"grid": grid(spacing=["1", 1.0])}, False),
    ({"grid": grid(spacing=[None, 1.0])}, False),
    ({"grid": grid(spacing=[1.0])}, False),
    ({"grid": grid(spacing=1.0)}, False),
    ({"grid": grid(spacing=[], boundary=[])}, False),
    ({"grid": grid(spacing=[1.0], boundary=["halo"])}, False),
    ({"grid": grid(boundary=["wall", "open"])}, False),
    ({"grid": grid(boundary=["wall", 1])}, False),
    ({"grid": grid(boundary=["wall"])}, False),
    ({"grid": grid(boundary="wall")}, False),
    ({"grid": grid(boundary=["periodic", "periodic"])}, True),
    ({"grid": grid(spacing=[1.0] * 3, boundary=["wall"] * 3)}, False),
    ({"grid": None}, False),
    ({"grid": []}, False),
    ({"locality": "column"}, False),
    ({"locality": "column", "grid": None}, False),
    ({"outputs": [field("mean"), plane("dq", [None, None])]}, False),
    ({"outputs": [plane("dq", [None, None]), field("mean")]}, True),
    ({"outputs": [plane("dq", [2, None, None], ["layer", *PLANE])]}, True),
    ({"outputs": [plane("dq", [None, None, None], ["layer", *PLANE])]}, False),
    ({"inputs": [plane("q", [None], ["z"])]}, False),
    ({"state": [plane("m", [None], ["x"])]}, True),
    ({"noise": [plane("xi", [None], ["z"])]}, False),
    # Of fixed sizes, inputs have two points more at both ends of x.
    ({"inputs": [plane("q", [3, 9])], "outputs": [plane("dq", [3, 5])]}, True),
    ({"inputs": [plane("q", [3, 5])], "outputs": [plane("dq", [3, 5])]}, False),
    ({"inputs": [plane("q", [4, 9])], "outputs": [plane("dq", [3, 5])]}, False),
    ({"inputs": [plane("q", [3, 9])], "outputs": [plane("dq", [3, None])]}, True),
    ({"inputs": [plane("q", [None, 4])]}, False),
    ({"inputs": [plane("q", [None, 5])]}, True),
    ({"outputs": [plane("dq", [3, 5])], "state": [plane("m", [9], ["x"])]}, False),
    ({"outputs": [plane("dq", [3, 5])], "state": [plane("m", [5], ["x"])]}, True),
]


@pytest.mark.parametrize(("change", "is_taken"), SPECS, ids=[str(change) for change, _ in SPECS])
def test_specifications(change: dict[str, Any], is_taken: bool, tmp_path: Path) -> None:
    content = copy.deepcopy({**BASE, **change})
    try:
        ClosureSpec.from_dict(content)
        python = True
    except SpecError:
        python = False
    path = tmp_path / "a.pt"
    path.write_bytes(archive({**manifest(), "spec": content}))
    # An archive without a model never loads; whoever refuses it has read the specification.
    with pytest.raises(BridgeError) as caught:
        NativeClosure(path)
    assert caught.value.status in (ARCHIVE, ENGINE)
    native = caught.value.status == ENGINE
    assert (python, native) == (is_taken, is_taken), caught.value


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A closure with open sizes, and one for a grid of 6 x 5 points."""
    folder = tmp_path_factory.mktemp("grids")
    shapes: dict[str, tuple[int | None, int | None]] = {"open": (None, None), "fixed": (6, 5)}
    for name, shape in shapes.items():
        hybrid.export(NeighbourMean("halo", shape=shape), folder / f"{name}.pt")
    return {name: folder / f"{name}.pt" for name in shapes}


@pytest.mark.parametrize(
    ("name", "sizes", "is_taken"),
    [
        ("open", {"y": 6, "x": 5}, True),
        ("open", {"x": 5, "y": 6}, True),
        ("open", {"y": 1, "x": 1}, True),
        ("open", {"y": 0, "x": 5}, False),
        ("open", {"y": 6, "x": -5}, False),
        ("open", {"y": 6}, False),
        ("open", {"y": 6, "z": 5}, False),
        ("open", {"y": 6, "x": 5, "z": 4}, False),
        ("fixed", {"y": 6, "x": 5}, True),
        ("fixed", {"y": 5, "x": 6}, False),
        ("fixed", {"y": 6, "x": 7}, False),
    ],
)
def test_sizes_of_hosts(
    archives: dict[str, Path], name: str, sizes: dict[str, int], is_taken: bool
) -> None:
    compiled = hybrid.load(archives[name])
    n = len(sizes)
    spacing = {"y": SPACING[0], "x": SPACING[1], "z": 1.0}
    host = HostGrid(
        tuple(sizes), tuple(sizes.values()), tuple(spacing[dim] for dim in sizes), n * HALO
    )
    try:
        compiled.spec.on_grid(sizes)
        python = True
    except SpecError:
        python = False
    try:
        compiled.create(1, grid=host)
        native = True
    except BridgeError:
        native = False
    assert (python, native) == (is_taken, is_taken)


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": (4,)},
        {"spacing": (1.0,)},
        {"boundary": ("halo",)},
        {"dims": ("y", "x", "z")},
        {"dims": "yx"},
        {"sizes": [4, 4]},
    ],
)
def test_entries_of_a_host_s_grid_are_counted(change: dict[str, Any]) -> None:
    entries: dict[str, Any] = {
        "dims": ("y", "x"),
        "sizes": (4, 4),
        "spacing": SPACING,
        "boundary": 2 * HALO,
    }
    HostGrid(**entries)
    with pytest.raises(ValueError, match="grid: expected tuples of dims, sizes, spacing and bound"):
        HostGrid(**{**entries, **change})
    with pytest.raises(ValueError, match="grid: expected tuples"):
        HostGrid((), (), (), ())


def test_arrays_without_halo_or_member_are_told_so(tmp_path: Path) -> None:
    hybrid.export(NeighbourMean("halo"), tmp_path / "halo.pt")
    closure = hybrid.load(tmp_path / "halo.pt")
    with pytest.raises(BridgeError, match=r"create the binding with create_grid \(in Python"):
        closure.create(1)
    binding = closure.create(1, grid=HostGrid(("y", "x"), (8, 12), SPACING, HALO * 2))
    halo = r"8 points and a halo of 1 at both ends\), got 8; pass the array with its halo"
    with pytest.raises(BridgeError, match=rf"q: expected 10 along 'y' \({halo}"):
        binding.put("q", np.zeros((1, 8, 12)), dims="member,y,x", units="s-1")
    with pytest.raises(BridgeError, match="got rank 2; a single field needs an axis of one member"):
        binding.put("q", np.zeros((10, 14)), dims="y,x", units="s-1")
    with pytest.raises(BridgeError, match=r"expected 8 along 'y', got 9; regrid the array"):
        binding.bind("q_tendency", np.zeros((1, 9, 12)), dims="member,y,x", units="s-2")
    binding.put("q", np.zeros((1, 10, 14)), dims="member,y,x", units="s-1")
