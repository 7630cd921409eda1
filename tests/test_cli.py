"""The command line: help, usage errors, exit codes, what is printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import hybrid
from closures import SpecError
from fortran_bridge import BridgeError, BuildError, HostError
from fortran_bridge.build import Prefix
from hybrid.cli import app
from hybrid.doctor import Finding
from hybrid.experiments import EXPERIMENTS
from hybrid.experiments.result import ExperimentResult, Table
from hybrid.results import ResultsError

COMMANDS = {
    (): "hybrid demo",
    ("demo",): "hybrid demo --data",
    ("run",): "hybrid run lorenz96",
    ("inspect",): "hybrid inspect closure.pt",
    ("verify",): "hybrid verify closure.pt",
    ("wrap",): "hybrid wrap convection.pt convection.json -o convection_archive.pt",
    ("bridge",): "hybrid bridge build",
    ("bridge", "build"): "hybrid bridge build --prefix",
    ("bridge", "config"): "hybrid bridge config --ldflags",
    ("climsim",): "hybrid climsim convert",
    ("climsim", "convert"): "hybrid climsim convert climsim/low-res shards --variables V2",
    ("climsim", "generate"): "hybrid climsim generate sample --pairs 32",
    ("emit",): "hybrid emit ccpp closure.pt",
    ("emit", "ccpp"): "hybrid emit ccpp closure.pt --name learned_convection",
    ("emit", "fortran"): "hybrid emit fortran closure.pt",
    ("emit", "latex"): "hybrid emit latex closure.pt",
    ("climsim", "rollout"): "hybrid climsim rollout mlp.pt ridge.pt --out results/rollout",
    ("climsim", "run"): "hybrid climsim run mlp.pt --data climsim/low-res --out written",
    ("climsim", "score"): "hybrid climsim score mlp.pt --data climsim --split season",
    ("train",): "hybrid train climsim --model mlp",
    ("train", "climsim"): "hybrid train climsim --model mlp --data climsim --out results/mlp",
    ("train", "columns"): "hybrid train columns --spec spec.json --data columns.nc",
    ("train", "sweep"): "hybrid train sweep --model mlp --data climsim --trials 40",
    ("precision",): "hybrid precision mlp.pt --online lorenz96",
    ("doctor",): "hybrid doctor",
}


def call(*arguments: str | Path, **environment: str) -> Result:
    runner = CliRunner(env={"HYBRID_CLIMSIM_DATA": "", **environment})
    return runner.invoke(app, [str(argument) for argument in arguments])


def words(text: str) -> str:
    """Return `text` without frames and line breaks."""
    return " ".join(re.sub(r"[│╭╮╰╯─┃┏┓┗┛━]", " ", text).split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_every_command_shows_examples(command: tuple[str, ...]) -> None:
    result = call(*command, "--help")
    assert result.exit_code == 0
    shown = words(result.output)
    assert "Usage: " in shown
    assert COMMANDS[command] in shown.partition("Examples")[2]


def test_every_command_is_in_this_test() -> None:
    group = typer.main.get_command(app)
    found: set[tuple[str, ...]] = {()}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found.add((name,))
        found |= {(name, part) for part in getattr(command, "commands", {})}
    assert found == set(COMMANDS)


def test_version() -> None:
    assert call("--version").output == f"hybrid-closures {hybrid.__version__}\n"


def test_module_is_the_command_line() -> None:
    command = [sys.executable, "-W", "error", "-m", "hybrid.cli"]
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"hybrid-closures {hybrid.__version__}\n"
    wrong = subprocess.run(
        [*command, "forecast"], capture_output=True, text=True, check=False, timeout=60
    )
    assert wrong.returncode == 2
    assert "Usage: python -m hybrid.cli" in words(wrong.stderr)


def test_help_loads_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys; from hybrid.cli import app; app(['--help'], standalone_mode=False); "
        "print(sorted({'torch', 'matplotlib', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "lorenz63"), "expected one of lorenz96, climsim, emulators, "),
        (("run", "lorenz96", "--preset", "huge"), "Invalid value for '--preset'"),
        (("run", "lorenz96", "--seed", "-1"), "Invalid value for '--seed'"),
        (("run", "climsim", "--data", "/no/such/folder"), "'/no/such/folder' does not exist"),
        (("run",), "Missing argument"),
        (("inspect",), "Missing argument"),
        (("forecast",), "No such command 'forecast'"),
        (("bridge", "config"), "expected at least one of --cflags, --fflags"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in words(result.stderr)


@pytest.mark.parametrize(
    "error",
    [
        SpecError("t: expected units, got none; name [them]"),
        BridgeError("t: expected 60 levels, got 72", 6),
        BuildError("expected cmake, got none"),
        HostError("lorenz96: ended with 1"),
        ResultsError("seed: reserved"),
        PermissionError(13, "Permission denied", "/results"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_expected_errors_are_one_message_and_1(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("hybrid.experiments.run_experiment", fail)
    result = call("run", "lorenz96", "--out", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"error: {error}"
    assert "Traceback" not in result.output


def test_notes_of_an_error_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        error = HostError("no fluxes")
        error.add_note("closure_1 failed")
        raise error

    monkeypatch.setattr("hybrid.experiments.run_experiment", fail)
    result = call("run", "lorenz96", "--out", tmp_path)
    assert result.stderr.splitlines()[-2:] == ["error: no fluxes", "closure_1 failed"]


@pytest.mark.parametrize("command", [("run", "lorenz96"), ("demo",)], ids=" ".join)
@pytest.mark.parametrize(
    ("out", "got"), [("file", "a file of that name"), ("file/below", "'Not a directory'")]
)
def test_a_folder_that_cannot_be_made_is_said_at_once(
    command: tuple[str, ...], out: str, got: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    result = call(*command, "--out", tmp_path / out)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {tmp_path / out}: expected a folder, or a path where one can be made, got {got}; "
        "choose another one with --out\n"
    )
    assert (tmp_path / "file").read_text() == "kept"


def test_defects_keep_their_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hybrid.experiments.run_experiment", fail)
    assert isinstance(call("run", "lorenz96", "--out", tmp_path).exception, ZeroDivisionError)


def test_interruption_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hybrid.experiments.run_experiment", interrupt)
    result = call("run", "lorenz96", "--out", tmp_path)
    assert result.exit_code == 130
    assert "error: interrupted" in result.stderr


def stand_in(name: str) -> ExperimentResult:
    return ExperimentResult(
        name=name,
        headline=f"{name} on [nothing]",
        metrics={},
        settings={},
        choices={"best": "cubic"},
        tables=(Table("Climate", ("Hellinger [1]",), {"no closure": (0.257,)}, "60 bins"),),
        archives=(Path(f"{name}.pt"),),
    )


@pytest.mark.parametrize("preset", ["test", "quick", "full"])
def test_run_says_how_long_it_takes_and_where_things_are(
    preset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[object] = []

    def record(*arguments: object) -> ExperimentResult:
        asked.extend(arguments[:-1])
        return stand_in("lorenz96")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hybrid.experiments.run_experiment", record)
    arguments = ("--preset", preset, "--seed", "4", "--data", tmp_path)
    result = call("run", "lorenz96", *arguments)
    assert result.exit_code == 0
    out = Path("results") / f"lorenz96-{preset}"
    assert asked == ["lorenz96", preset, out, 4, tmp_path]
    duration = EXPERIMENTS["lorenz96"].durations[preset]
    assert f"lorenz96, preset {preset}: about {duration}" in result.stderr
    for text in ("lorenz96 on [nothing]", "best: cubic", "Hellinger [1]", "0.2570", "60 bins"):
        assert text in result.stdout
    for path in (out / "report.html", out / "results.json", Path("lorenz96.pt")):
        assert f"wrote {path}\n" in result.stdout


def test_demo_shows_all_experiments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def record(*arguments: object) -> list[ExperimentResult]:
        asked.extend(arguments[:-1])
        return [stand_in("lorenz96"), stand_in("climsim")]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hybrid.demo.run_demo", record)
    result = call("demo", HYBRID_CLIMSIM_DATA=str(tmp_path))
    assert result.exit_code == 0
    assert asked == [Path("results/demo"), 0, tmp_path]
    assert "lorenz96 on [nothing]" in result.stdout
    assert "climsim on [nothing]" in result.stdout
    assert f"wrote {Path('results/demo/report.html')}\n" in result.stdout


def test_output_in_a_file_has_no_control_characters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hybrid.experiments.run_experiment", lambda *_: stand_in("climsim"))
    output = call("run", "climsim", "--out", tmp_path).output
    assert all(character == "\n" or character.isprintable() for character in output)


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> Prefix:
    """A prefix that counts as built."""
    where = Prefix(Path("/opt/hybrid"))

    def built(asked: Prefix | None, **options: object) -> Prefix:
        return asked or where

    monkeypatch.setattr("fortran_bridge.build.ensure_built", built)
    return where


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--prefix-dir"], "/opt/hybrid"),
        (["--cmake-dir"], "/opt/hybrid/lib/cmake/hybrid"),
        (["--pkg-config-dir"], "/opt/hybrid/lib/pkgconfig"),
        (["--cflags"], "-I/opt/hybrid/include"),
        (["--fflags"], "-I/opt/hybrid/include"),
        (["--source"], "/opt/hybrid/share/hybrid/hybrid.F90"),
        (["--ldflags"], "-L/opt/hybrid/lib -Wl,-rpath,/opt/hybrid/lib -lhybrid"),
        (
            ["--ldflags", "--cflags"],
            "-I/opt/hybrid/include -L/opt/hybrid/lib -Wl,-rpath,/opt/hybrid/lib -lhybrid",
        ),
    ],
)
def test_bridge_config(options: list[str], line: str, prefix: Prefix) -> None:
    assert call("bridge", "config", *options).stdout == f"{line}\n"


def test_bridge_config_of_another_prefix(prefix: Prefix, tmp_path: Path) -> None:
    refused = call("bridge", "config", "--prefix", tmp_path, "--cflags")
    assert refused.exit_code == 1
    assert not refused.stdout
    assert f"nothing is installed there: hybrid bridge build --prefix {tmp_path}" in refused.stderr
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libhybrid.so").touch()
    found = call("bridge", "config", "--prefix", tmp_path, "--cflags")
    assert found.stdout == f"-I{tmp_path}/include\n"


def test_bridge_build_says_where(prefix: Prefix, tmp_path: Path) -> None:
    assert call("bridge", "build").stdout == "native library: /opt/hybrid/lib/libhybrid.so\n"
    elsewhere = call("bridge", "build", "--prefix", tmp_path, "--force").stdout
    assert elsewhere == f"native library: {tmp_path}/lib/libhybrid.so\n"


@pytest.mark.fortran
@pytest.mark.parametrize("language", ["c", "fortran"])
def test_flags_of_bridge_config_compile_and_link_a_host(language: str, tmp_path: Path) -> None:
    flags = call("bridge", "config", "--cflags", "--ldflags").stdout.split()
    if language == "c":
        host = tmp_path / "host.c"
        host.write_text(
            "#include <hybrid.h>\n#include <stdio.h>\nint main(void) { puts(hybrid_version()); }\n"
        )
        compiler = ["cc", str(host)]
    else:
        host = tmp_path / "host.f90"
        host.write_text(
            "program host\n  use hybrid, only: closure_t\n  implicit none\n"
            "  type(closure_t) :: closure\n  integer :: stat\n"
            "  character(len=300) :: errmsg\n"
            "  call closure%load('absent.pt', stat=stat, errmsg=errmsg)\n"
            "  print '(a)', trim(errmsg)\nend program host\n"
        )
        source = call("bridge", "config", "--source").stdout.strip()
        compiler = ["gfortran", f"-J{tmp_path}", source, str(host)]
    program = tmp_path / "host"
    subprocess.run([*compiler, *flags, "-o", str(program)], check=True, timeout=120)
    said = subprocess.run([str(program)], check=True, capture_output=True, text=True, timeout=60)
    expected = hybrid.__version__ if language == "c" else "absent.pt"
    assert expected in said.stdout


def test_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [
        Finding("program", "cmake", "cmake version 3.25.1", "apt-get install cmake"),
        Finding("library", "libzip", "", "apt-get install libzip-dev"),
    ]
    monkeypatch.setattr("hybrid.doctor.examine", lambda: findings)
    result = call("doctor")
    assert result.exit_code == 1
    shown = words(result.stdout)
    assert "libzip missing apt-get install libzip-dev" in shown
    assert "cmake version 3.25.1" in shown
    assert "apt-get install cmake" not in shown
    assert shown.endswith("missing: libzip")


def test_doctor_finds_nothing_on_an_empty_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setenv("HYBRID_PREFIX", os.fspath(tmp_path))
    result = call("doctor")
    assert result.exit_code == 1
    missing = result.stdout.rstrip().splitlines()[-1].removeprefix("missing: ").split(", ")
    assert {"gfortran", "cmake", "netcdf-fortran", "udunits2.h", "libhybrid.so"} <= set(missing)
    assert "torch" not in missing
