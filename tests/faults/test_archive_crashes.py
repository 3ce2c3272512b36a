"""Every durable step of the archive fails once, done or not, with and without a power cut behind it.

What was acknowledged before must hold after the next start: the very receipts, the very lines, the very bytes.
"""

import gc
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path

import pytest

from archive.check import check
from archive.parts import open_parts
from base.durable import Disk
from tests.fakes.archive import Reply, RunningArchive, Uplink, timeless_authority
from tests.fakes.faultydisk import Failure, FaultyDisk
from tests.fakes.station import SECOND, Station

pytestmark = [
    pytest.mark.faults,
    # An archive that dies in the middle of a request closes no connection; of a process, the kernel does.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What the dead have left open is gone before the next test."""
    yield
    gc.collect()


@dataclass(slots=True)
class Day:
    """What a unit delivers: a ledger whose last lines a power cut takes, and one that goes on without them."""

    lost: list[bytes]
    kept: list[bytes]
    fork: int
    media: dict[str, bytes]


@dataclass(slots=True)
class Acknowledged:
    """What the archive has answered for."""

    logged: dict[str, str] = field(default_factory=dict)
    media: set[str] = field(default_factory=set)
    stored: str | None = None


def day(station: Station) -> Day:
    station.begin()
    station.arm()
    station.segments(2)
    fork, stood = len(station.lines), replace(station.cameras["cam-0"])
    station.segment()
    lost = list(station.lines)
    del station.lines[fork:]
    station.cameras["cam-0"] = stood
    before = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, from_boot=before)
    station.run()
    station.segment()
    files = [data for name, data in station.files.items() if name.endswith(".m4s")]
    return Day(
        lost=lost,
        kept=list(station.lines),
        fork=fork,
        media={hashlib.sha256(data).hexdigest(): data for data in files},
    )


def deliver(uplink: Uplink, day: Day, told: Acknowledged) -> bool:
    """All of the day, as an uplink does that lost its memory: from the start. False where the archive ended."""
    try:
        for texts, query in (
            (day.lost[:3], ""),
            (day.lost[3:], ""),
            (day.kept[day.fork :], f"?branch={day.fork}"),
        ):
            answer = uplink.lines(texts, query)
            if not took(answer, told):
                return False
            lacks = answer.json["lacks"]
            assert isinstance(lacks, list)
            for sha256 in lacks:
                if uplink.media(day.media[sha256]).status not in (200, 201):
                    return False
                told.media.add(sha256)
        answer = uplink.receipts(sorted(day.media))
        if answer.status != 200:
            return False
        receipt = answer.json["receipt"]
        assert isinstance(receipt, str), answer
        assert told.stored in (None, receipt)
        told.stored = receipt
    except (OSError, HTTPException):
        return False
    return True


def took(answer: Reply, told: Acknowledged) -> bool:
    if answer.status != 200:
        return False
    head, receipt = answer.json["head"], answer.json["receipt"]
    assert isinstance(head, dict)
    assert isinstance(receipt, str)
    assert told.logged.setdefault(str(head["sha256"]), receipt) == receipt, "the same bytes each time"
    return True


def file_of(lines: list[bytes]) -> bytes:
    return b"".join(text + b"\n" for text in lines)


def new_archive(folder: Path, disk: FaultyDisk | None = None) -> RunningArchive:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    return RunningArchive(folder, timeless_authority(), disk=disk or FaultyDisk(data))


def steps_of_a_day(folder: Path) -> int:
    archive = new_archive(folder)
    archive.start()
    assert deliver(archive.uplink(), day(Station(archive.by)), Acknowledged())
    archive.stop()
    assert archive.error is None
    assert isinstance(archive.disk, FaultyDisk)
    return len(archive.disk.steps)


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("failure", Failure)
def test_what_was_acknowledged_survives_a_fault_at_every_step(ram: Path, failure: Failure, power_cut: bool) -> None:
    steps = steps_of_a_day(ram / "whole")
    assert steps > 40
    for step in range(steps):
        folder = ram / str(step)
        (folder / "data").mkdir(parents=True)
        archive = new_archive(folder, FaultyDisk(folder / "data", fail_at=step, failure=failure))
        delivered, told = day(Station(archive.by)), Acknowledged()
        archive.start()
        if archive.error is None:
            assert not deliver(archive.uplink(), delivered, told) or archive_outlives(archive, step)
            archive.stop()
        disk = archive.disk
        assert isinstance(disk, FaultyDisk)
        assert disk.failed, step
        if power_cut:
            disk.lose_unsynced(random.Random(step))
        archive.disk = disk = disk.restarted()
        archive.start()
        assert archive.error is None, (step, archive.error)
        # What the start has taken over must be as durable as what is acknowledged.
        archive.stop()
        disk.lose_unsynced()
        archive.disk = disk.restarted()
        archive.start()
        assert archive.error is None, (step, archive.error)
        uplink = archive.uplink()
        for sha256 in told.media:
            assert archive.object(sha256).read_bytes() == delivered.media[sha256], step
            assert uplink.receipts([sha256]).json["lacks"] == [], step
        assert deliver(uplink, delivered, Acknowledged(logged=told.logged, stored=told.stored)), step
        archive.stop()
        assert (archive.ledger(0), archive.ledger(1)) == (file_of(delivered.lost), file_of(delivered.kept)), step
        assert not list((archive.config.data / "incoming").rglob("*.part")), step
        with open_parts(archive.config, Disk()) as parts:
            assert check(parts).troubles == [], step


def archive_outlives(archive: RunningArchive, step: int) -> bool:
    """A fault of a draft that nobody waits for costs nothing but that draft."""
    assert isinstance(archive.disk, FaultyDisk)
    return archive.error is None and archive.disk.steps[step][1].parent.parent.name == "incoming"
