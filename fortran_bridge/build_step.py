"""What builds of native code share: commands that are logged, and one builder at a time."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from fortran_bridge.errors import BuildError

# Ninja counts steps, make says per cent.
_PROGRESS = re.compile(r"\[ *(\d+)(?:/(\d+)|%)\]")


@contextmanager
def sole_builder(folder: Path, on_step: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Let no other process build into `folder` meanwhile; `on_step` hears if that takes a wait.

    Raises
    ------
    BuildError
        If the folder cannot be written to.
    """
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_step(f"waiting for another process that builds into {folder}")
            lock.acquire()
    except OSError as error:
        raise BuildError(
            f"native library: expected a folder to install into, got {folder} "
            f"({error.strerror}); choose another with HYBRID_PREFIX or `hybrid bridge build "
            "--prefix`"
        ) from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Step:
    """Runs commands of a build and logs what they say.

    Parameters
    ----------
    what
        What is built; begins the message of an error.
    log
        File that grows by the output.
    remedy
        What a user can do about a failure.
    on_progress
        Called with the part of the command's work that is done, from 0 to 1, where it is known.
    """

    what: str
    log: Path
    remedy: str
    on_progress: Callable[[float], None] = lambda _: None

    def run(self, command: list[str]) -> None:
        """Run a command until it ends.

        Raises
        ------
        BuildError
            If it fails; the message ends with the tail of the log.
        """
        with (
            self.log.open("a") as stream,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "NINJA_STATUS": "[%f/%t] "},
                start_new_session=True,
            ) as process,
        ):
            stream.write(f"$ {' '.join(command)}\n")
            try:
                for line in process.stdout or ():
                    stream.write(line)
                    if found := _PROGRESS.match(line):
                        self.on_progress(int(found[1]) / int(found[2] or 100))
                status = process.wait()
            except BaseException:
                # The compilers too: what goes on writing would meet the next build.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                raise
        if status:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
            raise BuildError(
                f"{self.what}: `{command[0]}` failed; {self.remedy}. Log {self.log}:\n{tail}"
            )
