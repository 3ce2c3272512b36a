"""Reading back beside a real archive: what is damaged is told, asked for again, and mended by the unit."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.finding import Oddity
from archive.index.index import Index
from archive.parts import open_parts
from archive.readall import bytes_to_read, read_all
from base.durable import Disk
from tests.fakes.archive import ELECTION, LIMITS, WAIT_S, RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, deliver, media_of


@pytest.fixture
def read(tmp_path: Path) -> Iterator[RunningArchive]:
    """An archive that is not started yet and reads back at once."""
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), limits=replace(LIMITS, readback_mib_s=1_000))
    archive.start()
    archive.stop()
    yield archive
    archive.stop()
    assert archive.error is None, archive.error


def damage(archive: RunningArchive, sha256: str) -> bytes:
    data = archive.object(sha256).read_bytes()[:-1] + b"?"
    archive.object(sha256).write_bytes(data)
    return data


def found(archive: RunningArchive) -> list[tuple[object, str]]:
    index = Index(archive.config.database, ELECTION)
    try:
        return [(row.code, row.detail) for row in index.findings()]
    finally:
        index.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_damaged_is_found_asked_for_again_and_set_aside(read: RunningArchive) -> None:
    read.start()
    station = armed_station(read)
    deliver(read.uplink(), station)
    media = media_of(station)
    damaged, gone, _ = sorted(media)
    read.stop()
    wrong = damage(read, damaged)
    read.object(gone).unlink()
    read.start()
    until(lambda: len(found(read)) == 2)
    assert sorted(found(read), key=str) == [(Oddity.LOST_BY_ARCHIVE, each) for each in (damaged, gone)]
    uplink = read.uplink()
    assert uplink.lines().json["lacks"] in ([damaged, gone], [gone, damaged])
    assert uplink.receipts(sorted(media)).json == {"receipt": None, "lacks": [damaged, gone]}
    for sha256 in (damaged, gone):
        assert uplink.media(media[sha256]).status == 201
        assert read.object(sha256).read_bytes() == media[sha256]
    (aside,) = (read.config.data / "cas" / "damaged").iterdir()
    assert aside.read_bytes() == wrong
    assert isinstance(uplink.receipts(sorted(media)).json["receipt"], str)


def test_check_read_tells_of_every_byte_that_has_changed_and_has_it_asked_for_again(read: RunningArchive) -> None:
    read.start()
    station = armed_station(read)
    deliver(read.uplink(), station)
    media = media_of(station)
    read.stop()
    damaged = min(media)
    damage(read, damaged)
    with open_parts(read.config, Disk()) as parts:
        sizes: list[int] = []
        assert bytes_to_read(parts.index) == sum(map(len, media.values()))
        ((sha256, fault),) = read_all(parts, threads=2, progress=sizes.append)
        assert (sha256, fault[:14]) == (damaged, "its digest is ")
        assert sum(sizes) == bytes_to_read(parts.index) + len(media[damaged])
    read.start()
    uplink = read.uplink()
    assert uplink.lines().json["lacks"] == [damaged]
    assert uplink.media(media[damaged]).status == 201
    read.stop()
    with open_parts(read.config, Disk()) as parts:
        assert read_all(parts, threads=1, progress=sizes.append) == []
