"""Tables of the page on ensembles, from results of ``python -m benchmarks ensembles``."""

from typing import Any

from markdown_table import markdown_table


def ensemble_costs_table(results: dict[str, Any]) -> str:
    """Return what ensembles in one archive, cascades and students cost, and how well they do.

    In brackets, the upper end of the 95 % interval of the ratio.
    """
    header = [
        "closure",
        "beside",
        "`reproducible`",
        "columns at once",
        "µs/column",
        "ratio",
        "same decision",
        "of the trusted",
        "of the flagged",
        "CRPS",
        "CRPS, +4 K",
        "90 % interval covers",
        "at +4 K",
    ]
    rows = []
    for record in runs(results):
        scores = record["scores"]
        decisions = ("agreement", "agreement_trusted", "agreement_flagged")
        at_once = dict.fromkeys(str(record[name]) for name in ("block", "block_beside"))
        rows.append(
            [
                record["closure"],
                record["beside"],
                "on" if record["reproducible"] else "off",
                " beside ".join(at_once),
                f"{1e6 * record['seconds'] / record['n_column']:.0f}",
                f"{record['ratio']:.3f} ({record['high']:.3f})",
                *(f"{100 * scores[name]:.1f} %" for name in decisions),
                *(f"{scores['crps'][climate]:.4f}" for climate in ("present", "p4k")),
                *(f"{100 * scores['coverage90'][climate]:.0f} %" for climate in ("present", "p4k")),
            ]
        )
    return markdown_table(header, rows)


def ensemble_training_table(results: dict[str, Any]) -> str:
    """Return what an epoch of all members together costs beside one member after the other."""
    header = ["members", "hidden layers", "batch", "µs/sample", "ratio", "largest difference"]
    rows = [
        [
            str(record["n_member"]),
            " x ".join(map(str, record["widths"])),
            str(record["batch_size"]),
            f"{1e6 * record['seconds'] / record['n_sample']:.0f}",
            f"{record['ratio']:.3f} ({record['high']:.3f})",
            f"{record['difference']:.0e}",
        ]
        for record in trainings(results)
    ]
    return markdown_table(header, rows)


def runs(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records about runs of archives, which have scores."""
    return [record for record in results["records"] if "scores" in record]


def trainings(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records about trainings, which have batches."""
    return [record for record in results["records"] if "batch_size" in record]
