"""``hybrid verify`` runs closures of every shape through each language, Fortran included."""

from pathlib import Path

import pytest
import torch
from bridge.fortran_closures import Deep
from grid_closures import Memory, NeighbourMean
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field, Grid
from fortran_bridge import HostError
from fortran_bridge.hosts import run_host
from hybrid.export import GRID_BATCHES
from hybrid.verify import verify

WITHOUT_FORTRAN = ("torchscript", "c", "c, whole batch")
WAYS = (*WITHOUT_FORTRAN, "fortran", "fortran, whole batch")
NATIVE = ("native program", "c, native", "fortran, native")


class LayerDifference(Closure):
    """Differences along x of two layers, weighted: four axes with the member, a halo on one."""

    def __init__(self) -> None:
        volume = ("layer", "y", "x")
        super().__init__(
            ClosureSpec(
                name="layer_difference",
                version="1.0",
                inputs=(
                    Field("q", "s-1", volume, (2, None, None), valid_min=-1.0, valid_max=1.0),
                    Field("weight", "1", ("layer",), (2,), valid_min=0.0, valid_max=1.0),
                ),
                outputs=(
                    Field("q_x", "m-1 s-1", volume, (2, None, None)),
                    Field("mean", "m-1 s-1"),
                ),
                locality="grid",
                grid=Grid((5.0, 2.0), ("wall", "halo"), 1),
            )
        )

    def forward(self, q: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        q_x = weight[:, :, None, None] * (q[..., 2:] - q[..., :-2]) / 4.0
        return (q_x, q_x.mean(dim=(1, 2, 3)))


class Interfaces(Closure):
    """Flux divergence: layers and their interfaces share the name of a dim, not its size.

    The names of field and dim also join to the same text in two ways.
    """

    def __init__(self) -> None:
        super().__init__(
            ClosureSpec(
                name="interfaces",
                version="1.0",
                inputs=(
                    Field("flux", "W m-2", ("level",), (4,), valid_min=0.0, valid_max=1.0),
                    Field("flux_level", "1", ("k",), (3,), valid_min=1.0, valid_max=2.0),
                    Field("flux_", "1", ("level_k",), (5,), valid_min=0.0, valid_max=1.0),
                ),
                outputs=(Field("heating", "W m-2", ("level",), (3,)),),
            )
        )

    def forward(self, flux: Tensor, flux_level: Tensor, flux_: Tensor) -> tuple[Tensor]:
        return (flux_level * torch.diff(flux, dim=1) + flux_[:, 2:],)


def ways_of(closure: Closure, folder: Path) -> tuple[str, ...]:
    """Export and verify; return the ways in which the archive's own engine was run."""
    path = folder / "a.pt"
    hybrid.export(closure, path)
    report = verify(path)
    assert report.ok, report
    if closure.spec.locality == "grid":
        assert {row.n_column for row in report.rows} == set(GRID_BATCHES)
    ways = dict.fromkeys(row.engine for row in report.rows)
    assert ("native program" in ways) == (closure.spec.locality == "column")
    return tuple(way for way in ways if way not in NATIVE)


@pytest.mark.fortran
@pytest.mark.parametrize(
    "closure",
    [
        NeighbourMean("periodic"),
        NeighbourMean("halo", width=2),
        NeighbourMean("halo", shape=(6, 5)),
        LayerDifference(),
        Memory(),
        Interfaces(),
    ],
    ids=["periodic", "halo", "fixed sizes", "four axes", "state and noise", "two sizes"],
)
def test_every_way_agrees(closure: Closure, tmp_path: Path) -> None:
    assert ways_of(closure, tmp_path) == WAYS


def test_arrays_of_five_axes_are_compared_without_the_fortran_host(tmp_path: Path) -> None:
    assert ways_of(Deep(), tmp_path) == WITHOUT_FORTRAN


@pytest.mark.fortran
def test_a_fortran_host_of_another_grid_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise the comparison might pass because nothing is told to the host.
    path = tmp_path / "a.pt"
    hybrid.export(NeighbourMean("halo"), path)

    def other_spacing(name: str, namelist: dict[str, dict[str, object]], folder: Path) -> None:
        namelist["settings"]["grid_spacing"] = [2.0, 1.5]
        run_host(name, namelist, folder)

    monkeypatch.setattr("hybrid.verify.run_host", other_spacing)
    with pytest.raises(HostError, match=r"grid with spacing 1 along 'x', .*got 1.5"):
        verify(path)
