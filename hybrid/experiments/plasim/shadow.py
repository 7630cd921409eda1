"""What the shadow run says: closure and native scheme on the same columns, step by step."""

from collections.abc import Mapping, Sequence

from hybrid.experiments.plasim.report import ShadowDifference
from hybrid.experiments.result import Table


def shadow_table(
    found: Mapping[str, Mapping[str, Sequence[ShadowDifference]]], n_day: int
) -> Table:
    """Return the differences of each flux at the top and at the ground.

    Parameters
    ----------
    found
        Of a shadow run, see `read_differences`.
    n_day
        Its days.
    """
    rows: dict[str, tuple[float | None, ...]] = {}
    for of_scheme in found.values():
        for output, elements in of_scheme.items():
            label = output.replace("_", " ")
            for place, each in (("top", elements[0]), ("ground", elements[-1])):
                rows[f"{label}, {place}"] = each.mean, each.rms, each.largest
    return Table(
        title="Shadow run: closure less native scheme on the same columns",
        columns=("mean [W m-2]", "RMS [W m-2]", "largest [W m-2]"),
        rows=rows,
        note=f"All columns and steps of {n_day} days in which the model goes on with its own "
        "schemes; sunlight with the columns in the night. A ramp over half as many days came "
        "before the swap, and ended well unless the report says otherwise.",
    )
