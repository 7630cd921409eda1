"""Archives that nobody should write: an error code or a closure, never a crash.

Whatever loads is then used with canaries around every array, under sanitizers.
"""

from collections.abc import Iterator

import pytest
from bridge.mutants import archives, sealed_manifests
from bridge.sanitized.programs import Probe, build
from bridge.stub_archives import MANIFESTS, archive, field, manifest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fortran_bridge.build import Prefix

ARCHIVE, ENGINE, INTERNAL = 2, 3, 11
MANY = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
VARIANTS = st.integers(0, 63)

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def probe(prefix: Prefix) -> Iterator[Probe]:
    """A sanitized process that no single allocation beyond 256 MiB is granted."""
    build(prefix.fortran_source)
    with Probe(max_allocation_size_mb=256, hard_rss_limit_mb=2048) as running:
        yield running


@MANY
@given(mutant=sealed_manifests(), variant=VARIANTS)
def test_mutated_manifests(probe: Probe, mutant: bytes, variant: int) -> None:
    status, message = probe.load(mutant, variant)
    assert status in (0, ARCHIVE, ENGINE), message
    assert (status == 0) == (message == "")
    assert len(message) < 1000


@MANY
@given(mutant=archives(), variant=VARIANTS)
def test_mutated_archives(probe: Probe, mutant: bytes, variant: int) -> None:
    status, message = probe.load(mutant, variant)
    assert status in (0, ARCHIVE, ENGINE), message
    assert (status == 0) == (message == "")
    assert len(message) < 1000


@pytest.mark.parametrize("variant", range(64))
@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_nothing_outside_bound_arrays_is_written(probe: Probe, name: str, variant: int) -> None:
    status, message = probe.load(archive(MANIFESTS[name]), variant)
    assert status == (ENGINE if name == "failing" else 0), message


@pytest.mark.parametrize("function", ["open", "prepare", "run"])
def test_a_message_that_an_engine_does_not_end(probe: Probe, function: str) -> None:
    status, message = probe.load(archive(manifest([field(f"endless_{function}")])))
    assert status == ENGINE
    said, letters = message.rsplit(" ", 1)
    assert said.endswith(":")
    assert letters == 4095 * "e"
