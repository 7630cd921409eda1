"""Distributions of fields, with an eye on their tails.

Values are pooled over every dimension but ``layer``: members, times and points are taken to be
statistically alike.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from solvers.coarse_graining.derived_units import derived_units

Array = NDArray[np.float64]

#: Probabilities of the quantiles that `tail_statistics` gives.
QUANTILES = (0.001, 0.01, 0.5, 0.99, 0.999)


def probability_density(
    field: xr.DataArray, edges: ArrayLike | None = None, *, standardized: bool = False
) -> xr.DataArray:
    """Return the density of a field's values, estimated by a histogram.

    Parameters
    ----------
    field
        Any dimensions; ``layer`` is kept, all others are pooled.
    edges
        Increasing edges of the bins, the same for all layers [field, or 1 if standardized]. Without
        them: 100 equal bins from the smallest to the largest value of all layers. To compare two
        fields, give both the same.
    standardized
        Whether to take the anomaly from the layer's mean in units of its standard deviation.

    Returns
    -------
    xarray.DataArray
        Dimensions ``([layer,] value)`` with the centres of the bins as coordinate [1 / field].
        Its integral is the fraction of values within the edges: 1 without given edges. Attributes
        ``standardized``, ``n_sample`` (values pooled), and ``mean`` and ``standard_deviation`` of
        each layer.

    Raises
    ------
    ValueError
        If the edges do not increase, the field is constant where a spread is needed, or it has a
        value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> field = xr.DataArray(np.arange(10.0), dims="x", name="q")
    >>> probability_density(field, [0.0, 5.0, 20.0]).values.round(4)
    array([0.1   , 0.0333])
    """
    samples, leading = _pooled(field)
    mean = samples.mean(axis=1)
    deviation = samples.std(axis=1)
    values = samples
    if standardized:
        if not (deviation > 0.0).all():
            raise ValueError(f"{field.name}: expected values that vary, got a constant")
        values = (samples - mean[:, np.newaxis]) / deviation[:, np.newaxis]
    bins = _edges(values, edges, field)
    width = np.diff(bins)
    density = np.stack([np.histogram(row, bins)[0] / (row.size * width) for row in values])
    units = "1" if standardized else str(field.attrs.get("units", "1"))
    name = field.attrs.get("long_name", field.name)
    axis = xr.Variable(
        "value",
        0.5 * (bins[:-1] + bins[1:]),
        {
            "units": units,
            "long_name": f"anomaly of {name} in standard deviations" if standardized else name,
        },
    )
    result = xr.DataArray(
        density if leading else density[0],
        dims=(*leading, "value"),
        coords={**leading, "value": axis, "width": ("value", width, {"units": units})},
        name="probability_density",
        attrs={
            "units": derived_units((units, -1)),
            "long_name": f"probability density of {name}",
            "standardized": int(standardized),
            "n_sample": samples.shape[1],
            "mean": mean if leading else float(mean[0]),
            "standard_deviation": deviation if leading else float(deviation[0]),
        },
    )
    result["width"].attrs["long_name"] = "width of the bin"
    return result


def tail_statistics(field: xr.DataArray) -> xr.Dataset:
    """Return moments, quantiles and the probability beyond three standard deviations.

    Parameters
    ----------
    field
        Any dimensions; ``layer`` is kept, all others are pooled.

    Returns
    -------
    xarray.Dataset
        ``mean`` and ``standard_deviation`` [field], ``skewness`` and ``excess_kurtosis`` [1] (both
        0 for a Gaussian), ``quantile`` at the probabilities `QUANTILES` [field], and ``beyond_3``,
        the probability of an anomaly larger than 3 standard deviations [1] (0.0027 for a
        Gaussian).

    Raises
    ------
    ValueError
        If the field is constant, or has a value that is not finite.
    """
    samples, leading = _pooled(field)
    mean = samples.mean(axis=1)
    deviation = samples.std(axis=1)
    if not (deviation > 0.0).all():
        raise ValueError(f"{field.name}: expected values that vary, got a constant")
    beyond = np.abs(samples - mean[:, np.newaxis]) > 3.0 * deviation[:, np.newaxis]
    units = str(field.attrs.get("units", "1"))
    columns = {
        "mean": (mean, units, "mean"),
        "standard_deviation": (deviation, units, "standard deviation"),
        "skewness": (stats.skew(samples, axis=1), "1", "skewness"),
        "excess_kurtosis": (stats.kurtosis(samples, axis=1), "1", "excess kurtosis"),
        "beyond_3": (
            beyond.mean(axis=1),
            "1",
            "probability of an anomaly beyond 3 standard deviations",
        ),
    }
    result = xr.Dataset(
        {
            name: (
                tuple(leading),
                values if leading else values[0],
                {
                    "units": unit,
                    "long_name": f"{what} of {field.attrs.get('long_name', field.name)}",
                },
            )
            for name, (values, unit, what) in columns.items()
        },
        coords=leading,
    )
    quantiles = np.quantile(samples, QUANTILES, axis=1).T
    result["quantile"] = (
        (*leading, "probability"),
        quantiles if leading else quantiles[0],
        {"units": units, "long_name": f"quantile of {field.attrs.get('long_name', field.name)}"},
    )
    return result.assign_coords(
        probability=("probability", list(QUANTILES), {"units": "1", "long_name": "probability"})
    )


def _pooled(field: xr.DataArray) -> tuple[Array, dict[str, xr.DataArray]]:
    """Return samples, shape ``(n_layer or 1, n)``, and the coordinate of the layers if any."""
    layered = "layer" in field.dims
    ordered = field.transpose("layer", ...) if layered else field
    samples = np.asarray(ordered.values, dtype=np.float64)
    samples = samples.reshape(field.sizes["layer"] if layered else 1, -1)
    if not np.isfinite(samples).all():
        raise ValueError(
            f"{field.name}: expected finite values, got {int((~np.isfinite(samples)).sum())} of "
            f"{samples.size} that are not; select the time before the run blew up"
        )
    return samples, {"layer": field["layer"]} if layered else {}


def _edges(values: Array, edges: ArrayLike | None, field: xr.DataArray) -> Array:
    if edges is None:
        low, high = float(values.min()), float(values.max())
        if not low < high:
            raise ValueError(f"{field.name}: expected values that vary, got a constant; give edges")
        return np.linspace(low, high, 101)
    bins = np.asarray(edges, dtype=np.float64)
    if bins.ndim != 1 or bins.size < 2 or not (np.diff(bins) > 0.0).all():
        raise ValueError(f"edges: expected at least 2 increasing numbers, got {edges}")
    return bins
