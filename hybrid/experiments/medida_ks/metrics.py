"""Flat metrics of the experiment."""

import numpy as np

from hybrid.experiments.medida_ks.detection import points
from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.settings import LEVELS


def flat_metrics(findings: Findings) -> dict[str, float]:
    """Return all metrics.

    ``eps_<case>`` [%] and ``terms_ok_<case>`` [1] are noise-free, operator form; suffixes:
    ``_black_box``; ``_n05``, ``_n1``, ``_n2`` for medians and detection rates over seeds at 0.5, 1
    and 2 % of noise, with ``_unknown`` where its level was estimated; ``_published`` for terms at
    the end of the step and no filter. ``error_ratio_<case>`` is the error after a Lyapunov time
    relative to that of the uncorrected model, ``w1_<model>_<case>`` the distance of its climate.
    ``detected_<size>_<samples>`` is the detection rate of a spurious u^2 u_x of that coefficient,
    ``detected_strength_<size>_<samples>`` the coefficient in its standard errors, median over
    seeds; suffixes as above.
    """
    metrics = {"climate_floor": findings.floor}
    for case in findings.settings.cases:
        metrics |= _discovery(findings, case) | _online(findings, case)
    for level in LEVELS:
        for way in (level, f"{level}_unknown"):
            deviations = findings.deviations(way)
            if deviations.size:
                metrics[f"z_rms_{way}"] = float(np.sqrt(np.mean(deviations**2)))
    for point in points(findings.settings.weak):
        metrics[f"detected_{point.name}"] = findings.detection(point.name, "map")
        metrics[f"detected_strength_{point.name}"] = findings.strength(point.name, "map")
    return metrics


def _discovery(findings: Findings, case: str) -> dict[str, float]:
    metrics = {f"eps_before_{case}": findings.before(case)}
    for form, suffix in (("operator", ""), ("black_box", "_black_box")):
        found = findings.exact[form][case]
        metrics[f"eps_{case}{suffix}"] = found["percent"]
        metrics[f"terms_ok_{case}{suffix}"] = float(found["right"])
    for level in LEVELS:
        for way in (level, f"{level}_unknown", f"{level}_published"):
            metrics[f"eps_{case}_{way}"] = findings.median_error(case, way)
            metrics[f"terms_ok_{case}_{way}"] = findings.detection(case, way)
        metrics[f"strength_{case}_{level}"] = findings.strength(case, level)
    return metrics


def _online(findings: Findings, case: str) -> dict[str, float]:
    metrics = {}
    for model, suffix in (("corrected", ""), ("corrected_n1", "_n1")):
        ratio = findings.error_ratio(case, model)
        if ratio is not None:
            metrics[f"error_ratio_{case}{suffix}"] = ratio
    for model in ("uncorrected", "corrected", "corrected_n1"):
        climate = findings.climate(case, model)
        if climate is not None:
            metrics[f"w1_{model}_{case}"] = climate["distance"]
    return metrics
