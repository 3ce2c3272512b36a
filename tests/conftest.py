"""What every test shares."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine, and no deadline: machines here are shared and noisy.
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)

pytest_plugins = ["tests.engines.plugin"]

_MEMORY = Path("/dev/shm")


@pytest.fixture
def ram() -> Iterator[Path]:
    """A new folder in memory, where there is such: for disks that a test keeps the books of, so that no sync waits."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="unbroken-", dir=where) as folder:
        yield Path(folder)
