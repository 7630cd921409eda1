"""Isotropic spectra of doubly periodic fields.

A spectrum E(K) is a density per angular wavenumber K = sqrt(k^2 + l^2): the modes of the shell
``|K - j dK| <= dK / 2`` are summed and divided by its width dK, the larger of 2 pi / L_x and
2 pi / L_y. Shells go on to the corner of the spectral plane, so Parseval's identity is exact:

    sum_j E(K_j) dK = mean over the plane of the quantity,

shell 0 holding the square of the mean. Beyond the largest wavenumber that fits in both
directions, ``pi / max(dx, dy)``, shells are incomplete and the density falls for that reason alone.
"""

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.derived_units import derived_units
from solvers.coarse_graining.flow import advected
from solvers.coarse_graining.periodic_grid import PeriodicGrid

Array = NDArray[np.float64]


def kinetic_energy_spectrum(
    dataset: xr.Dataset, *, shells: Literal["sum", "mean"] = "sum"
) -> xr.DataArray:
    """Return the spectrum of ``(u^2 + v^2) / 2``, per layer.

    Its integral is the kinetic energy per unit mass of the layer.

    Parameters
    ----------
    dataset
        With ``u`` and ``v``, dimensions ``(..., y, x)``.
    shells
        See `isotropic_spectrum`.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(..., wavenumber)`` [velocity^2 length].
    """
    u, v = dataset["u"], dataset["v"]
    density = 0.5 * (_mode_power(u) + _mode_power(v))
    return isotropic_spectrum(
        density,
        u,
        units=derived_units((_units(u), 2)),
        long_name="kinetic energy spectrum",
        shells=shells,
    ).rename("kinetic_energy_spectrum")


def enstrophy_spectrum(
    dataset: xr.Dataset, *, shells: Literal["sum", "mean"] = "sum"
) -> xr.DataArray:
    """Return the spectrum of half the squared vorticity (two layers: potential vorticity).

    Parameters
    ----------
    dataset
        With ``q`` or ``vorticity``, dimensions ``(..., y, x)``.
    shells
        See `isotropic_spectrum`.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(..., wavenumber)`` [vorticity^2 length].
    """
    q = advected(dataset)
    kind = "potential enstrophy" if q.name == "q" else "enstrophy"
    return isotropic_spectrum(
        0.5 * _mode_power(q),
        q,
        units=derived_units((_units(q), 2)),
        long_name=f"{kind} spectrum",
        shells=shells,
    ).rename("enstrophy_spectrum")


def variance_spectrum(
    field: xr.DataArray, *, shells: Literal["sum", "mean"] = "sum"
) -> xr.DataArray:
    """Return the spectrum of the square of any field.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``, or ``x`` alone (a periodic line; K is then k).
    shells
        See `isotropic_spectrum`.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(..., wavenumber)`` [field^2 length].

    Examples
    --------
    >>> import numpy as np
    >>> x = 2 * np.pi * np.arange(16) / 16
    >>> field = xr.DataArray(2 * np.cos(3 * x), dims="x", coords={"x": x}, name="u")
    >>> variance_spectrum(field).round(12).values
    array([0., 0., 0., 2., 0., 0., 0., 0., 0.])
    """
    if "y" not in field.dims:
        return _line_spectrum(field)
    return isotropic_spectrum(
        _mode_power(field),
        field,
        units=derived_units((_units(field), 2)),
        long_name=f"variance spectrum of {field.attrs.get('long_name', field.name)}",
        shells=shells,
    ).rename(f"{field.name}_spectrum")


def isotropic_spectrum(
    modes: Array,
    field: xr.DataArray,
    *,
    units: str,
    long_name: str,
    shells: Literal["sum", "mean"] = "sum",
) -> xr.DataArray:
    """Collect the contributions of single modes to a mean over the plane in shells of K.

    Parameters
    ----------
    modes
        Contribution of each mode of the full plane, given on the half plane of
        `scipy.fft.rfft2`, shape ``(..., ny, nx // 2 + 1)`` [units].
    field
        The field that the modes are of; it gives grid, leading dimensions and coordinates.
    units
        Units of the modes.
    long_name
        Name of the result.
    shells
        ``"sum"``: sums over shells; Parseval's identity holds. ``"mean"``: means over shells times
        ``2 pi K L_x L_y / (2 pi)^2``, the number of modes per dK of a complete shell; smoother,
        as the number of modes in narrow shells is uneven, but Parseval's identity holds only
        approximately.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(..., wavenumber)`` [units length].

    Raises
    ------
    ValueError
        If `shells` is neither.
    """
    if shells not in {"sum", "mean"}:
        raise ValueError(f"shells: expected 'sum' or 'mean', got {shells!r}")
    grid = PeriodicGrid.of(field)
    width = 2.0 * np.pi / min(grid.length_x, grid.length_y)
    # A tiny shift decides modes that lie between two shells alike on all machines.
    shell = np.floor(grid.total_wavenumber() / width + 0.5 + 1e-9).astype(np.int64).ravel()
    n_shell = int(shell.max()) + 1
    weight = np.broadcast_to(grid.multiplicity(), (grid.ny, grid.nx // 2 + 1))
    flat = (modes * weight).reshape(-1, shell.size)
    total = np.stack([np.bincount(shell, row, minlength=n_shell) for row in flat])
    wavenumber = width * np.arange(n_shell, dtype=np.float64)
    if shells == "sum":
        density = total / width
    else:
        count = np.bincount(shell, weight.ravel(), minlength=n_shell)
        per_width = grid.length_x * grid.length_y * wavenumber / (2.0 * np.pi)
        density = total / count * per_width
    spectrum = label_spectrum(
        density.reshape(*field.shape[:-2], n_shell), wavenumber, field, units, long_name
    )
    spectrum.attrs["largest_complete_wavenumber"] = np.pi / max(grid.dx, grid.dy)
    return spectrum


def label_spectrum(
    density: Array, wavenumber: Array, field: xr.DataArray, units: str, long_name: str
) -> xr.DataArray:
    """Label a density per wavenumber, shape ``(..., wavenumber)``, of a field with `units`."""
    length = str(field["x"].attrs.get("units", "1"))
    leading = [dim for dim in field.dims if dim not in {"y", "x"}]
    kept = {
        name: coordinate
        for name, coordinate in field.coords.items()
        if not {"x", "y"} & set(coordinate.dims)
    }
    axis = xr.Variable(
        "wavenumber",
        wavenumber,
        {"units": derived_units((length, -1)), "long_name": "angular wavenumber"},
    )
    return xr.DataArray(
        density,
        dims=(*leading, "wavenumber"),
        coords={**kept, "wavenumber": axis},
        attrs={"units": derived_units((units, 1), (length, 1)), "long_name": long_name},
    )


def spectral_slope(spectrum: xr.DataArray, k_min: float, k_max: float) -> xr.DataArray:
    """Return n of the power law ``E ~ K^n`` that fits best between two wavenumbers.

    Least squares of ``log E`` on ``log K``, every shell with the same weight.

    Parameters
    ----------
    spectrum
        Dimensions ``(..., wavenumber)``, positive in the range; average over time first.
    k_min, k_max
        Range of wavenumbers, ends included.

    Returns
    -------
    xarray.DataArray
        The leading dimensions of `spectrum` [1].

    Raises
    ------
    ValueError
        If fewer than three shells with K > 0 lie in the range, or the spectrum has a value there
        that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> k = np.arange(1.0, 33.0)
    >>> spectrum = xr.DataArray(2.0 * k**-3, dims="wavenumber", coords={"wavenumber": k})
    >>> round(float(spectral_slope(spectrum, 4.0, 20.0)), 12)
    -3.0
    """
    wavenumber = spectrum["wavenumber"]
    inside = spectrum[..., (wavenumber >= k_min) & (wavenumber <= k_max) & (wavenumber > 0.0)]
    n_shell = inside.sizes["wavenumber"]
    if n_shell < 3:
        raise ValueError(
            f"k_min, k_max: expected a range with at least 3 shells, got {n_shell} from {k_min:g} "
            f"to {k_max:g}; the spectrum goes to {float(wavenumber.max()):g}"
        )
    if not bool((inside > 0.0).all()):
        raise ValueError(
            f"spectrum: expected positive values, got a smallest of {float(inside.min()):g}; "
            "a power law has no other"
        )
    x: xr.DataArray = xr.ufuncs.log(inside["wavenumber"])
    logarithm: xr.DataArray = xr.ufuncs.log(inside)
    slope = xr.cov(x, logarithm, dim="wavenumber") / x.var(ddof=1)
    slope.attrs = {
        "units": "1",
        "long_name": "slope of the spectrum",
        "k_min": float(k_min),
        "k_max": float(k_max),
    }
    return slope.rename("slope")


def _mode_power(field: xr.DataArray) -> Array:
    grid = PeriodicGrid.of(field)
    coefficients = grid.transform(field.values) / (grid.nx * grid.ny)
    return np.asarray(np.abs(coefficients) ** 2, dtype=np.float64)


def _line_spectrum(field: xr.DataArray) -> xr.DataArray:
    # Two equal rows make a line a plane; what does not vary in y has l = 0 only.
    rows = field.expand_dims(y=[0.0, float(field["x"][1] - field["x"][0])], axis=-2)
    grid = PeriodicGrid.of(rows)
    power = _mode_power(rows)[..., 0, :] * grid.multiplicity()
    k = grid.wavenumbers()[0]
    return label_spectrum(
        power / k[1],
        k,
        field,
        derived_units((_units(field), 2)),
        f"variance spectrum of {field.attrs.get('long_name', field.name)}",
    ).rename(f"{field.name}_spectrum")


def _units(field: xr.DataArray) -> str:
    return str(field.attrs.get("units", "1"))
