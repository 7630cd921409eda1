"""Exceptions of the discovery of model error."""


class SamplesError(ValueError):
    """States, observations or the steps from them do not fit each other."""


class LibraryError(ValueError):
    """Candidate terms cannot be told apart, or by these samples."""


class NothingFoundError(ValueError):
    """No candidate term explains the increments."""


class TermsError(ValueError):
    """Terms and coefficients make no equation, or not one that a closure can evaluate."""
