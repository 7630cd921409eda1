"""The scores that ClimSim's authors publish, to stand beside ours."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class PublishedScores:
    """Published tables.

    Parameters
    ----------
    source
        Where the numbers stand.
    caveat
        Why they are not comparable with scores on other data.
    models
        Names of the baselines.
    scores
        By score (``mae``, ``rmse``, ``crps`` [W m-2], ``r2`` per cell [1]), model and label;
        numbers that are not published are absent.
    """

    source: str
    caveat: str
    models: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]


@cache
def published_scores() -> PublishedScores:
    """Return ClimSim's published scores.

    Examples
    --------
    >>> published_scores().scores["mae"]["MLP"]["dT"]
    2.683
    """
    text = (files("closures.climsim") / "published_scores.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    source, caveat, models = (table.pop(key) for key in ("source", "caveat", "models"))
    scores = {
        score: {
            model: {label: row[i] for label, row in rows.items() if not math.isnan(row[i])}
            for i, model in enumerate(models)
        }
        for score, rows in table.items()
    }
    return PublishedScores(source, caveat, tuple(models), scores)
