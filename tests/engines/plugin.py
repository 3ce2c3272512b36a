"""Real engines as fixtures: each is started once, when a test first asks for it, and ended by its pid."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.gateway import Gateway
from tests.engines.postgres import Postgres
from tests.engines.signed import make_bucket

PLAIN, VERSIONED = "plain", "versioned"


@pytest.fixture(scope="session")
def engines_folder() -> Iterator[Path]:
    """A short path, for sockets, that the users of engines can enter."""
    folder = Path(tempfile.mkdtemp(prefix="engines-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def gateway(engines_folder: Path) -> Iterator[Gateway]:
    """An S3 server with a plain bucket and one that keeps every version."""
    gateway = Gateway(engines_folder / "s3")
    try:
        gateway.start()
        make_bucket(gateway.endpoint, PLAIN)
        make_bucket(gateway.endpoint, VERSIONED, versioned=True)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="session")
def postgres(engines_folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL server without databases."""
    postgres = Postgres(engines_folder / "postgres")
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()
