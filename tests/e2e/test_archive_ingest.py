"""A real archive over real TLS: what honest units deliver, what lying ones try, and what a lost answer costs."""

import base64
import hashlib
import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from archive.check import check, rebuild
from archive.ingest.app import LINES_TYPE
from archive.parts import open_parts
from audit.verify import verify
from base.durable import Disk
from base.errors import OperatorError
from evidence.lines import line_hash
from evidence.receipt import Acknowledged, read_receipt
from evidence.words import Cause, Mode
from tests.fakes.archive import LIMITS, Reply, RunningArchive, Uplink, timeless_authority
from tests.fakes.faultydisk import FaultyDisk
from tests.fakes.station import SECOND, Station, private_key


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[RunningArchive]:
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    archive.start()
    assert archive.error is None, archive.error
    yield archive
    archive.stop()
    assert archive.error is None, archive.error


def armed_station(archive: RunningArchive, segments: int = 3, **options: object) -> Station:
    station = Station(archive.by, **options)  # type: ignore[arg-type]
    station.begin()
    station.arm()
    station.segments(segments)
    return station


def media_of(station: Station) -> dict[str, bytes]:
    return {hashlib.sha256(data).hexdigest(): data for name, data in station.files.items() if name.endswith(".m4s")}


def head_of(station: Station) -> dict[str, object]:
    return {"seq": len(station.lines) - 1, "sha256": line_hash(station.lines[-1])}


def deliver(uplink: Uplink, station: Station) -> str:
    """Everything; the *stored* receipt."""
    assert uplink.lines(station.lines).status == 200
    media = media_of(station)
    for data in media.values():
        assert uplink.media(data).status in (200, 201)
    receipt = uplink.receipts(sorted(media)).json["receipt"]
    assert isinstance(receipt, str)
    return receipt


def refusal(answer: Reply, member: str = "code") -> object:
    """What the answer says of the refused line."""
    refused = answer.json["refused"]
    assert isinstance(refused, dict), answer
    return refused[member]


def verified(archive: RunningArchive, folder: Path) -> dict[str, Any]:
    """What ``unbroken verify`` says of a copy that has nothing but what the archive holds."""
    shutil.copytree(archive.config.data / "ledgers", folder / "ledgers")
    for each in (archive.config.data / "cas").glob("??/*"):
        shutil.copy(each, folder / f"{each.name}.m4s")
    answer: dict[str, Any] = verify([folder], trust=archive.trust)
    (record,) = answer["records"]
    assert isinstance(record, dict)
    return record


def codes(record: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in record["findings"]}


def again(archive: RunningArchive) -> None:
    """Another process on the same data."""
    archive.stop()
    assert archive.error is None, archive.error
    archive.start()
    assert archive.error is None, archive.error


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
    assert codes(record) == {"init-missing"}, "which follows from any segment"
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


def test_the_first_line_that_does_not_verify_ends_what_is_taken(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    header, payload, signature = station.lines[5].split(b".")
    forged = b".".join([header, payload, signature[:-4] + (b"AAAA" if signature[-4:] != b"AAAA" else b"BBBA")])
    answer = uplink.lines([*station.lines[:5], forged, *station.lines[6:]])
    assert (answer.status, answer.json["head"]) == (422, {"seq": 4, "sha256": line_hash(station.lines[4])})
    assert (refusal(answer, "seq"), refusal(answer)) == (5, "signature-wrong")
    assert archive.ledger() == b"".join(line + b"\n" for line in station.lines[:5])
    assert uplink.lines(station.lines[5:]).status == 200, "it blocks nothing"
    assert archive.ledger() == station.ledger


@pytest.mark.parametrize(
    ("at", "text", "code"),
    [
        (5, b"rubbish", "line-malformed"),
        (5, b"x" * 70_000, "line-too-long"),
        (0, b"rubbish", "line-malformed"),
    ],
)
def test_what_is_no_line_is_refused_by_its_code(archive: RunningArchive, at: int, text: bytes, code: str) -> None:
    station = armed_station(archive)
    answer = archive.uplink().lines([*station.lines[:at], text])
    assert (answer.status, refusal(answer, "seq"), refusal(answer)) == (422, at, code)


def test_a_strange_root_and_a_strange_key_are_refused(archive: RunningArchive) -> None:
    uplink = archive.uplink()
    strange = Station(timeless_authority("another"), seed="strange")
    strange.begin()
    answer = uplink.lines(strange.lines)
    assert (answer.status, answer.json["head"], refusal(answer)) == (422, None, "cert-untrusted")
    station = armed_station(archive)
    station.session = strange.session
    station.segment()
    answer = uplink.lines(station.lines)
    assert (answer.status, refusal(answer)) == (422, "key-unknown")


def test_a_line_behind_the_end_of_the_record_is_refused(archive: RunningArchive) -> None:
    station = armed_station(archive)
    station.close()
    station.gap(seconds=1)
    uplink = archive.uplink()
    answer = uplink.lines(station.lines)
    assert (answer.status, refusal(answer)) == (422, "line-after-close")
    again(archive)
    answer = archive.uplink().lines(station.lines[-1:])
    assert (answer.status, refusal(answer)) == (422, "line-after-close")


def test_another_units_lines_are_refused_whoever_sends_them(archive: RunningArchive) -> None:
    station = armed_station(archive)
    other = archive.uplink(unit="u2", key="other")
    answer = other.lines(station.lines)
    assert (answer.status, answer.json["code"]) == (403, "wrong-unit")
    assert archive.uplink().lines(station.lines).status == 200
    answer = other.media(next(iter(media_of(station).values())))
    assert answer.status == 404, "no line of that unit names it"
    assert other.receipts(sorted(media_of(station))).json == {"receipt": None, "lacks": sorted(media_of(station))}


def test_a_unit_that_names_another_units_media_cannot_deliver_them(archive: RunningArchive) -> None:
    station = armed_station(archive)
    deliver(archive.uplink(), station)
    thief = Station(archive.by, unit="u2", seed="thief")
    thief.begin()
    thief.arm()
    (sha256, data), *_ = media_of(station).items()
    thief.segment(sha256=sha256, size=len(data))
    uplink = archive.uplink(unit="u2", key="thief")
    assert uplink.lines(thief.lines).json["lacks"] == [sha256]
    answer = uplink.media(data)
    assert (answer.status, answer.json["code"]) == (422, "identity-mismatch")
    assert uplink.receipts([sha256]).json == {"receipt": None, "lacks": [sha256]}


def test_only_uplinks_of_the_election_get_in(archive: RunningArchive, tmp_path: Path) -> None:
    by = archive.by
    key = private_key("somebody").public_key()
    for certificate in (by.certify_unit(key, "57-002", "u1"), by.certify_receipts(key), by.certify_archive(key, [])):
        answer = archive.connect("somebody", certificate).lines()
        assert (answer.status, answer.json["code"]) == (403, "wrong-role")
    stranger = timeless_authority("another").certify_uplink(key, "57-002", "u1")
    for refused in (stranger, None):
        with pytest.raises((ssl.SSLError, OSError, HTTPException)):
            archive.connect("somebody", refused).lines()
    ended = by.certify_uplink(key, "57-002", "u1", valid_to=datetime(2001, 1, 1, tzinfo=UTC))
    with pytest.raises((ssl.SSLError, OSError, HTTPException)):
        archive.connect("somebody", ended).lines()


def test_a_revoked_uplink_is_refused_and_its_unit_goes_on_with_a_new_one(archive: RunningArchive) -> None:
    station = armed_station(archive)
    key = private_key("stolen").public_key()
    stolen = archive.by.certify_uplink(key, "57-002", "u1")
    assert archive.connect("stolen", stolen).lines(station.lines[:3]).status == 200
    revoked = archive.folder / "revoked.pem"
    revoked.write_bytes(archive.by.revoke(stolen, datetime(2026, 1, 1, tzinfo=UTC)))
    archive.config = replace(archive.config, revoked=revoked)
    again(archive)
    answer = archive.connect("stolen", stolen).lines(station.lines)
    assert (answer.status, answer.json["code"]) == (403, "cert-revoked")
    assert archive.uplink().lines(station.lines).status == 200


def test_lines_of_a_revoked_unit_are_refused_and_those_from_before_stay(archive: RunningArchive) -> None:
    station = armed_station(archive)
    assert archive.uplink().lines(station.lines[:4]).status == 200
    revoked = archive.folder / "revoked.pem"
    revoked.write_bytes(archive.by.revoke(station.certificate, datetime(2026, 1, 1, tzinfo=UTC)))
    archive.config = replace(archive.config, revoked=revoked)
    again(archive)
    answer = archive.uplink().lines(station.lines[4:])
    assert (answer.status, refusal(answer)) == (422, "cert-revoked")
    assert answer.json["head"] == {"seq": 3, "sha256": line_hash(station.lines[3])}


def test_media_are_refused_where_the_form_is_not_kept(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    uplink.lines(station.lines)
    (sha256, data), *_ = media_of(station).items()
    assert uplink.media(data, sha256.upper()).status == 400
    assert uplink.media(data, Content_Type="application/octet-stream").status == 415
    assert uplink.media(data, Repr_Digest="").status == 400
    assert uplink.media(data, Repr_Digest=f"sha-256=:{base64.b64encode(bytes(32)).decode()}:").status == 400
    assert uplink.media(data, Repr_Digest=f"sha-512=:{base64.b64encode(bytes(64)).decode()}:").status == 400
    assert uplink.media(b"", sha256, Repr_Digest="sha-256=::").status == 400
    digest = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    head = {"Content-Type": "video/mp4", "Repr-Digest": digest}
    long = uplink.send("PUT", f"/v1/media/{sha256}", b"", {**head, "Content-Length": str((64 << 20) + 1)})
    assert long.status == 413
    uplink.close()
    chunked = uplink.send("PUT", f"/v1/media/{sha256}", b"0\r\n\r\n", {**head, "Transfer-Encoding": "chunked"})
    assert chunked.status == 411
    uplink.close()
    assert uplink.media(data, Repr_Digest=f"sha-512=:AA==:, {digest}").status == 201
    assert not list((archive.config.data / "incoming").iterdir())


def test_lines_and_receipts_are_refused_where_the_form_is_not_kept(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    lines = {"Content-Type": LINES_TYPE}
    assert uplink.lines(station.lines, Content_Type="text/plain").status == 415
    assert uplink.send("POST", "/v1/lines", station.ledger[:-1], lines).status == 400
    assert uplink.send("POST", "/v1/lines", b"\n", lines).status == 400
    assert uplink.lines([b"x"] * 2_049).status == 413
    assert uplink.send("POST", "/v1/lines", bytes((1 << 20) + 1), lines).status == 413
    uplink.close()
    for query in ("?from=-1", "?from=x", "?branch=01", "?from=1&branch=1", "?other=1", "?from=1&from=2"):
        assert uplink.lines(query=query).status == 400
    assert uplink.lines(station.lines, "?from=0").status == 400
    for media in ([], ["x"], [1], "x", ["a" * 64] * 2, ["b" * 64, "a" * 64], [f"{n:064x}" for n in range(129)], None):
        assert uplink.receipts(media).status == 400
    assert uplink.send("POST", "/v1/receipts", b"{", {"Content-Type": "application/json"}).status == 400
    assert uplink.send("POST", "/v1/receipts", b"{}", {"Content-Type": "text/plain"}).status == 415
    assert uplink.send("GET", "/v1/lines", b"", {}).status == 405
    assert uplink.send("POST", "/v2/lines", b"", {}).status == 404
    assert not list((archive.config.data / "ledgers").iterdir())


def test_bytes_that_are_not_what_the_line_says_are_refused_and_leave_nothing(archive: RunningArchive) -> None:
    station = armed_station(archive)
    foreign = armed_station(archive, seed="foreign")
    data = station.files[min(name for name in station.files if name.endswith("0.m4s"))]
    swapped = next(iter(media_of(foreign).values()))
    cut = data[: len(data) // 2]
    for wrong in (swapped, cut, b"rubbish"):
        station.segment(sha256=hashlib.sha256(wrong).hexdigest(), size=len(wrong))
    uplink = archive.uplink()
    assert uplink.lines(station.lines).status == 200
    codes = [uplink.media(wrong).json["code"] for wrong in (swapped, cut, b"rubbish")]
    assert codes == ["identity-mismatch", "media-malformed", "media-malformed"]
    changed = uplink.media(data + b"x", hashlib.sha256(data).hexdigest(), Repr_Digest=_digest_of(data))
    assert (changed.status, changed.json["code"]) == (422, "media-changed")
    assert uplink.media(b"never named").status == 404
    assert list((archive.config.data / "cas").glob("??/*")) == []
    assert list((archive.config.data / "incoming").iterdir()) == []
    assert uplink.media(data).status == 201, "it blocks nothing"


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
    head = {"Content-Type": "video/mp4", "Repr-Digest": _digest_of(data), "Content-Length": str(len(data))}
    assert uplink.send("PUT", f"/v1/media/{sha256}", data[:100], head).status == 408
    uplink.close()
    assert list((archive.config.data / "incoming").iterdir()) == []
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


def test_two_branches_are_both_kept_and_the_unit_goes_on_from_its_own(archive: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    common = len(station.lines)
    stood = replace(station.cameras["cam-0"])
    station.segments(2)
    lost = list(station.lines)
    assert uplink.lines(lost).status == 200
    # The power takes the last two lines from the card; the unit goes on without them.
    del station.lines[common:]
    station.cameras["cam-0"] = stood
    before = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
    station.run()
    station.segments(2)
    answer = uplink.lines(station.lines[common:])
    assert (answer.status, answer.json["head"]) == (409, {"seq": common + 1, "sha256": line_hash(lost[-1])})
    for seq, text in enumerate(lost):
        answer = uplink.lines(query=f"?from={seq}")
        assert answer.json == {
            "head": {"seq": seq, "sha256": line_hash(text)},
            "lacks": [],
            "receipt": None,
            "refused": None,
        }
    assert uplink.lines(query=f"?from={len(lost)}").json["head"] is None
    branch = f"?branch={common}"
    answer = uplink.lines(station.lines[common:], branch)
    assert (answer.status, answer.json["head"]) == (200, head_of(station))
    assert uplink.lines(station.lines[common:], branch).body == answer.body
    station.segment()
    assert uplink.lines(station.lines[-1:]).json["head"] == head_of(station), "it follows the head of its branch"
    assert (archive.ledger(0), archive.ledger(1)) == (b"".join(text + b"\n" for text in lost), station.ledger)
    media = media_of(station)
    assert len(media) == 8, "two of them only the lost lines name"
    for data in media.values():
        assert uplink.media(data).status == 201
    again(archive)
    uplink = archive.uplink()
    assert uplink.lines().json["head"] == head_of(station)
    assert [uplink.lines(query=f"?from={seq}").json["head"] for seq in (0, common)] == [
        {"seq": seq, "sha256": line_hash(station.lines[seq])} for seq in (0, common)
    ]
    record = verified(archive, tmp_path / "copy")
    assert codes(record) == {"init-missing", "open-end", "tail-lost"}
    assert record["cameras"][0]["segments"] == 8
    archive.stop()
    with open_parts(archive.config, Disk()) as parts:
        checked = check(parts)
    assert checked.troubles == []
    assert checked.notes == [f"57-002/u1: branches 0 and 1 part at line {common}: tail-lost"]


def test_a_lost_index_is_made_anew_and_nobody_notices(archive: RunningArchive) -> None:
    station = armed_station(archive)
    receipt = deliver(archive.uplink(), station)
    logged = archive.uplink().lines().json
    other = armed_station(archive, unit="u2", seed="two")
    assert archive.uplink(unit="u2", key="two").lines(other.lines).status == 200
    archive.stop()
    for left in archive.folder.glob("index.sqlite*"):
        left.unlink()
    with open_parts(archive.config, Disk()) as parts:
        assert rebuild(parts) == 3
        assert check(parts).troubles == []
    archive.start()
    uplink = archive.uplink()
    assert uplink.lines().json == logged
    assert uplink.receipts(sorted(media_of(station))).json["receipt"] == receipt
    assert len(archive.uplink(unit="u2", key="two").lines().json["lacks"]) == 3  # type: ignore[arg-type]
    station.segment()
    assert uplink.lines(station.lines[-1:]).json["head"] == head_of(station)


def test_an_index_older_than_the_files_heals_at_the_start(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines[:4]).status == 200
    archive.stop()
    old = {path: path.read_bytes() for path in archive.folder.glob("index.sqlite*")}
    archive.start()
    receipt = deliver(archive.uplink(), station)
    archive.stop()
    for path in archive.folder.glob("index.sqlite*"):
        path.unlink()
    for path, held in old.items():
        path.write_bytes(held)
    archive.start()
    uplink = archive.uplink()
    assert uplink.lines().json["head"] == head_of(station)
    assert uplink.receipts(sorted(media_of(station))).json["lacks"] == sorted(media_of(station)), "not yet counted"
    assert deliver(uplink, station) == receipt
    assert archive.ledger() == station.ledger


def test_a_ledger_that_the_index_knows_more_of_is_told_to_a_person(archive: RunningArchive) -> None:
    station = armed_station(archive)
    archive.uplink().lines(station.lines)
    archive.stop()
    path = archive.config.data / "ledgers" / "57-002" / "u1" / "0.jws"
    path.write_bytes(station.ledger[:-10])
    archive.start()
    assert isinstance(archive.error, OperatorError)
    assert "shorter than the index says" in str(archive.error)
    path.write_bytes(station.ledger)
    archive.start()


def test_lost_media_are_missed_at_the_next_receipt_and_asked_for_again(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    deliver(uplink, station)
    (sha256, data), *_ = media_of(station).items()
    archive.object(sha256).unlink()
    assert uplink.receipts([sha256]).json == {"receipt": None, "lacks": [sha256]}
    assert uplink.lines().json["lacks"] == [sha256]
    assert uplink.media(data).status == 201
    assert uplink.receipts([sha256]).json["lacks"] == []


def test_two_archives_never_work_on_one_folder(archive: RunningArchive) -> None:
    with pytest.raises(OperatorError, match="Another process works on"), open_parts(archive.config, Disk()):
        pass


def _digest_of(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
