"""Ledgers, lines, receipts and trust files of a real archive, over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.client import IncompleteRead

import pytest
from cryptography import x509

from archive.site.proofs import LINES_TYPE, MOST_LINES
from archive.site.sending import Span, cut, pieces, read_range
from evidence.certificate import Trust
from evidence.receipt import read_receipt
from tests.fakes.archive import RunningArchive, timeless_authority
from tests.fakes.archive_unit import armed_station, deliver, media_of
from tests.fakes.listsite import ListSite
from tests.fakes.station import Station, private_key

LEDGER = "/ledger/57-002/u1"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    running = RunningArchive(tmp_path_factory.mktemp("archive"), timeless_authority())
    revoked = running.folder / "keys/revoked.pem"
    other = running.by.certify_unit(private_key("other").public_key(), "1-1", "u1")
    revoked.write_bytes(running.by.revoke(other, datetime(2026, 5, 1, tzinfo=UTC)) + b"a remark\n")
    running.config = replace(running.config, revoked=revoked)
    running.config.trust.write_bytes(running.by.root_pem + b"\nwhat nobody is to see\n")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def station(archive: RunningArchive) -> Station:
    """A unit of whose ledger 300 lines have come."""
    station = armed_station(archive, 3)
    while len(station.lines) < MOST_LINES + 44:
        station.event("opened")
    deliver(archive.uplink(), station)
    return station


@pytest.fixture(scope="module")
def site(archive: RunningArchive, station: Station) -> Iterator[ListSite]:
    assert station.lines
    with ListSite(archive) as running:
        running.publish()
        yield running


def test_a_ledger_is_sent_as_the_station_wrote_it(site: ListSite, station: Station) -> None:
    answer = site.get(f"{LEDGER}/0.jws")
    assert answer.status == 200
    assert answer.body == station.ledger
    assert answer.headers["Content-Type"] == LINES_TYPE
    assert answer.headers["Cache-Control"] == "max-age=2"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_the_index_does_not_know_of_a_ledger_is_not_sent(
    site: ListSite, archive: RunningArchive, station: Station
) -> None:
    path = archive.config.data / "ledgers/57-002/u1/0.jws"
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn")
    try:
        assert site.get(f"{LEDGER}/0.jws").body == station.ledger
        assert site.get(f"{LEDGER}/0.jws", Range="bytes=-5").body == station.ledger[-5:]
    finally:
        path.write_bytes(whole)


def test_a_ledger_that_is_shorter_than_promised_breaks_off(
    site: ListSite, archive: RunningArchive, station: Station
) -> None:
    path = archive.config.data / "ledgers/57-002/u1/0.jws"
    path.write_bytes(station.ledger[:-9])
    try:
        with pytest.raises(IncompleteRead):
            site.get(f"{LEDGER}/0.jws")
        path.rename(path.with_suffix(".away"))
        assert site.get(f"{LEDGER}/0.jws").status == 503
    finally:
        path.with_suffix(".away").unlink()
        path.write_bytes(station.ledger)


def test_a_download_goes_on_where_it_stopped(site: ListSite, station: Station) -> None:
    size = len(station.ledger)
    answer = site.get(f"{LEDGER}/0.jws", Range="bytes=1000-")
    assert answer.status == 206
    assert answer.body == station.ledger[1000:]
    assert answer.headers["Content-Range"] == f"bytes 1000-{size - 1}/{size}"
    beyond = site.get(f"{LEDGER}/0.jws", Range=f"bytes={size}-")
    assert beyond.status == 416
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    head = site.get(f"{LEDGER}/0.jws", "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(size))


def test_lines_are_sent_all_or_none_and_never_change(site: ListSite, station: Station) -> None:
    answer = site.get(f"{LEDGER}/0/10-12.jws")
    assert answer.body == b"".join(line + b"\n" for line in station.lines[10:13])
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    last = len(station.lines) - 1
    assert site.get(f"{LEDGER}/0/{last}-{last}.jws").body == station.lines[-1] + b"\n"
    early = site.get(f"{LEDGER}/0/{last}-{last + 1}.jws")
    assert early.status == 404
    assert early.headers["Cache-Control"] == "max-age=1"
    assert site.get(f"{LEDGER}/0/0-{MOST_LINES - 1}.jws").body.count(b"\n") == MOST_LINES


@pytest.mark.parametrize(
    "path",
    [
        f"{LEDGER}/0/0-{MOST_LINES}.jws",
        f"{LEDGER}/0/5-4.jws",
        f"{LEDGER}/0/00-4.jws",
        f"{LEDGER}/0/-4.jws",
        f"{LEDGER}/00/0-4.jws",
        f"{LEDGER}/1/0-4.jws",
        f"{LEDGER}/1.jws",
        f"{LEDGER}/0.jws.part",
        f"{LEDGER}/..%2F0.jws",
        "/ledger/57-002/u2/0.jws",
        "/ledger/57-002/u2/branches.json",
        "/ledger/57-002/%2e%2e/branches.json",
        "/receipts/57-002/u2.jws",
        "/receipts/57-002/u1",
    ],
)
def test_what_is_not_there_is_not_found(site: ListSite, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "max-age=1"


def test_an_address_takes_no_query_so_that_a_cache_holds_each_once(site: ListSite) -> None:
    assert site.get(f"{LEDGER}/0.jws?1").status == 400


def test_the_branches_of_a_unit_are_told(site: ListSite, station: Station) -> None:
    (told,) = json.loads(site.get(f"{LEDGER}/branches.json").body)["branches"]
    assert (told["branch"], told["parent"], told["from_seq"]) == (0, None, 0)
    assert told["head_seq"] == len(station.lines) - 1
    assert told["size_bytes"] == len(station.ledger)
    assert told["current"]
    assert not told["closed"]


def test_lines_that_a_branch_has_from_its_parent_are_sent_from_it_too(site: ListSite, archive: RunningArchive) -> None:
    first = armed_station(archive, 3, unit="u4", seed="four")
    uplink = archive.uplink(unit="u4")
    deliver(uplink, first)
    lost = first.lines[-1]
    del first.lines[-1]
    first.reboot()
    first.start("power")
    assert uplink.lines(first.lines[-1:], f"?branch={len(first.lines) - 1}").status == 200
    path = "/ledger/57-002/u4"
    assert [each["current"] for each in json.loads(site.get(f"{path}/branches.json").body)["branches"]] == [False, True]
    last = len(first.lines) - 1
    assert site.get(f"{path}/1.jws").body == first.ledger
    assert site.get(f"{path}/1/{last - 2}-{last}.jws").body == b"".join(line + b"\n" for line in first.lines[-3:])
    assert site.get(f"{path}/0/{last}-{last}.jws").body == lost + b"\n"


def test_the_receipts_of_a_unit_verify(site: ListSite, archive: RunningArchive, station: Station) -> None:
    answer = site.get("/receipts/57-002/u1.jws")
    assert answer.body.endswith(b"\n")
    receipts = [read_receipt(line, archive.trust) for line in answer.body.decode().splitlines()]
    assert {receipt.unit for receipt in receipts} == {"u1"}
    assert set(media_of(station)) <= {sha256 for receipt in receipts for sha256 in receipt.media}


def test_of_trust_files_only_certificates_and_lists_are_sent(site: ListSite, archive: RunningArchive) -> None:
    trust, revoked = site.get("/trust.pem"), site.get("/revoked.pem")
    assert trust.body == archive.by.root_pem
    assert x509.load_pem_x509_crl(revoked.body)
    assert b"remark" not in revoked.body
    assert Trust.from_pem(trust.body, revoked.body).roots


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("", None),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=-", None),
        ("bytes=5-3", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=٣-", None),
    ],
)
def test_a_range_is_read_as_rfc_9110_says(header: str, asked: tuple[int, int] | None) -> None:
    assert read_range(header, 10) == asked


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_of_nothing_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        read_range(header, 10)


def test_pieces_of_many_spans_are_what_was_asked_for() -> None:
    spans = [Span(offset=0, size=3), Span(offset=10, size=600_000), Span(offset=700_000, size=5)]
    text = [each for span in spans for each in range(span.offset, span.offset + span.size)]
    for begin, end in ((0, 600_008), (2, 5), (100, 600_004), (600_007, 600_008)):
        groups = list(pieces(cut(spans, begin, end)))
        flat = [each for group in groups for span in group for each in range(span.offset, span.offset + span.size)]
        assert flat == text[begin:end]
        assert all(sum(span.size for span in group) <= 1 << 18 for group in groups)
