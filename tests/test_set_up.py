"""The scripts below .ci, with stand-ins for the programs that change a machine."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / ".ci"


def stand_in(folder: Path, name: str, body: str) -> None:
    """Put a program `name` into `folder`."""
    program = folder / name
    program.write_text(f"#!/bin/bash\n{body}\n")
    program.chmod(0o755)


def run(
    script: Path, *arguments: str, programs: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script with `programs` before everything else on the path."""
    kept = {key: value for key, value in os.environ.items() if key != "SKIP_SYSTEM_PACKAGES"}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(script), *arguments],
        env={**kept, **variables, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_step_hides_what_succeeds_and_shows_what_fails(tmp_path: Path) -> None:
    good = run(SCRIPTS / "step", "working", "echo", "noise", programs=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == "working ... done (0 s)\n"
    bad = run(SCRIPTS / "step", "working", "bash", "-c", "echo why; exit 3", programs=tmp_path)
    assert bad.returncode == 3
    assert "failed (exit status 3)" in bad.stdout
    assert bad.stderr == "why\n"


def system_packages(programs: Path, *packages: str, **variables: str) -> tuple[int, str, list[str]]:
    """Ask for packages where only ``present`` is installed; return status, output, apt calls."""
    calls = programs / "calls"
    calls.touch()
    stand_in(programs, "dpkg-query", '[[ ${@: -1} == present ]] && echo -n "installed "')
    stand_in(programs, "dpkg", "true")
    stand_in(programs, "apt-get", f'echo "$@" >> "{calls}"')
    stand_in(programs, "sudo", '[[ $1 == --non-interactive ]] && shift && "$@"')
    result = run(SCRIPTS / "system-packages", *packages, programs=programs, **variables)
    return result.returncode, result.stdout + result.stderr, calls.read_text().splitlines()


def test_no_package_is_touched_when_none_is_missing(tmp_path: Path) -> None:
    assert system_packages(tmp_path, "present") == (0, "", [])


def test_only_missing_packages_are_installed(tmp_path: Path) -> None:
    status, output, calls = system_packages(tmp_path, "present", "absent", "lacking")
    assert status == 0
    assert "installing absent lacking ... done" in output
    assert [call.split()[-1] for call in calls] == ["update", "lacking"]
    assert calls[1].endswith("install --no-install-recommends absent lacking")


def test_packages_can_be_left_out(tmp_path: Path) -> None:
    assert system_packages(tmp_path, "absent", SKIP_SYSTEM_PACKAGES="1") == (0, "", [])


@pytest.mark.parametrize(("failing", "status"), [("", 0), ("lint", 2), ("test", 2)])
def test_run_lints_and_tests_and_passes_a_failure_on(
    tmp_path: Path, failing: str, status: int
) -> None:
    stand_in(tmp_path, "make", f'echo "make $1"; [[ $1 != "{failing}" ]] || exit 2')
    result = run(SCRIPTS / "run", programs=tmp_path)
    assert result.returncode == status
    assert result.stdout.splitlines()[:2] == ["make lint", "make test"]


def test_python_out_of_range_is_refused_by_name(tmp_path: Path) -> None:
    stand_in(tmp_path, "python3.9", "exit 1")
    project = tmp_path / "project"
    (project / ".ci").mkdir(parents=True)
    for script in SCRIPTS.iterdir():
        (project / ".ci" / script.name).write_bytes(script.read_bytes())
    result = run(
        project / ".ci" / "python-environment", programs=tmp_path, PYTHON=f"{tmp_path}/python3.9"
    )
    assert result.returncode == 1
    assert "expected Python 3.11, 3.12 or 3.13, found none of them as:" in result.stderr
    assert not (project / ".venv").exists()
