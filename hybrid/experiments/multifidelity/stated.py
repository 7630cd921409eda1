"""What the numbers of a test bed depend on, flat, for results and report."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hybrid.experiments.multifidelity.bed import Tables
from hybrid.experiments.multifidelity.beds import Opened, Sizes
from hybrid.experiments.multifidelity.job import Job
from hybrid.experiments.multifidelity.lorenz96_online import OnlineSizes
from hybrid.experiments.multifidelity.settings import INPUT_LIMIT, Settings

Stated = dict[str, str | int | float]


def bed_settings(
    opened: Opened,
    sizes: Sizes,
    settings: Settings,
    jobs: Sequence[Job],
    online: OnlineSizes | None = None,
) -> Stated:
    """Return what a test bed is made of and how its closures were trained.

    Parameters
    ----------
    opened
        The test bed.
    sizes
        Of its samples.
    settings
        Of the trainings.
    jobs
        All trainings.
    online
        Sizes of coupled runs; None without any.

    Returns
    -------
    Stated
        Names start with that of the bed; then ``contract`` (name and version), what the bed says
        of itself, ``samples`` (their folder, named after their sizes), ``n_`` (numbers of
        samples), ``sample_`` (what was asked for), ``training_`` (settings of every training),
        ``seeds``, ``candidates`` and ``online_``. The software's versions are in every result.
    """
    bed = opened.bed
    stated: dict[str, Any] = {
        "contract": f"{bed.spec.name} {bed.spec.version}",
        **bed.settings,
        "samples": opened.data.name,
        **{f"n_{name}": count for name, count in Tables.counts(opened.data).items()},
        **{f"sample_{name}": value for name, value in asdict(sizes).items()},
        **{f"training_{name}": value for name, value in asdict(settings).items()},
        "training_input_limit": INPUT_LIMIT,
        "seeds": tuple(dict.fromkeys(job.seed for job in jobs)),
        "candidates": tuple(dict.fromkeys(job.candidate.name for job in jobs)),
    }
    if online is not None:
        stated |= {f"online_{name}": value for name, value in asdict(online).items()}
    return {f"{bed.name}_{name}": _flat(value) for name, value in stated.items()}


def _flat(value: Any) -> str | int | float:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    assert isinstance(value, str | int | float)
    return value
