"""Training of networks: settings, batches, objectives, the loop over epochs."""

from closures.training.batches import Batches, Order, TensorBatches
from closures.training.checkpoint import Checkpoint, CheckpointError
from closures.training.errors import TrainingError
from closures.training.loop import OnEpoch, OnProgress, fit, train
from closures.training.objective import Objective, Supervised, mean_squared_error
from closures.training.progress import EpochReport, History
from closures.training.ranks import Ranks, ranks
from closures.training.settings import Training

__all__ = [
    "Batches",
    "Checkpoint",
    "CheckpointError",
    "EpochReport",
    "History",
    "Objective",
    "OnEpoch",
    "OnProgress",
    "Order",
    "Ranks",
    "Supervised",
    "TensorBatches",
    "Training",
    "TrainingError",
    "fit",
    "mean_squared_error",
    "ranks",
    "train",
]
