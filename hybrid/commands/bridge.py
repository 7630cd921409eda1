"""``hybrid bridge``: the native library, and the flags a host model compiles with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.commands.terminal import ProjectGroup, examples, messages

if TYPE_CHECKING:
    from fortran_bridge.build import Prefix

app = typer.Typer(
    cls=ProjectGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=examples("hybrid bridge build", "hybrid bridge config --cflags --ldflags"),
)

PrefixOption = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="Where the library is installed; default: $HYBRID_PREFIX, else inside the Python "
        "environment.",
    ),
]


@app.callback()
def bridge() -> None:
    """Build the native library, and say how a host model compiles against it."""


@app.command(
    epilog=examples("hybrid bridge build", "hybrid bridge build --prefix ~/hybrid --force")
)
def build(
    prefix: PrefixOption = None,
    force: Annotated[bool, typer.Option("--force", help="Rebuild from nothing.")] = False,
) -> None:
    """Build and install the native library, its engines and the Fortran hosts.

    Does nothing if all of it is there and up to date. Safe while models run with the library that
    is replaced; a build that fails or is interrupted leaves that one in place.
    """
    built = _built(prefix, force=force)
    typer.echo(f"native library: {built.library}")


@app.command(
    epilog=examples(
        "gfortran $(hybrid bridge config --source) model.f90 $(hybrid bridge config --ldflags)",
        "cc $(hybrid bridge config --cflags) model.c $(hybrid bridge config --ldflags)",
        "cmake -B build -D hybrid_DIR=$(hybrid bridge config --cmake-dir)",
        "PKG_CONFIG_PATH=$(hybrid bridge config --pkg-config-dir) pkg-config --libs hybrid",
        "hybrid bridge config --prefix ~/hybrid --ldflags",
    )
)
def config(
    prefix: PrefixOption = None,
    cflags: Annotated[bool, typer.Option("--cflags", help="Flags of a C compiler.")] = False,
    fflags: Annotated[bool, typer.Option("--fflags", help="Flags of a Fortran compiler.")] = False,
    source: Annotated[
        bool, typer.Option("--source", help="The Fortran module, to compile with the host.")
    ] = False,
    ldflags: Annotated[
        bool, typer.Option("--ldflags", help="Flags of the linker; no LD_LIBRARY_PATH is needed.")
    ] = False,
    cmake_dir: Annotated[
        bool, typer.Option("--cmake-dir", help="Value of CMake's variable hybrid_DIR.")
    ] = False,
    pkg_config_dir: Annotated[
        bool, typer.Option("--pkg-config-dir", help="Folder for PKG_CONFIG_PATH.")
    ] = False,
    prefix_dir: Annotated[
        bool, typer.Option("--prefix-dir", help="Folder of bin, include, lib and share.")
    ] = False,
) -> None:
    """Print what a host model needs to compile and link, in one line, ready for a makefile.

    The library is built first if it is missing or out of date; but a folder that is named with
    --prefix has to hold an installation.
    """
    wanted = {
        "cflags": cflags,
        "fflags": fflags,
        "source": source,
        "ldflags": ldflags,
        "cmake-dir": cmake_dir,
        "pkg-config-dir": pkg_config_dir,
        "prefix-dir": prefix_dir,
    }
    if not any(wanted.values()):
        raise typer.BadParameter(
            f"expected at least one of {', '.join(f'--{name}' for name in wanted)}; got none"
        )
    if prefix is not None:
        _require_installation(prefix)
    values = _values(_built(prefix, force=False))
    typer.echo(" ".join(values[name] for name, asked in wanted.items() if asked))


def _built(prefix: Path | None, *, force: bool) -> "Prefix":
    from fortran_bridge.build import Prefix, ensure_built
    from hybrid.progress import StepProgress, progress_display

    with StepProgress(progress_display(messages())) as display:
        return ensure_built(
            None if prefix is None else Prefix(prefix.absolute()),
            force=force,
            on_step=display.start,
            on_progress=display.update,
        )


def _require_installation(root: Path) -> None:
    from fortran_bridge import BuildError
    from fortran_bridge.build import Prefix

    library = Prefix(root.absolute()).library
    if not library.exists():
        raise BuildError(
            f"{root}: expected an installation of the native library, got no {library}; "
            f"nothing is installed there: hybrid bridge build --prefix {root}"
        )


def _values(prefix: "Prefix") -> dict[str, str]:
    library = prefix.library.parent
    return {
        "cflags": f"-I{prefix.include}",
        "fflags": f"-I{prefix.include}",
        "source": str(prefix.fortran_source),
        "ldflags": f"-L{library} -Wl,-rpath,{library} -lhybrid",
        "cmake-dir": str(prefix.cmake),
        "pkg-config-dir": str(prefix.pkg_config),
        "prefix-dir": str(prefix.root),
    }
