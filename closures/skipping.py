"""Modules that compute something for some columns only, and how to let them do it for all.

Such a module has the attribute ``skips_columns``. Where it is True, forward finds the columns by
their values and leaves the others out, as TorchScript is fast with; where it is False, forward
computes everything for all columns and chooses by `torch.where`, which can be written as a list of
steps that is the same for all values. Results are equal but for rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def every_column(module: nn.Module) -> Iterator[None]:
    """Let no part of a module leave columns out, meanwhile.

    Parameters
    ----------
    module
        Any module; its parts that know `skips_columns` are changed and put back.

    Examples
    --------
    >>> part = nn.Identity()
    >>> part.skips_columns = True
    >>> with every_column(nn.Sequential(part)):
    ...     print(part.skips_columns)
    False
    >>> part.skips_columns
    True
    """
    skipping: list[Any] = [
        part for part in module.modules() if getattr(part, "skips_columns", False)
    ]
    for part in skipping:
        part.skips_columns = False
    try:
        yield
    finally:
        for part in skipping:
            part.skips_columns = True
