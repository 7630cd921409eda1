"""Compile closures, run them inside models, score the runs.

The names below are imported when they are first used: most of them need torch, which takes
seconds, and ``hybrid --help`` should not.

Examples
--------
>>> import hybrid
>>> hybrid.Field("state_t", "K", ("level",), (60,)).units
'K'
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hybrid.versions import own_version

if TYPE_CHECKING:
    from closures import Closure, ClosureSpec, Field, Grid, SpecError
    from hybrid.coupling import couple
    from hybrid.export import export
    from hybrid.runtime import load

__all__ = [
    "Closure",
    "ClosureSpec",
    "Field",
    "Grid",
    "SpecError",
    "__version__",
    "couple",
    "export",
    "load",
]

__version__ = own_version()

_HOME = {
    "Closure": "closures",
    "ClosureSpec": "closures",
    "Field": "closures",
    "Grid": "closures",
    "SpecError": "closures",
    "couple": "hybrid.coupling",
    "export": "hybrid.export",
    "load": "hybrid.runtime",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hybrid' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package; ``hybrid.export`` is the function, also once its module is imported.

    Python binds an imported submodule to its parent, which would replace the function by the
    module of the same name.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
