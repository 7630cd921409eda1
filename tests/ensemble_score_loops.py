"""Scores of ensembles by loops over samples, written from their definitions."""

import bisect
import math
from collections import defaultdict

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]

Case = tuple[Array, Array, Array | None, Array]
"""Truth, members, noise and areas."""
EDGES = np.array([10.0 ** (k / 5 - 3) for k in range(26)])


class SampleLoops:
    """Scores of one output, sample by sample."""

    def __init__(self, case: Case, f: int, scale: float) -> None:
        truth, members, noise, area = case
        total = float(sum(area))
        mean_truth = sum(a * y for a, y in zip(area, truth[:, f], strict=True)) / total
        n = len(members)
        found: defaultdict[str, float] = defaultdict(float)
        self.ranks = np.zeros(n + 1 if noise is None else 20)
        self.binned = np.zeros((3, EDGES.size - 1))
        for k in range(len(truth)):
            y, a, x = float(truth[k, f]), float(area[k]) / total, members[:, k, f].tolist()
            s = (
                [0.0] * n
                if noise is None
                else np.broadcast_to(noise, members.shape)[:, k, f].tolist()
            )
            mean = sum(x) / n
            epistemic = sum((v - mean) ** 2 for v in x) / (n - 1) if n > 1 else 0.0
            aleatoric = sum(v * v for v in s) / n
            expected = epistemic * (1 + 1 / n) + aleatoric
            absolute = sum(abs(v - y) for v in x) / n
            pairs = sum(abs(x[i] - x[j]) for i in range(n) for j in range(i))
            fair = absolute - pairs / (n * (n - 1)) if n > 1 else absolute
            half = absolute - pairs / (2 * n * (n - 1)) if n > 1 else absolute
            added = {
                "sse": (mean - y) ** 2, "sst": (y - mean_truth) ** 2, "mae": abs(mean - y),
                "bias": mean - y, "half": half, "epistemic": epistemic, "aleatoric": aleatoric,
                "expected": expected, "crps": fair,
            }  # fmt: skip
            if noise is None:
                self.ranks[sum(v < y for v in x)] += area[k]
                added |= self.of_members(x)
            else:
                added |= self.of_mixture(x, s, y)
                self.ranks[min(int(20 * self.cdf(x, s, y)), 19)] += area[k]
            for name, value in added.items():
                found[name] += a * value
            if scale > 0:
                b = bisect.bisect_right(EDGES.tolist(), math.sqrt(expected) / scale) - 1
                b = min(max(b, 0), EDGES.size - 2)
                unit = scale**2
                self.binned[:, b] += area[k] * np.array(
                    [1, expected / unit, (mean - y) ** 2 / unit]
                )
        self.found = found

    @staticmethod
    def cdf(x: list[float], s: list[float], value: float) -> float:
        parts = [
            0.5 * math.erfc((v - value) / (d * math.sqrt(2))) for v, d in zip(x, s, strict=True)
        ]
        return sum(parts) / len(x)

    @staticmethod
    def of_members(x: list[float]) -> dict[str, float]:
        widths = {}
        for name, level in (("w50", 0.5), ("w90", 0.9)):
            ordered, position = sorted(x), (len(x) + 1) * (1 - level) / 2
            i, t = math.floor(position), position - math.floor(position)
            if i < 1:
                widths[name] = math.nan
                continue
            low = (1 - t) * ordered[i - 1] + t * ordered[i]
            widths[name] = (1 - t) * ordered[-i] + t * ordered[-i - 1] - low
        return widths

    def of_mixture(self, x: list[float], s: list[float], y: float) -> dict[str, float]:
        """Quantiles by bisection alone, CRPS as the integral of its definition."""
        grid = np.linspace(min(*x, y) - 9 * max(s), max(*x, y) + 9 * max(s), 4001)
        probability = stats.norm.cdf(grid[:, None], x, s).mean(axis=1)
        found = {"crps": float(np.trapezoid((probability - (grid >= y)) ** 2, grid))}
        for level in (50, 90):
            tail = (1 - level / 100) / 2
            ends = []
            for p in (tail, 1 - tail):
                low, high = float(grid[0]), float(grid[-1])
                for _ in range(80):
                    middle = 0.5 * (low + high)
                    low, high = (middle, high) if self.cdf(x, s, middle) < p else (low, middle)
                ends.append(low)
            found[f"w{level}"] = ends[1] - ends[0]
            found[f"in{level}"] = float(ends[0] <= y <= ends[1])
        return found
