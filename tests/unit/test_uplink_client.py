"""One exchange with the archive: what counts as an answer, and what lies in the way of what is urgent."""

import asyncio
import hashlib
import json
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractStreamWriter

from appliance.uplink.answers import BusyError, LinesAnswer, ReceiptAnswer, Refused, Reply
from appliance.uplink.body import Body, chunk_bytes
from appliance.uplink.buffers import hold_little, unacknowledged_bytes, unsent_bytes
from appliance.uplink.client import ArchiveClient, Taken, Urgency
from appliance.uplink.proven import ProvenTime
from appliance.uplink.tls import archive_context
from base.errors import PeerError
from evidence.certificate import Trust
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import write_key
from tests.fakes.link import EmulatedLink
from tests.fakes.station import NOON_US, Station, authority

GOOD: dict[str, object] = {"head": None, "lacks": [], "receipt": None, "refused": None}
JSON = {"Content-Type": "application/json; charset=utf-8"}


def _reply(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=JSON if headers is None else headers, body=data)


def test_an_answer_of_the_page_is_read_and_unknown_members_are_ignored() -> None:
    head = {"seq": 4, "sha256": "h" * 43, "more": 1}
    answer = _reply({**GOOD, "head": head, "lacks": ["0" * 64], "more": {}}).read(LinesAnswer)
    assert answer.head is not None
    assert (answer.head.seq, answer.lacks) == (4, ("0" * 64,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"head": null, "head": null, "lacks": [], "receipt": null, "refused": null}',
        {},
        {**GOOD, "head": 4},
        {**GOOD, "head": {"seq": -1, "sha256": "h" * 43}},
        {**GOOD, "head": {"seq": 1, "sha256": "short"}},
        {**GOOD, "lacks": None},
        {**GOOD, "lacks": ["../../etc/passwd"]},
        {**GOOD, "lacks": ["0" * 64] * 513},
        {**GOOD, "receipt": "x" * 20_000},
        {**GOOD, "refused": {"seq": 1}},
        {**GOOD, "refused": {"seq": 1, "code": "NO CODE", "message": ""}},
    ],
)
def test_anything_else_is_no_answer(body: object) -> None:
    with pytest.raises(PeerError) as caught:
        _reply(body).read(LinesAnswer)
    assert caught.value.retry


@pytest.mark.parametrize("body", [{}, {"receipt": 1, "lacks": []}, {"receipt": None, "lacks": ["0" * 64] * 129}])
def test_nor_is_anything_else_a_receipt(body: object) -> None:
    with pytest.raises(PeerError):
        _reply(body).read(ReceiptAnswer)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html"}, {"Content-Type": "application/jsonp"}])
def test_an_answer_says_that_it_is_json(headers: dict[str, str]) -> None:
    with pytest.raises(PeerError):
        _reply(GOOD, headers=headers).read(LinesAnswer)


@pytest.mark.parametrize("status", [100, 201, 204, 301, 302, 307, 400, 401, 404, 407, 500, 502, 511])
def test_a_status_that_the_page_does_not_give_is_no_answer(status: int) -> None:
    with pytest.raises(PeerError, match=str(status)):
        _reply(b"", status).require(200)


@pytest.mark.parametrize("status", [429, 503])
def test_an_archive_that_is_busy_says_for_how_long(status: int) -> None:
    with pytest.raises(BusyError) as caught:
        _reply(b"", status, {"Retry-After": "12"}).require(200)
    assert caught.value.pause_s == 12
    with pytest.raises(BusyError) as caught:
        _reply(b"", status, {}).require(200)
    assert caught.value.pause_s is None


def test_requests_and_answers_are_those_of_the_page(tmp_path: Path) -> None:
    by = authority()
    unit = Station(by)
    unit.begin()
    unit.arm()
    unit.segments(2)
    files = {hashlib.sha256(data).hexdigest(): data for name, data in unit.files.items() if name.endswith(".m4s")}
    first, second = files

    async def talk() -> None:
        async with ArchivePeer(by, tmp_path / "archive") as archive, _client(tmp_path, archive) as client:
            assert (await client.lines()).head is None
            assert await client.media(first, files[first], Urgency.LIVE, _now) is Taken.NAMED_BY_NO_LINE
            answer = await client.lines(unit.ledger)
            assert answer.head is not None
            assert answer.head.seq == len(unit.lines) - 1
            assert answer.lacks == (second, first)
            at = (await client.lines(at=1)).head
            assert at is not None
            assert at.seq == 1
            wrong = await client.media(first, files[second], Urgency.BACKFILL, _now)
            assert isinstance(wrong, Refused)
            assert (wrong.code, wrong.seq) == ("media-changed", None)
            for _ in range(2):
                assert await client.media(first, files[first], Urgency.LIVE, _now) is Taken.STORED
            asked = sorted(files)
            missing = await client.receipt(asked)
            assert (missing.receipt, missing.lacks) == (None, (second,))
            assert await client.media(second, files[second], Urgency.BACKFILL, _now) is Taken.STORED
            receipts = {(await client.receipt(asked)).receipt for _ in range(2)}
            assert len(receipts) == 1

    asyncio.run(talk())


def test_an_archive_that_does_not_move_is_given_up(tmp_path: Path) -> None:
    by = authority()

    async def talk() -> None:
        async with ArchivePeer(by, tmp_path / "archive") as archive, _client(tmp_path, archive, 0.2) as client:
            await client.lines()
            archive.faults.stall = True
            with pytest.raises(PeerError, match="did not move"):
                await client.lines()

    asyncio.run(talk())


def test_connections_hold_little_back_and_tell_how_much(tmp_path: Path) -> None:
    """Nothing moves any more: what the connection takes all the same is what can wait in front of others."""
    by = authority()

    async def fill(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(4_096))
            await writer.drain()

    async def talk() -> None:
        async with ArchivePeer(by, tmp_path / "archive") as archive, EmulatedLink(archive.port) as link:
            _, writer = await asyncio.open_connection("127.0.0.1", link.port, ssl=_context(tmp_path))
            transport = writer.transport
            hold_little(transport, 4_096)
            link.stall()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(fill(writer), 1)
            unsent = unsent_bytes(transport)
            assert 0 < unsent <= 8 * 4_096
            assert unsent <= unacknowledged_bytes(transport)
            transport.abort()
            await asyncio.sleep(0.01)
            assert (unsent_bytes(transport), unacknowledged_bytes(None)) == (0, 0)

    asyncio.run(talk())


def test_a_body_is_sent_once_in_chunks_that_fit_the_link() -> None:
    asked: list[int] = []

    class Sink(AbstractStreamWriter):
        async def write(self, chunk: bytes | bytearray | memoryview) -> None:
            sent.append(bytes(chunk))

        async def write_eof(self, chunk: bytes = b"") -> None: ...
        async def drain(self) -> None: ...
        def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None: ...
        def enable_chunking(self) -> None: ...
        async def write_headers(self, status_line: str, headers: object) -> None: ...

    async def before(size_bytes: int) -> None:
        asked.append(size_bytes)

    async def talk() -> None:
        body = Body(bytes(2_500), chunk_bytes=1_000, before=before, moved=lambda: None, sent=lambda: asked.append(0))
        await body.write(Sink())
        assert [len(each) for each in sent] == [1_000, 1_000, 500]
        await asyncio.sleep(0)
        assert asked == [1_000, 1_000, 500, 0]
        with pytest.raises(aiohttp.ClientPayloadError):
            await body.write(Sink())

    sent: list[bytes] = []
    asyncio.run(talk())
    assert [chunk_bytes(rate) for rate in (None, 1, 250_000, 1 << 30)] == [16 << 10, 1_024, 7_500, 16 << 10]


def _context(folder: Path) -> ssl.SSLContext:
    certificate, key = write_key(folder / "keys", authority())
    return archive_context(
        trust=Trust([authority().root]),
        certificate=certificate,
        key=key,
        election="az-2026",
        proven=lambda: ProvenTime(utc_us=NOON_US),
    )


def _client(folder: Path, archive: ArchivePeer, answer_s: float = 20) -> ArchiveClient:
    return ArchiveClient(archive.url, _context(folder), answer_s=answer_s)


async def _now(size_bytes: int) -> None:
    """Nothing is in the way."""
