"""Get PlaSim's source through pip, once, into a cache folder.

ExoPlaSim is under the GNU General Public License, version 2. It is downloaded
as a test subject; nothing of it is part of this project.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from hashlib import file_digest
from pathlib import Path

from hybrid.experiments.plasim.errors import SourceError
from solvers.cache import cache_folder

VERSION = "3.4.2"
"""Version of the package ``exoplasim`` whose interfaces the hooks know."""

MODEL = f"ExoPlaSim {VERSION}, T21, 10 levels"
"""What contracts and files call the model, at the one resolution that is compiled."""

SHA256 = "fae502a92f5997ffd18b0bb85b9f0f0677857c62c5d1293f605c9799026f64c2"
"""Of its source archive."""

_WANTED = (
    "exoplasim/plasim/src/",
    "exoplasim/plasim/dat/T21/",
    "exoplasim/most_compiler",
    "exoplasim/COPYING",
)


def plasim_folder() -> Path:
    """Return the folder for everything about PlaSim that is kept from run to run.

    Raises
    ------
    SourceError
        If there is none that can be written.
    """
    cache = cache_folder()
    if cache is None:
        raise SourceError(
            "PlaSim: expected a cache folder that can be written, got none; set HYBRID_CACHE_DIR"
        )
    folder = cache / "plasim"
    folder.mkdir(exist_ok=True)
    return folder


def source_tree(folder: Path) -> Path:
    """Return the unpacked source, downloaded if it is not there.

    Parameters
    ----------
    folder
        Where it is kept.

    Returns
    -------
    Path
        Folder with ``plasim/src``, ``plasim/dat/T21`` and the compiler settings ``most_compiler``.

    Raises
    ------
    SourceError
        If pip cannot download it, or what came is not the version that the hooks know.
    """
    tree = folder / f"exoplasim-{VERSION}"
    if not tree.exists():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            archive = _download(Path(temporary))
            unpack(archive, Path(temporary) / "unpacked", SHA256)
            # Renamed as a whole: a tree that exists is complete.
            shutil.move(Path(temporary) / "unpacked", tree)
    return tree


def _download(folder: Path) -> Path:
    requirement = f"exoplasim=={VERSION}"
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "exoplasim"),
        *("--disable-pip-version-check", "--dest", str(folder), requirement),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted(folder.glob("exoplasim-*.tar.gz"))
    if done.returncode or not found:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise SourceError(
            f"PlaSim: expected pip to download {requirement}, got: {' '.join(said)}; the first run "
            "needs the network, later ones use the cache folder"
        )
    return found[0]


def unpack(archive: Path, folder: Path, sha256: str) -> None:
    """Unpack what is needed of a source archive into `folder`.

    Parameters
    ----------
    archive
        A ``.tar.gz``.
    folder
        Where what lies below ``exoplasim`` in the archive goes.
    sha256
        What the archive has to be.

    Raises
    ------
    SourceError
        If the archive is another one.
    """
    with archive.open("rb") as stream:
        found = file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise SourceError(
            f"{archive.name}: expected the archive of exoplasim {VERSION} with SHA-256 {sha256}, "
            f"got {found}; the hooks know no other"
        )
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            inside = member.name.partition("/")[2]
            if not (member.isfile() and inside.startswith(_WANTED)):
                continue
            if content := tar.extractfile(member):
                path = folder / inside.partition("/")[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                with content, path.open("wb") as file:
                    shutil.copyfileobj(content, file)
