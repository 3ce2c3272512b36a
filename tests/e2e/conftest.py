"""What tests of whole programs share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.archive import RunningArchive, timeless_authority


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[RunningArchive]:
    """An archive that listens; it must not end by itself."""
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    archive.start()
    assert archive.error is None, archive.error
    yield archive
    archive.stop()
    assert archive.error is None, archive.error


@pytest.fixture(params=["served", "idle"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningArchive]:
    """An archive that serves, or one that does not run while a courier comes."""
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    if request.param == "served":
        archive.start()
    yield archive
    if request.param == "served":
        archive.stop()
    assert archive.error is None, archive.error
