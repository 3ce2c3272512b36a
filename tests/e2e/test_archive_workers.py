"""Several processes that receive behind one committer: what units see is what one process shows them."""

import asyncio
import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from archive.ingest.commitclient import open_commits
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from evidence.receipt import read_receipt
from tests.fakes.archive import RunningArchive, Uplink
from tests.fakes.archive_process import WAIT_S, ArchiveProcess
from tests.fakes.archive_unit import armed_station, begin_media, deliver, head_of, media_of
from tests.fakes.station import Station

ONE = UnitName(station="57-002", unit="u1")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[ArchiveProcess]:
    archive = ArchiveProcess(tmp_path / "archive", workers=2)
    archive.start()
    yield archive
    archive.stop()


def in_the_middle_of_a_body(archive: ArchiveProcess) -> tuple[Station, Uplink, bytes]:
    """A unit whose lines are there, and half of its first segment."""
    station = armed_station(archive.keys)
    uplink = archive.keys.uplink()
    assert uplink.lines(station.lines).status == 200
    (sha256, data), *_ = media_of(station).items()
    begin_media(uplink, bytes.fromhex(sha256), len(data))
    uplink.open().send(data[: len(data) // 2])
    return station, uplink, data


def test_many_units_deliver_to_whichever_worker_and_each_has_one_ledger(archive: ArchiveProcess) -> None:
    assert len(archive.workers()) == 2
    keys: RunningArchive = archive.keys
    stations = [armed_station(keys, unit=f"u{number}", seed=f"unit-{number}") for number in range(8)]
    uplinks = [keys.uplink(unit=station.unit, key=station.seed) for station in stations for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(deliver, uplinks, [station for station in stations for _ in range(2)]))
    for number, station in enumerate(stations):
        assert receipts[2 * number] == receipts[2 * number + 1], "the same bytes, whoever was asked"
        assert keys.ledger(unit=station.unit) == station.ledger
        assert read_receipt(receipts[2 * number], keys.trust).media == tuple(sorted(media_of(station)))
    assert archive.end(signal.SIGTERM) == 0
    assert archive.check().stdout == f"Checked 8 units: {8 * len(stations[0].lines)} lines, 24 media.\nNo findings.\n"


def test_every_request_twice_on_many_connections_is_answered_alike(archive: ArchiveProcess) -> None:
    station = armed_station(archive.keys)
    uplinks = [archive.keys.uplink() for _ in range(8)]
    assert len({uplink.lines(station.lines).body for uplink in uplinks}) == 1
    for data in media_of(station).values():
        assert [uplink.media(data).status for uplink in uplinks] == [201] + [200] * 7
    bodies = {uplink.receipts(sorted(media_of(station))).body for uplink in uplinks}
    assert len(bodies) == 1
    assert archive.end(signal.SIGTERM) == 0
    archive.keys.hang_up()
    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines().json["head"] == head_of(station)
    assert {uplink.receipts(sorted(media_of(station))).body} == bodies


def test_a_no_of_the_committer_reaches_the_unit_as_it_was_said(archive: ArchiveProcess) -> None:
    station = armed_station(archive.keys)
    uplink = archive.keys.uplink()
    forged = [*station.lines[:5], station.lines[5][:-4] + b"AAAA"]
    answer = uplink.lines(forged)
    assert (answer.status, answer.json["head"]) == (422, {"seq": 4, "sha256": answer.json["head"]["sha256"]})  # type: ignore[index]
    assert answer.json["refused"]["code"] == "signature-wrong"  # type: ignore[index]
    assert uplink.lines(station.lines[6:]).status == 409
    assert uplink.lines(query="?from=2").json["head"]["seq"] == 2  # type: ignore[index]
    other = archive.keys.uplink(unit="u2", key="other").lines(station.lines)
    assert (other.status, other.json["code"]) == (403, "wrong-unit")


def test_a_worker_that_is_killed_in_the_middle_of_a_body_ends_all_and_costs_that_body(archive: ArchiveProcess) -> None:
    station, uplink, _ = in_the_middle_of_a_body(archive)
    for each in archive.workers()[:1]:
        os.kill(each, signal.SIGKILL)
    assert archive.wait() == 1
    uplink.close()
    archive.keys.hang_up()
    archive.start()
    assert not list((archive.keys.config.data / "incoming").rglob("*.part"))
    deliver(archive.keys.uplink(), station)
    assert archive.end(signal.SIGTERM) == 0
    assert archive.check().returncode == 0


def test_workers_do_not_outlive_a_parent_that_is_killed(archive: ArchiveProcess) -> None:
    station, uplink, _ = in_the_middle_of_a_body(archive)
    workers = archive.workers()
    assert archive.end(signal.SIGKILL) == -signal.SIGKILL
    archive.until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers))
    with pytest.raises((OSError, HTTPException)):
        uplink.open().getresponse()
    archive.keys.hang_up()
    archive.start()
    uplink = archive.keys.uplink()
    assert uplink.lines().json["head"] == head_of(station), "what was acknowledged is there"
    deliver(uplink, station)
    assert archive.end(signal.SIGTERM) == 0
    assert archive.check().returncode == 0


def test_an_orderly_end_lets_a_body_that_has_begun_arrive(archive: ArchiveProcess) -> None:
    _, uplink, data = in_the_middle_of_a_body(archive)
    assert archive.process is not None
    archive.process.send_signal(signal.SIGTERM)
    archive.until(lambda: not archive.listens())
    connection = uplink.open()
    connection.send(data[len(data) // 2 :])
    assert connection.getresponse().status == 201
    assert archive.process.wait(WAIT_S) == 0
    assert archive.check().returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_others_reach_the_committer_by_a_socket_of_its_owner(tmp_path: Path, workers: int) -> None:
    archive = ArchiveProcess(tmp_path / ("deep" * 30) / "archive", workers)
    archive.start()
    try:
        station = armed_station(archive.keys)
        path = archive.keys.config.data / "run" / "commits.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

        async def bring() -> None:
            async with open_commits(archive.keys.config.data) as commits:
                answer = await commits.lines(ONE, station.lines, branch=None, by="a" * 64)
                assert answer.head == (len(station.lines) - 1, head_of(station)["sha256"])
                assert (await commits.line_at(ONE, 2)).head is not None
                receipt, lacks = await commits.receipt(ONE, tuple(sorted(media_of(station))))
                assert (receipt, lacks) == (None, tuple(sorted(media_of(station))))
                other = UnitName(station="57-002", unit="u2")
                with pytest.raises(RefusedError) as caught:
                    await commits.lines(other, station.lines, branch=None, by="a" * 64)
                assert (caught.value.status, caught.value.code) == (403, "wrong-unit")

        asyncio.run(bring())
        assert archive.keys.uplink().lines().json["head"] == head_of(station)
        assert archive.end(signal.SIGTERM) == 0
        assert not path.exists()
        with pytest.raises(OSError, match="gives no answer"):
            asyncio.run(bring())
    finally:
        archive.stop()
