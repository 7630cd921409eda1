"""Sizes of the Lorenz-96 experiment. Time is in Lorenz-96 time units."""

from dataclasses import asdict, dataclass
from types import MappingProxyType

from closures.lorenz96_fit import MLPTraining
from hybrid.experiments.result import Preset

TIME_SCALE_RATIOS = (10.0, 4.0)
"""Values of c: fast variables well apart from the slow ones, and not."""

CLOSURES = ("none", "cubic", "cubic_ar1", "mlp_ar1")
"""The runs that are compared, from no closure to the most elaborate one."""

FITTED = CLOSURES[1:]
"""The closures proper, which compete for the best score."""

STOCHASTIC = ("cubic_ar1", "mlp_ar1")

MODEL_STEP = 0.005
"""Time step of the Fortran model, and of the training data."""

TRUTH_STEP = 0.001
SAVE_EVERY = 10
"""Model steps between saved states of a climate run or forecast."""

SAVE_STEP = SAVE_EVERY * MODEL_STEP

N_BIN = 60
"""Bins of the climate's histogram, over the range of the truth."""


@dataclass(frozen=True)
class Lorenz96Settings:
    """How much is run for each value of c.

    Parameters
    ----------
    n_truth_member
        Members of the truth runs.
    reference_time, train_time
        Length of a member of the truth run that scores are against, and of the independent one
        that closures are fitted to.
    n_seed
        Climate runs per closure; networks are trained anew for each.
    n_member, climate_time, spin_up_time
        Members of a climate run, their length after spin-up, and the spin-up.
    n_case, n_ensemble, forecast_time, score_lead
        Forecast cases, ensemble members, length, and the lead time of the scores in the results.
    n_library
        States of a two-scale run, `n_truth_member` at a time, from which analogues are drawn.
    n_train_step
        Steps of the network's training.
    """

    n_truth_member: int = 20
    reference_time: float = 200.0
    train_time: float = 60.0
    n_seed: int = 3
    n_member: int = 16
    climate_time: float = 125.0
    spin_up_time: float = 5.0
    n_case: int = 40
    n_ensemble: int = 20
    forecast_time: float = 2.0
    score_lead: float = 1.0
    n_library: int = 100
    n_train_step: int = 600

    def __post_init__(self) -> None:
        if min(asdict(self).values()) <= 0:
            raise ValueError(f"settings: expected positive numbers, got {self}")
        if self.score_lead > self.forecast_time:
            raise ValueError(
                f"score_lead: expected at most forecast_time = {self.forecast_time}, "
                f"got {self.score_lead}"
            )

    @property
    def training(self) -> MLPTraining:
        """Network training without its seed."""
        return MLPTraining(n_hidden=16, n_step=self.n_train_step, batch_size=2048)


PRESETS: MappingProxyType[Preset, Lorenz96Settings] = MappingProxyType(
    {
        "test": Lorenz96Settings(
            reference_time=20.0,
            train_time=8.0,
            n_seed=2,
            climate_time=8.0,
            spin_up_time=2.0,
            n_case=20,
            n_ensemble=8,
            forecast_time=1.0,
            n_library=20,
            n_train_step=250,
        ),
        "quick": Lorenz96Settings(),
        "full": Lorenz96Settings(
            reference_time=4000.0,
            train_time=200.0,
            climate_time=2000.0,
            spin_up_time=10.0,
            n_case=200,
            n_ensemble=40,
            forecast_time=3.0,
            n_library=500,
            n_train_step=4000,
        ),
    }
)
