"""Losses for TensorBoard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from closures.training import EpochReport
from hybrid.errors import TrainError

Log = Callable[[EpochReport], None]


@contextmanager
def logged(folder: Path | None) -> Iterator[Log]:
    """Write each epoch into a folder that TensorBoard reads; nothing without one.

    Raises
    ------
    TrainError
        If TensorBoard is not installed.
    """
    if folder is None:
        yield lambda _: None
        return
    if find_spec("tensorboard") is None:
        raise TrainError(
            "tensorboard: expected the package tensorboard, found none; install "
            "'hybrid-closures[tensorboard]', or leave --tensorboard out"
        )
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "tensorboard"))

    def log(report: EpochReport) -> None:
        values = {
            "loss/training": report.training,
            "loss/validation": report.validation,
            "learning_rate": report.learning_rate,
            "samples_per_second": report.samples_per_second,
        }
        for name, value in values.items():
            if value is not None:
                writer.add_scalar(name, value, report.epoch)

    try:
        yield log
    finally:
        writer.close()
