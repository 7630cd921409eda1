"""What the experiment finds for one value of c."""

from dataclasses import dataclass

from hybrid.experiments.lorenz96.scoring import Scores
from hybrid.experiments.lorenz96.settings import TIME_SCALE_RATIOS
from hybrid.experiments.lorenz96.training import ClosureSet
from hybrid.experiments.lorenz96.truth import Truth
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks


@dataclass(frozen=True)
class Case:
    """One value of c: its truth, closures and scores."""

    model: TwoScaleLorenz96Wilks
    truth: Truth
    closures: ClosureSet
    scores: Scores

    @property
    def suffix(self) -> str:
        """Ending of the names of metrics; empty for the first value of c."""
        return "" if self.model.c == TIME_SCALE_RATIOS[0] else f"_c{self.model.c:g}"
