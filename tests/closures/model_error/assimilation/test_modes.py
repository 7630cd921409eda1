"""Modes are orthonormal eigenfunctions of the Laplacian, and group by wavenumber."""

import numpy as np
import pytest

from closures.model_error.assimilation import AssimilationError, Modes
from closures.model_error.assimilation.modes import Kind, ModeGroups

GRIDS: list[Modes] = [
    Modes(("fourier",), (3.0,), (8,)),
    Modes(("fourier",), (3.0,), (7,)),
    Modes(("cosine",), (3.0,), (6,)),
    Modes(("sine",), (3.0,), (6,)),
    Modes(("cosine", "fourier"), (1.0, 4.0), (5, 6)),
    Modes(("fourier", "sine"), (2.0, 1.0), (4, 5)),
]


@pytest.mark.parametrize("modes", GRIDS)
def test_modes_are_orthonormal_and_invert(modes: Modes) -> None:
    n = int(np.prod(modes.shape))
    matrix = modes.transform(np.eye(n).reshape(n, *modes.shape)).reshape(n, n)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(n), atol=1e-13)
    fields = np.random.default_rng(0).standard_normal((2, 3, *modes.shape))
    np.testing.assert_allclose(modes.inverse(modes.transform(fields)), fields, atol=1e-13)


@pytest.mark.parametrize("kind", ["fourier", "cosine", "sine"])
def test_a_mode_has_the_curvature_of_its_wavenumber(kind: Kind) -> None:
    n, length, mode = 2000, 3.0, 3
    modes = Modes((kind,), (length,), (n,))
    field = modes.inverse(np.eye(n)[mode])
    dx = length / n
    curvature = (field[2:] - 2.0 * field[1:-1] + field[:-2]) / dx**2
    k = modes.wavenumbers[0][mode]
    error = np.abs(curvature + k**2 * field[1:-1]).max()
    assert error < 1e-4 * k**2 * np.abs(field).max()
    assert modes.positions[0][0] == (0.0 if kind == "fourier" else dx / 2)


@pytest.mark.parametrize("modes", GRIDS)
@pytest.mark.parametrize("isotropic", [True, False])
def test_groups_hold_all_modes_in_the_order_of_wavenumbers(modes: Modes, isotropic: bool) -> None:
    groups = ModeGroups.of(modes, isotropic=isotropic)
    assert groups.size.sum() == np.prod(modes.shape)
    means = groups.mean(modes.total_wavenumber)
    assert (np.diff(means) >= 0.0).all()
    if not isotropic:
        for number in range(len(groups.size)):
            total = modes.total_wavenumber[groups.number == number]
            np.testing.assert_allclose(total, total[0])


def test_groups_of_a_plane_tell_directions_apart_unless_isotropic() -> None:
    modes = Modes(("fourier", "fourier"), (1.0, 1.0), (4, 4))
    assert len(ModeGroups.of(modes, isotropic=False).size) == 9
    np.testing.assert_array_equal(ModeGroups.of(modes, isotropic=True).size, [1, 8, 6, 1])


def test_rows_are_amplitudes() -> None:
    modes = GRIDS[4]
    field = np.random.default_rng(0).standard_normal((3, *modes.shape))
    chosen = modes.total_wavenumber < 4.0
    rows = modes.rows(field, chosen)
    np.testing.assert_array_equal(rows, modes.transform(field)[:, chosen])
    everything = modes.rows(field, np.full(modes.shape, True))
    np.testing.assert_allclose((everything**2).sum(), (field**2).sum())


def test_bad_modes_are_named() -> None:
    with pytest.raises(AssimilationError, match="got 1, 2 and 1"):
        Modes(("fourier",), (1.0, 2.0), (4,))
    with pytest.raises(AssimilationError, match="families out of fourier, cosine, sine, got 'cos'"):
        Modes(("cos",), (1.0,), (4,))  # type: ignore[arg-type]
    with pytest.raises(AssimilationError, match="positive lengths and points"):
        Modes(("fourier",), (0.0,), (4,))
    with pytest.raises(AssimilationError, match=r"shape \(\.\.\., 8\), got \(3, 7\)"):
        GRIDS[0].transform(np.zeros((3, 7)))
