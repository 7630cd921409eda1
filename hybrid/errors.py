"""Exceptions of archives."""


class ArchiveError(ValueError):
    """A file is not a closure archive, is damaged, or has a format this version cannot read."""


class ExportError(ValueError):
    """A closure could not be compiled, or the compiled one computes something else."""


class EmitError(ValueError):
    """No source code can be made from an archive as asked."""


class WrapError(ValueError):
    """A network trained elsewhere and the contract written for it do not fit each other."""


class ScoreError(ValueError):
    """Archives cannot be scored as asked."""


class TrainError(ValueError):
    """A training cannot be done as asked."""


class RolloutError(ValueError):
    """Archives cannot take the place of the columns' physics as asked."""
