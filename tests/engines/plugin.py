"""Real engines as fixtures: each is started once, when a test first asks for it, and ended by its pid."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.gateway import Gateway
from tests.engines.postgres import Postgres
from tests.engines.signed import make_bucket

PLAIN, VERSIONED = "plain", "versioned"
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """An S3 server with a plain bucket and one that keeps every version."""
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        gateway = Gateway(Path(folder) / "s3")
        try:
            gateway.start()
            make_bucket(gateway.endpoint, PLAIN)
            make_bucket(gateway.endpoint, VERSIONED, versioned=True)
            yield gateway
        finally:
            gateway.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server without databases; in memory, where no sync waits, as far as there is such."""
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="engines-", dir=where) as folder:
        Path(folder).chmod(0o711)
        postgres = Postgres(Path(folder) / "postgres")
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.stop()
