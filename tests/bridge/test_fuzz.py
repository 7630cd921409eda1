"""A short campaign of the coverage-guided fuzzers; `make fuzz` runs a long one."""

from pathlib import Path

import pytest
from bridge.fuzz.campaign import RSS_LIMIT_MB, RUNS, build, missing, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("target", sorted(RUNS))
def test_short_campaign(target: str, tmp_path: Path) -> None:
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    build()
    outcome = run(target, 5000, tmp_path)
    assert outcome.executions >= 5000
    assert outcome.coverage > 100
    assert outcome.peak_rss_mb <= RSS_LIMIT_MB
