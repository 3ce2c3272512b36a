"""A real archive over real TLS: what honest units deliver, and what a lost answer or too much at once costs."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from archive.ingest.app import LINES_TYPE
from evidence.lines import line_hash
from evidence.receipt import Acknowledged, read_receipt
from evidence.words import Mode
from tests.fakes.archive import LIMITS, RunningArchive, timeless_authority
from tests.fakes.archive_unit import (
    again,
    armed_station,
    codes,
    deliver,
    digest_header,
    head_of,
    media_of,
    verified,
)
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import SECOND, Station


def test_a_ledger_then_its_media_then_receipts_for_both(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines().json == {"head": None, "lacks": [], "receipt": None, "refused": None}
    answer = uplink.lines(station.lines)
    assert (answer.status, answer.json["head"], answer.json["refused"]) == (200, head_of(station), None)
    assert archive.ledger() == station.ledger
    media = media_of(station)
    assert answer.json["lacks"] == list(reversed(media)), "the newest first"
    logged = read_receipt(str(answer.json["receipt"]), archive.trust)
    assert (logged.kind, logged.seq, logged.sha256) == (Acknowledged.LOGGED, 7, head_of(station)["sha256"])
    for sha256, data in media.items():
        assert uplink.media(data).status == 201
        assert archive.object(sha256).read_bytes() == data
    assert uplink.lines().json["lacks"] == []
    answer = uplink.receipts(sorted(media))
    assert (answer.status, answer.json["lacks"]) == (200, [])
    stored = read_receipt(str(answer.json["receipt"]), archive.trust)
    assert (stored.kind, stored.media) == (Acknowledged.STORED, tuple(sorted(media)))
    assert (stored.station, stored.unit, stored.archive) == ("57-002", "u1", "centre")


def test_what_the_archive_keeps_verifies_like_the_units_own_disk(archive: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(archive)
    station.close()
    deliver(archive.uplink(), station)
    record = verified(archive, tmp_path / "copy")
    assert record["closed"] is True
    assert codes(record) == set(), "init segments follow from any segment"
    assert record["cameras"][0]["segments"] == 3


def test_every_request_twice_changes_nothing_and_is_answered_alike(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    first = uplink.lines(station.lines)
    assert uplink.lines(station.lines) == replace(first, headers=uplink.lines(station.lines).headers)
    assert uplink.lines(station.lines[3:]).body == first.body, "a part of what is known"
    assert uplink.lines().body == first.body
    for data in media_of(station).values():
        assert [uplink.media(data).status for _ in range(2)] == [201, 200]
    receipt = uplink.receipts(sorted(media_of(station))).body
    archive.clock.advance(3600 * SECOND)
    assert uplink.receipts(sorted(media_of(station))).body == receipt, "the very same bytes, an hour later"
    again(archive)
    uplink = archive.uplink()
    assert uplink.receipts(sorted(media_of(station))).body == receipt
    assert uplink.lines(station.lines).json["receipt"] == first.json["receipt"]
    assert archive.ledger() == station.ledger


def test_a_dropped_answer_costs_nothing_but_the_asking_again(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    digests = {sha256: base64.b64encode(bytes.fromhex(sha256)).decode() for sha256 in media_of(station)}
    uplink.send_and_hang_up("POST", "/v1/lines", station.ledger, {"Content-Type": LINES_TYPE})
    assert uplink.lines(station.lines).json["head"] == head_of(station)
    for sha256, data in media_of(station).items():
        headers = {"Content-Type": "video/mp4", "Repr-Digest": f"sha-256=:{digests[sha256]}:"}
        uplink.send_and_hang_up("PUT", f"/v1/media/{sha256}", data, headers)
        assert uplink.media(data).status in (200, 201)
    assert archive.ledger() == station.ledger
    assert uplink.lines().json["lacks"] == []


def test_a_unit_is_told_of_no_more_missing_media_than_it_asks_for(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines, "?lacks=0").json["lacks"] == []
    whole = uplink.lines().json["lacks"]
    assert isinstance(whole, list)
    assert len(whole) == len(media_of(station)) > 1
    assert uplink.lines((), "?lacks=1").json["lacks"] == whole[:1], "the newest"
    assert uplink.lines((), "?lacks=some").status == 400


def test_lines_in_many_requests_are_one_ledger(archive: RunningArchive) -> None:
    station = armed_station(archive, segments=20)
    uplink = archive.uplink()
    for text in station.lines:
        assert uplink.lines([text]).status == 200
    assert archive.ledger() == station.ledger
    again(archive)
    station.segment()
    assert archive.uplink().lines(station.lines[-1:]).json["head"] == head_of(station)
    assert archive.ledger() == station.ledger


def test_lines_that_do_not_follow_the_head_are_told_where_it_is(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    answer = uplink.lines(station.lines[2:])
    assert (answer.status, answer.json["head"]) == (409, None)
    assert uplink.lines(station.lines[:4]).status == 200
    answer = uplink.lines(station.lines[5:])
    assert (answer.status, answer.json["head"]) == (409, {"seq": 3, "sha256": line_hash(station.lines[3])})
    assert uplink.lines(station.lines[2:]).json["head"] == head_of(station), "what is known may come along"


def test_unarmed_media_are_neither_asked_for_nor_taken(archive: RunningArchive) -> None:
    station = Station(archive.by)
    station.begin()
    station.segments(2)
    (unarmed, *_) = media_of(station).values()
    station.arm(Mode.TEST)
    station.segment()
    uplink = archive.uplink()
    (armed,) = set(media_of(station)) - {
        hashlib.sha256(station.files[n]).hexdigest() for n in sorted(station.files)[:2]
    }
    assert uplink.lines(station.lines).json["lacks"] == [armed]
    assert uplink.media(unarmed).status == 404


def test_what_the_unit_has_pruned_is_not_asked_for(archive: RunningArchive) -> None:
    station = armed_station(archive)
    station.pruned("cam-0", 0, 2, drop=False)
    answer = archive.uplink().lines(station.lines)
    assert answer.json["lacks"] == [list(media_of(station))[2]]


def test_backfill_waits_before_live_does(tmp_path: Path) -> None:
    limits = replace(LIMITS, in_flight_mib=64, backfill_mib=0)
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), limits=limits)
    archive.start()
    try:
        station = armed_station(archive)
        uplink = archive.uplink()
        uplink.lines(station.lines)
        data = next(iter(media_of(station).values()))
        shed = uplink.media(data, Priority="u=6")
        assert (shed.status, shed.headers["Retry-After"]) == (503, "5")
        uplink.close()
        assert uplink.media(data, Priority="u=1").status == 201
    finally:
        archive.stop()


def test_a_full_disk_takes_nothing_and_says_when_to_come_again(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), limits=replace(LIMITS, free_mib=1 << 30))
    archive.start()
    try:
        answer = archive.uplink().lines(armed_station(archive).lines)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    finally:
        archive.stop()


def test_a_disk_that_fills_while_media_come_refuses_them_and_goes_on(ram: Path) -> None:
    (ram / "archive" / "data").mkdir(parents=True)
    disk = FaultyDisk(ram / "archive" / "data")
    archive = RunningArchive(ram / "archive", timeless_authority(), disk=disk)
    archive.start()
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines).status == 200
    data = next(iter(media_of(station).values()))
    disk.full = True
    answer = uplink.media(data)
    assert (answer.status, answer.json["code"], answer.headers["Retry-After"]) == (503, "disk", "60")
    disk.full = False
    uplink.close()
    assert uplink.media(data).status == 201
    archive.stop()
    assert archive.error is None


def test_a_body_that_stalls_is_given_up_and_leaves_nothing(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), limits=replace(LIMITS, stall_s=1))
    archive.start()
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines).status == 200
    (sha256, data), *_ = media_of(station).items()
    head = {"Content-Type": "video/mp4", "Repr-Digest": digest_header(data), "Content-Length": str(len(data))}
    assert uplink.send("PUT", f"/v1/media/{sha256}", data[:100], head).status == 408
    uplink.close()
    assert list((archive.config.data / "incoming").rglob("*.part")) == []
    uplink.send_and_hang_up("PUT", f"/v1/media/{sha256}", data[:100], head)
    assert uplink.media(data).status == 201
    archive.stop()
    assert archive.error is None


def test_many_units_at_once_are_each_served_as_if_alone(archive: RunningArchive) -> None:
    stations = [armed_station(archive, unit=f"u{number}", seed=f"unit-{number}") for number in range(6)]
    uplinks = [archive.uplink(unit=station.unit, key=station.seed) for station in stations]
    with ThreadPoolExecutor(len(stations)) as threads:
        receipts = list(threads.map(deliver, uplinks, stations))
    for station, receipt in zip(stations, receipts, strict=True):
        assert archive.ledger(unit=station.unit) == station.ledger
        read = read_receipt(receipt, archive.trust)
        assert (read.unit, read.media) == (station.unit, tuple(sorted(media_of(station))))


def test_one_unit_on_two_connections_at_once_has_one_ledger(archive: RunningArchive) -> None:
    station = armed_station(archive, segments=12)
    uplinks = [archive.uplink() for _ in range(4)]
    with ThreadPoolExecutor(len(uplinks)) as threads:
        receipts = set(threads.map(deliver, uplinks, [station] * len(uplinks)))
    assert len(receipts) == 1
    assert archive.ledger() == station.ledger


def test_without_the_time_lines_are_kept_and_nothing_is_acknowledged_by_signature(archive: RunningArchive) -> None:
    archive.clock.set_utc(None)
    station = armed_station(archive)
    uplink = archive.uplink()
    answer = uplink.lines(station.lines)
    assert (answer.status, answer.json["receipt"], answer.json["head"]) == (200, None, head_of(station))
    for data in media_of(station).values():
        assert uplink.media(data).status == 201
    assert uplink.receipts(sorted(media_of(station))).status == 503
    archive.clock.set_utc(1_800_000_000_000_000)
    assert uplink.receipts(sorted(media_of(station))).status == 200
    assert uplink.lines().json["receipt"] is not None
