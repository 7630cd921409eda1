"""Which engine a host gets that asks for none.

The native library decides, at load, in ``fortran_bridge/src/engine_choice.cpp``. This is the same
rule for what is said of an archive before it is loaded.
"""

from pathlib import Path

from fortran_bridge.build import Prefix, default_prefix
from hybrid.archive import Manifest
from hybrid.errors import ArchiveError
from hybrid.native.reading import read_program

NATIVE = "native"


def engine_by_auto(
    path: Path | str, manifest: Manifest, device: str = "cpu", prefix: Prefix | None = None
) -> tuple[str, str]:
    """Return the engine that ``engine="auto"`` takes for an archive, and why not the native one.

    Parameters
    ----------
    path
        Archive.
    manifest
        What it says of itself, as `hybrid.archive.read_manifest` reads it.
    device
        ``"cpu"``, or a device such as ``"cuda:0"``.
    prefix
        Installation of the native library; default `fortran_bridge.build.default_prefix`. Where
        there is none yet, it is taken to be built with every engine.

    Returns
    -------
    engine, reason
        The reason is empty for the native engine.
    """
    prefix = prefix or default_prefix()
    reason = ""
    try:
        if read_program(path) is None:
            told = manifest.native
            reason = told.reason if told else "the archive holds no program for it"
    except ArchiveError as error:
        reason = str(error)
    if not reason and device != "cpu":
        reason = f"it computes on 'cpu', not on '{device}'"
    if not reason and prefix.library.exists() and not prefix.engine(NATIVE).exists():
        reason = f"the library in {prefix.root} was built without it"
    return (manifest.engine, reason) if reason else (NATIVE, "")
