"""One exchange with the archive: what counts as an answer, and what lies in the way of what is urgent."""

import asyncio
import hashlib
import json
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from appliance.uplink.answers import BusyError, LinesAnswer, ReceiptAnswer, Refused, Reply
from appliance.uplink.client import ArchiveClient, Taken, Urgency
from appliance.uplink.connector import UNSENT_BYTES, WRITE_BYTES, ShallowConnector
from appliance.uplink.proven import ProvenTime
from appliance.uplink.tls import archive_context
from base.errors import PeerError
from evidence.certificate import Trust
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import write_key
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
    assert (answer.head.seq, answer.lacks, answer.complete) == (4, ("0" * 64,), True)
    full = _reply({**GOOD, "lacks": [f"{n:064x}" for n in range(512)]}).read(LinesAnswer)
    assert not full.complete


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


def test_connections_hold_little_back(tmp_path: Path) -> None:
    by, seen = authority(), list[tuple[tuple[int, int], int]]()

    class Watched(ShallowConnector):
        async def connect(
            self,
            req: ClientRequest,
            traces: list[Trace],
            timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        ) -> Connection:
            connection = await super().connect(req, traces, timeout)
            transport = connection.transport
            assert isinstance(transport, asyncio.WriteTransport)
            found = transport.get_extra_info("socket")
            unsent = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            seen.append((transport.get_write_buffer_limits(), unsent))
            return connection

    async def talk() -> None:
        async with ArchivePeer(by, tmp_path / "archive") as archive:
            connector = Watched(ssl=_context(tmp_path))
            async with aiohttp.ClientSession(connector=connector) as session, session.post(f"{archive.url}/v1/lines"):
                pass

    asyncio.run(talk())
    assert seen == [((0, WRITE_BYTES), UNSENT_BYTES)]


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
