"""Losses by epoch."""

from pathlib import Path

from closures.training import History
from hybrid.climsim_scores.gallery import save
from hybrid.experiments.result import Figure
from hybrid.figure_style import legend, new_figure


def loss_curve(name: str, history: History) -> Figure:
    """Draw losses and the learning rate by epoch.

    Parameters
    ----------
    name
        Name of the closure.
    history
        Its losses.
    """
    figure, axes = new_figure(1, 2)
    left, right = axes[0]
    epochs = range(1, len(history.training) + 1)
    left.plot(epochs, history.training, label="training")
    if history.validation:
        left.plot(epochs, history.validation, label="validation")
        best = history.best_epoch
        left.plot([best], [history.validation[best - 1]], "o", color="#444444", label="kept")
    if min((*history.training, *history.validation)) > 0.0:
        left.set_yscale("log")
    left.set_xlabel("epoch [1]")
    left.set_ylabel("loss [1]")
    legend(left)
    right.plot(epochs, history.learning_rate)
    right.set_xlabel("epoch [1]")
    right.set_ylabel("learning rate [1]")
    return Figure(
        name="losses",
        title=f"Training of {name}",
        reading=(
            "Losses on normalised outputs after each epoch; the weights of the marked epoch were "
            "kept. A validation loss that rises while the other falls tells of too many epochs or "
            "too little weight decay."
        ),
        figure=figure,
    )


def save_losses(name: str, history: History, folder: Path) -> Path:
    """Draw `loss_curve` into a folder; return the path."""
    return save(loss_curve(name, history), folder)
