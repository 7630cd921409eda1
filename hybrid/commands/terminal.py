"""How commands speak: consoles, examples in help texts, errors."""

import sys
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

ROOMS = ("hybrid", "closures", "solvers", "fortran_bridge")
"""Packages whose exceptions carry a message meant for the user."""

PLAIN_WIDTH = 120
"""Width of tables that go into a file [characters]."""


def output() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def messages() -> Console:
    """Return the console for progress and errors, so that results can be redirected alone."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    # The streams are looked up at each call: test runners and notebooks replace them.
    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH)


def examples(*commands: str) -> str:
    """Return the end of a help text that shows `commands`."""
    return "\n\n".join(("[bold]Examples[/bold]", *(f"  $ {command}" for command in commands)))


def say_error(message: str) -> None:
    """Print one error message."""
    text = Text.assemble(("error: ", "bold red"), message)
    messages().print(text, soft_wrap=True, highlight=False)


def is_expected(error: Exception) -> bool:
    """Return whether the message of `error` is meant for the user.

    It is for the project's own exceptions, and for the operating system's (disk full, no
    permission), which name the file.
    """
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in ROOMS


class ProjectGroup(TyperGroup):
    """A group of commands that shows the project's own errors without a traceback.

    They end with exit code 1; wrong usage ends with 2, as typer does it; anything else is a
    defect and keeps its traceback.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that `ctx` names."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say_error("interrupted; the same command continues it")
            raise typer.Exit(130) from None
        except Exception as error:
            if not is_expected(error):
                raise
            say_error("\n".join((str(error), *getattr(error, "__notes__", ()))))
            raise typer.Exit(1) from error
