"""A build replaces what is installed whole or not at all, also while others use it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from fortran_bridge import BuildError, build
from fortran_bridge.build import Prefix, ensure_built
from fortran_bridge.installation import STAMP, Stamp, put_in_place

PROJECT = """cmake_minimum_required(VERSION 3.18)
project(small LANGUAGES C)
add_library(hybrid SHARED number.c)
set_target_properties(hybrid PROPERTIES SOVERSION 1)
install(TARGETS hybrid LIBRARY DESTINATION lib)
install(FILES number.h DESTINATION include)
"""
ASK = """import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
for _ in sys.stdin:
    print(library.number(), flush=True)
"""
# Long enough that nobody waits for it by chance.
LONG_WAIT = "314159"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A native project that is built in a second, in place of the bridge."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(PROJECT)
    (folder / "number.c").write_text('#include "number.h"\nint number(void) { return NUMBER; }\n')
    (folder / "number.h").write_text("#define NUMBER 1\n")
    monkeypatch.setattr(build, "SOURCE", folder)
    return folder


@pytest.fixture
def installed(source: Path, tmp_path: Path) -> Prefix:
    """The first build of that project."""
    return ensure_built(Prefix(tmp_path / "prefix"))


def ask(library: Path) -> subprocess.Popen[str]:
    """Start a process that opens the library, and answers with its number."""
    return subprocess.Popen(
        [sys.executable, "-c", ASK, str(library)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def answer(process: subprocess.Popen[str]) -> int:
    """Return the number that the process finds now."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    return int(process.stdout.readline())


def test_who_has_the_library_open_keeps_it(installed: Prefix, source: Path) -> None:
    with ask(installed.library) as early:
        assert answer(early) == 1
        (source / "number.h").write_text("#define NUMBER 2\n")
        ensure_built(installed)
        with ask(installed.library) as late:
            assert (answer(early), answer(late)) == (1, 2)


def test_a_build_that_fails_leaves_the_old_one(installed: Prefix, source: Path) -> None:
    before = installed.library.read_bytes()
    (source / "number.h").write_text("#define NUMBER no such number\n")
    with pytest.raises(BuildError, match=r"`cmake` failed(.|\n)*no such number"):
        ensure_built(installed)
    assert installed.library.read_bytes() == before
    (source / "number.h").write_text("#define NUMBER 1\n")
    steps: list[str] = []
    ensure_built(installed, on_step=steps.append)
    assert steps == []


def running(text: str) -> bool:
    """Return whether a process has `text` among its arguments."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes().split(b"\0"):
                return True
        except OSError:  # it ended
            continue
    return False


def test_an_interrupted_build_ends_its_compilers_and_leaves_the_old_one(
    installed: Prefix, source: Path
) -> None:
    before = installed.library.read_bytes()
    (source / "number.h").write_text("#define NUMBER 2\n")
    (source / "CMakeLists.txt").write_text(
        f"{PROJECT}add_custom_target(wait ALL COMMAND sleep {LONG_WAIT})\n"
    )
    seen: list[bool] = []

    def interrupt(_: float) -> None:
        seen.append(running(LONG_WAIT))
        if seen[-1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_built(installed, on_progress=interrupt)
    assert seen[-1]
    assert not running(LONG_WAIT)
    assert installed.library.read_bytes() == before
    assert Stamp.read(installed.root) is not None


def test_who_asks_for_no_steps_reads_them(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_built(Prefix(tmp_path / "prefix"))
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"hybrid: {step} the native library" for step in ("configuring", "compiling", "installing")
    ]
    assert not said.out
    ensure_built(Prefix(tmp_path / "prefix"))
    assert not capsys.readouterr().err


def test_steps_and_their_progress(source: Path, tmp_path: Path) -> None:
    said: list[str | float] = []
    ensure_built(Prefix(tmp_path / "prefix"), on_step=said.append, on_progress=said.append)
    steps = ["configuring", "compiling", "installing"]
    assert [text for text in said if isinstance(text, str)] == [
        f"{step} the native library" for step in steps
    ]
    fractions = [number for number in said if isinstance(number, float)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert said.index(fractions[0]) > said.index("compiling the native library")


def test_two_builders_take_turns(installed: Prefix, source: Path) -> None:
    (source / "number.h").write_text("#define NUMBER 2\n")
    steps: list[str] = []
    waiting = threading.Event()

    def say(step: str) -> None:
        steps.append(step)
        waiting.set()

    with FileLock(installed.root / ".lock"):
        thread = threading.Thread(target=ensure_built, args=(installed,), kwargs={"on_step": say})
        thread.start()
        assert waiting.wait(timeout=60)
    thread.join()
    assert steps[0] == f"waiting for another process that builds into {installed.root}"
    assert steps[1:2] == ["configuring the native library"]


def test_a_prefix_that_is_no_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match=r"expected a folder to install into, got .*/file \(File"):
        ensure_built(Prefix(tmp_path / "file"))


def staged(folder: Path, files: dict[str, str]) -> Path:
    """Write a staged installation: text, or the target of a link after an arrow."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
    return folder


def test_only_what_changed_is_replaced(tmp_path: Path) -> None:
    root = staged(tmp_path / "prefix", {"lib/other.so": "of another package"})
    first = {"lib/a.so.1": "a", "lib/a.so": "->a.so.1", "include/a.h": "h", "include/old.h": "o"}
    put_in_place(staged(tmp_path / "first", first), root, "1")
    header = (root / "include" / "a.h").stat()
    second = {"lib/a.so.1": "b", "lib/a.so": "->a.so.1", "include/a.h": "h", "share/a": "new"}
    put_in_place(staged(tmp_path / "second", second), root, "2")
    assert (root / "include" / "a.h").stat() == header
    assert (root / "lib" / "a.so").read_text() == "b"
    assert (root / "share" / "a").read_text() == "new"
    assert not (root / "include" / "old.h").exists()
    assert (root / "lib" / "other.so").read_text() == "of another package"
    stamp = Stamp.read(root)
    assert stamp is not None
    assert stamp.digest == "2"
    assert set(stamp.files) == second.keys()


def test_a_library_of_before_makes_way_for_a_link(tmp_path: Path) -> None:
    root = staged(tmp_path / "prefix", {"lib/a.so": "unversioned"})
    files = {"lib/a.so.1": "a", "lib/a.so": "->a.so.1"}
    put_in_place(staged(tmp_path / "staging", files), root, "1")
    assert (root / "lib" / "a.so").readlink() == Path("a.so.1")


def test_a_reader_finds_the_old_or_the_new_file(tmp_path: Path) -> None:
    root = tmp_path / "prefix"
    texts = ("a" * 300_000, "b" * 200_000)

    def install(text: str) -> None:
        files = {"lib/a.so.1": text, "lib/a.so": "->a.so.1"}
        put_in_place(staged(tmp_path / "staging", files), root, text[0])

    install(texts[0])
    found: set[str] = set()
    failures: list[OSError] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                found.add((root / "lib" / "a.so").read_text())
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for turn in range(1, 200):
        for path in (tmp_path / "staging").rglob("*.so"):
            path.unlink()  # the link that was the same as before and stayed behind
        install(texts[turn % 2])
    done.set()
    thread.join()
    assert failures == []
    assert found == set(texts)


@pytest.fixture
def killed_at_second_rename(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a process end between two files."""
    rename = Path.replace
    count = iter(range(100))

    def rename_once(self: Path, target: Path) -> Path:
        if next(count) == 1:
            raise SystemExit
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", rename_once)
        yield


def test_a_kill_between_two_files_leaves_no_stamp(
    tmp_path: Path, killed_at_second_rename: None
) -> None:
    staging = staged(tmp_path / "staging", {"a": "a", "b": "b"})
    with pytest.raises(SystemExit):
        put_in_place(staging, tmp_path / "prefix", "1")
    assert (tmp_path / "prefix" / "a").read_text() == "a"
    assert Stamp.read(tmp_path / "prefix") is None


@pytest.mark.parametrize("text", ["", "[]", '{"digest": "1"}', '{"files": []}'])
def test_a_stamp_that_cannot_be_read_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / STAMP).write_text(text)
    assert Stamp.read(tmp_path) is None
