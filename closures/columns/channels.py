"""Features of a column as channels along its levels, and back."""

import torch
from torch import Tensor, nn

from closures.columns.layout import ColumnLayout


class ToChannels(nn.Module):
    """Profiles, then every scalar repeated at all levels: ``(n, n_input) -> (n, channel, level)``.

    Parameters
    ----------
    layout
        Order of the input features.
    """

    profiles: Tensor
    scalars: Tensor

    def __init__(self, layout: ColumnLayout) -> None:
        super().__init__()
        self.n_level = layout.n_level
        self.n_profile = layout.count("inputs", "profile")
        for name in ("profile", "scalar"):
            numbers = torch.tensor(layout.features("inputs", name), dtype=torch.long)
            self.register_buffer(f"{name}s", numbers, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return channels, profiles first."""
        n = features.shape[0]
        profiles = features.index_select(1, self.profiles)
        scalars = features.index_select(1, self.scalars).unsqueeze(2)
        return torch.cat(
            [
                profiles.reshape(n, self.n_profile, self.n_level),
                scalars.expand(-1, -1, self.n_level),
            ],
            dim=1,
        )


class FromChannels(nn.Module):
    """Channels to features: profiles as they are, scalars as the mean over levels.

    ``(n, channel, level) -> (n, n_output)``, profiles being the first channels. What must not be
    negative is cut off in physical units by the emulator, where zero means zero under any
    normalisation; published networks with a ReLU on scalars do it here.

    Parameters
    ----------
    layout
        Order of the output features.
    """

    order: Tensor

    def __init__(self, layout: ColumnLayout) -> None:
        super().__init__()
        self.n_profile = layout.count("outputs", "profile")
        stacked = layout.features("outputs", "profile") + layout.features("outputs", "scalar")
        order = torch.argsort(torch.tensor(stacked, dtype=torch.long))
        self.in_order = stacked == tuple(range(layout.n_output))
        self.register_buffer("order", order, persistent=False)

    def forward(self, channels: Tensor) -> Tensor:
        """Return features in the order of the layout."""
        profiles = channels[:, : self.n_profile].flatten(1)
        scalars = channels[:, self.n_profile :].mean(dim=2)
        features = torch.cat([profiles, scalars], dim=1)
        return features if self.in_order else features.index_select(1, self.order)
