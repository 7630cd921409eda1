"""Build the coverage-guided fuzzers and run them.

``make fuzz`` runs 100 000 mutants or more of manifests and of archives. A crash, a hang, a leak,
undefined behaviour or an allocation beyond the bound ends a run with the input that did it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bridge.fuzz.corpus import write_dictionary, write_seeds

SOURCE = Path(__file__).resolve().parent
BUILD = SOURCE.parents[2] / "build" / "fuzz"

MALLOC_LIMIT_MB = 64
"""No single allocation may be larger, for inputs of at most 16 KiB."""

RSS_LIMIT_MB = 512
"""Nor all of them together, with the fuzzer and its sanitizers."""

TIMEOUT = 20
"""Seconds after which an input counts as a hang."""

RUNS = {"manifest": 150_000, "archive": 150_000, "closure": 20_000}
"""Mutants of each target in a full campaign."""


@dataclass(frozen=True)
class Outcome:
    """What a target reported.

    Parameters
    ----------
    target
        Its name.
    executions
        Inputs that were run.
    coverage
        Edges of the control flow graph that were reached.
    peak_rss_mb
        Largest resident memory [MiB].
    """

    target: str
    executions: int
    coverage: int
    peak_rss_mb: int


def missing() -> str:
    """Return what is needed and not installed, or nothing."""
    clang = compiler()
    if clang is None:
        return "clang (Debian: clang-14 and libclang-rt-14-dev)"
    found = subprocess.run(
        [clang, "-print-file-name=libclang_rt.fuzzer-x86_64.a"],
        capture_output=True,
        text=True,
        check=True,
    )
    resources = subprocess.run(
        [clang, "-print-resource-dir"], capture_output=True, text=True, check=True
    )
    folder = Path(resources.stdout.strip()) / "lib"
    if Path(found.stdout.strip()).is_file() or any(folder.rglob("*clang_rt.fuzzer*.a")):
        return ""
    return "libFuzzer (Debian: libclang-rt-14-dev)"


def compiler() -> str | None:
    """Return the newest clang++ on the path."""
    names = ["clang++", *(f"clang++-{version}" for version in range(22, 13, -1))]
    return next((path for path in map(shutil.which, names) if path), None)


def build() -> None:
    """Compile the targets; what is up to date is left alone."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    for command in (
        [
            *("cmake", "-S", str(SOURCE), "-B", str(BUILD), *generator),
            *(f"-DCMAKE_CXX_COMPILER={compiler()}", "-DCMAKE_BUILD_TYPE="),
        ],
        ["cmake", "--build", str(BUILD), "--parallel", "2"],
    ):
        subprocess.run(command, check=True, stdout=subprocess.PIPE)


def run(target: str, runs: int, work: Path, *, seed: int = 1) -> Outcome:
    """Run `runs` mutants of a target; raise `RuntimeError` with the report if one fails.

    Parameters
    ----------
    target
        A key of `RUNS`.
    runs
        Number of inputs.
    work
        Folder for seeds, the corpus that grows from them, and inputs that failed.
    seed
        Of the mutations.
    """
    seeds = write_seeds(work / "seeds")[target]
    corpus = work / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    dictionary = write_dictionary(work / "json.dict")
    result = subprocess.run(
        [
            *(str(BUILD / target), f"-runs={runs}", f"-seed={seed}", f"-timeout={TIMEOUT}"),
            *(f"-malloc_limit_mb={MALLOC_LIMIT_MB}", f"-rss_limit_mb={RSS_LIMIT_MB}"),
            *("-max_len=16384", "-print_final_stats=1", f"-artifact_prefix={work}/failed-"),
            *([] if target == "archive" else [f"-dict={dictionary}"]),
            *(str(corpus), str(seeds)),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={
            **os.environ,
            "HYBRID_ENGINE_FOLDER": str(BUILD),
            # Freed memory is kept a while to catch its use: little of it, or it hides what grows.
            "ASAN_OPTIONS": "quarantine_size_mb=16:allocator_may_return_null=1",
        },
    )
    report = result.stderr
    if result.returncode:
        raise RuntimeError(f"{target}: failed; the input is in {work}\n{report[-6000:]}")
    coverage = re.findall(r"DONE\s+cov: (\d+)", report)
    executions = re.findall(r"number_of_executed_units: (\d+)", report)
    memory = re.findall(r"peak_rss_mb:\s+(\d+)", report)
    return Outcome(target, int(executions[0]), int(coverage[0]), int(memory[0]))


def main() -> None:
    """Run all targets and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=list(RUNS), help="only this one")
    parser.add_argument("--runs", type=int, help="inputs of each target")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations")
    parser.add_argument("--work", type=Path, default=BUILD / "work", help="folder of the corpora")
    chosen = parser.parse_args()
    if lacking := missing():
        sys.exit(f"fuzz: expected {lacking} to be installed")
    build()
    sys.stdout.write(
        f"single allocations at most {MALLOC_LIMIT_MB} MiB, resident {RSS_LIMIT_MB} MiB\n"
    )
    for target in [chosen.target] if chosen.target else RUNS:
        outcome = run(target, chosen.runs or RUNS[target], chosen.work, seed=chosen.seed)
        sys.stdout.write(
            f"{target}: {outcome.executions} inputs, {outcome.coverage} edges covered, "
            f"peak {outcome.peak_rss_mb} MiB resident\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
