"""An answer that is cut while the archive is still keeping what it was sent: the same bytes are not wanted again."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.archive import WAIT_S, RunningArchive, Uplink, timeless_authority
from tests.fakes.archive_unit import armed_station, begin_media, media_of
from tests.fakes.delivery_day import CountingDisk

AT_ONCE_S = 0.5
"""An answer that waits for nothing is there long before."""


class SlowDisk(CountingDisk):
    """Nothing gets its name in ``cas/`` before ``go``."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go = threading.Event(), threading.Event()

    def rename(self, old: Path, new: Path) -> None:
        if new.parent.parent.name == "cas":
            self.reached.set()
            assert self.go.wait(WAIT_S)
        super().rename(old, new)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[RunningArchive, SlowDisk]]:
    disk = SlowDisk()
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), disk=disk)
    archive.start()
    yield archive, disk
    disk.go.set()
    archive.stop()
    assert archive.error is None


def send_and_lose_the_answer(archive: RunningArchive, disk: SlowDisk, data: bytes) -> None:
    """All of it is there, and the connection ends before anything is durable."""
    sender = archive.uplink()
    begin_media(sender, hashlib.sha256(data).digest(), len(data))
    sender.open().send(data)
    assert disk.reached.wait(WAIT_S)
    sender.close()


def prepared(archive: RunningArchive) -> tuple[Uplink, bytes, str]:
    station = armed_station(archive)
    uplink = archive.uplink()
    uplink.lines(station.lines)
    data = next(iter(media_of(station).values()))
    return uplink, data, hashlib.sha256(data).hexdigest()


def test_what_is_lacking_is_told_after_what_came_before_is_kept(slow: tuple[RunningArchive, SlowDisk]) -> None:
    archive, disk = slow
    uplink, data, sha256 = prepared(archive)
    send_and_lose_the_answer(archive, disk, data)
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(uplink.lines)
        with pytest.raises(TimeoutError):
            asked.result(AT_ONCE_S)
        disk.go.set()
        lacks = asked.result(WAIT_S).json["lacks"]
    assert isinstance(lacks, list)
    assert lacks
    assert sha256 not in lacks
    assert disk.taken[sha256] == 1


def test_what_comes_again_while_it_is_being_kept_is_not_taken_twice(slow: tuple[RunningArchive, SlowDisk]) -> None:
    archive, disk = slow
    uplink, data, sha256 = prepared(archive)
    send_and_lose_the_answer(archive, disk, data)
    with ThreadPoolExecutor(1) as sending:
        sent = sending.submit(uplink.media, data)
        with pytest.raises(TimeoutError):
            sent.result(AT_ONCE_S)
        disk.go.set()
        assert sent.result(WAIT_S).status == 200
    assert disk.taken[sha256] == 1


def test_lines_do_not_wait_for_media_whose_sender_is_there(slow: tuple[RunningArchive, SlowDisk]) -> None:
    archive, disk = slow
    uplink, data, sha256 = prepared(archive)
    with ThreadPoolExecutor(1) as sending:
        sent = sending.submit(archive.uplink().media, data)
        assert disk.reached.wait(WAIT_S)
        assert sha256 in str(uplink.lines().json["lacks"])
        disk.go.set()
        assert sent.result(WAIT_S).status == 201
