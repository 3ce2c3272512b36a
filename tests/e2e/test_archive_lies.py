"""What the archive refuses over real TLS, with which words, and that it blocks nothing else."""

import base64
import hashlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import pytest

from archive.ingest.app import LINES_TYPE
from evidence.lines import line_hash
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import (
    again,
    armed_station,
    deliver,
    digest_header,
    media_of,
    refusal,
)
from tests.fakes.station import Station, private_key


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
    assert not list((archive.config.data / "incoming").rglob("*.part"))


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
    changed = uplink.media(data + b"x", hashlib.sha256(data).hexdigest(), Repr_Digest=digest_header(data))
    assert (changed.status, changed.json["code"]) == (422, "media-changed")
    assert uplink.media(b"never named").status == 404
    assert list((archive.config.data / "cas").glob("??/*")) == []
    assert list((archive.config.data / "incoming").rglob("*.part")) == []
    assert uplink.media(data).status == 201, "it blocks nothing"
