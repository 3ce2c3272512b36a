"""Many connections, slow ones and those of one unit that wants too much: what they cost the others, and memory."""

import asyncio
import gc
import hashlib
import os
import ssl
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from socket import SHUT_RDWR

import pytest

from archive.ingest.connections import MOST_OF_A_UNIT
from archive.ingest.mediaintake import GATHERED_BYTES
from bench.heavy import HeavyStation
from tests.fakes.archive import LIMITS, WAIT_S, RunningArchive, timeless_authority
from tests.fakes.archive_process import ArchiveProcess
from tests.fakes.archive_unit import armed_station, begin_media, digest_header, media_of

UNITS, EACH = 25, 12
SEGMENT_BYTES = 2_500_000
MIB = 1 << 20


def test_one_connection_too_many_costs_the_unit_its_oldest_and_nobody_else(archive: RunningArchive) -> None:
    other = archive.uplink(unit="u2", key="other")
    uplinks = [archive.uplink() for _ in range(MOST_OF_A_UNIT)]
    for uplink in (other, *uplinks):
        assert uplink.lines().status == 200
    newest = archive.uplink()
    assert newest.lines().status == 200
    with pytest.raises((OSError, HTTPException)):
        uplinks[0].lines()
    for uplink in (other, newest, *uplinks[2:]):
        assert uplink.lines().status == 200
    assert uplinks[0].lines().status == 200, "which takes the place of the oldest again"


def test_a_body_that_would_become_more_is_not_taken(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    uplink.lines(station.lines)
    data = next(iter(media_of(station).values()))
    assert uplink.media(data, Content_Encoding="gzip").status == 415
    uplink.close()
    assert uplink.media(data).status == 201


def test_a_unit_that_holds_all_its_room_leaves_room_for_others(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority(), limits=replace(LIMITS, in_flight_mib=256))
    archive.start()
    try:
        greedy = armed_station(archive)
        size = 40 * MIB
        digests = [hashlib.sha256(b"%d" % number).digest() for number in range(2)]
        for digest in digests:
            greedy.segment(sha256=digest.hex(), size=size)
        assert archive.uplink().lines(greedy.lines).status == 200
        uplinks = [archive.uplink(), archive.uplink()]
        for each, digest in zip(uplinks, digests, strict=True):
            begin_media(each, digest, size)
        with ThreadPoolExecutor(2) as threads:
            answers = [threads.submit(each.open().getresponse) for each in uplinks]
            refused, held = wait(answers, return_when=FIRST_COMPLETED)
            assert ([each.result().status for each in refused], len(held)) == ([429], 1)
            other = armed_station(archive, unit="u2", seed="two")
            uplink = archive.uplink(unit="u2", key="two")
            uplink.lines(other.lines)
            assert uplink.media(next(iter(media_of(other).values()))).status == 201
            for each in uplinks:
                each.open().sock.shutdown(SHUT_RDWR)
            for answer in held:
                assert isinstance(answer.exception(WAIT_S), (OSError, HTTPException))
    finally:
        archive.stop()
    assert archive.error is None


def test_three_hundred_slow_senders_take_no_memory_for_their_bodies(tmp_path: Path) -> None:
    archive = ArchiveProcess(tmp_path / "archive", limits="in_flight_mib = 1024\n")
    archive.start()
    try:
        stations: list[tuple[ssl.SSLContext, list[bytes]]] = []
        for number in range(UNITS):
            station = HeavyStation(archive.keys.by, SEGMENT_BYTES, station=f"s{number}", unit="u1")
            heavy = [station.heavy() for _ in range(EACH)]
            uplink = archive.keys.uplink(station.station, "u1", key=station.station)
            assert uplink.lines(station.lines).status == 200
            stations.append((uplink.context, [each.head + each.tail for each in heavy]))
        archive.keys.hang_up()
        before = resident_bytes(archive)
        held, statuses = asyncio.run(send_slowly(archive, stations))
        assert statuses == {201}
        grown = held - before
        # What TLS and HTTP hold for each connection, and what all bodies may together; not the bodies.
        assert grown < UNITS * EACH * 1.1 * MIB + GATHERED_BYTES, grown / MIB
        assert grown < UNITS * EACH * SEGMENT_BYTES / 2
    finally:
        archive.stop()


async def send_slowly(
    archive: ArchiveProcess, stations: list[tuple[ssl.SSLContext, list[bytes]]]
) -> tuple[int, set[str | int]]:
    """All bodies at once but for their last bytes; memory then, and the answers when these have come as well."""
    most = asyncio.Semaphore(16)

    async def begin_one(context: ssl.SSLContext, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with most:
            reader, writer = await asyncio.open_connection("127.0.0.1", archive.port, ssl=context)
            head = (
                f"PUT /v1/media/{hashlib.sha256(data).hexdigest()} HTTP/1.1\r\nHost: archive\r\n"
                f"Content-Type: video/mp4\r\nContent-Length: {len(data)}\r\nRepr-Digest: {digest_header(data)}\r\n\r\n"
            )
            writer.write(head.encode() + data[:-1])
            await writer.drain()
            return reader, writer

    async def end_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> int:
        writer.write(data[-1:])
        status = int((await reader.readline()).split()[1])
        writer.close()
        return status

    bodies = [(context, data) for context, segments in stations for data in segments]
    open_ones = await asyncio.gather(*(begin_one(context, data) for context, data in bodies))
    held = resident_bytes(archive)
    ends = (end_one(*each, data) for each, (_, data) in zip(open_ones, bodies, strict=True))
    return held, set(await asyncio.gather(*ends))


def resident_bytes(archive: ArchiveProcess) -> int:
    assert archive.process is not None
    pages = Path(f"/proc/{archive.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_an_archive_ends_at_once_although_a_peer_says_no_goodbye(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", timeless_authority())
    archive.start()
    uplink = archive.uplink()
    assert uplink.lines().status == 200
    silent = uplink.open()
    archive.leave(uplink)
    archive.stop()
    gc.collect()  # what was left open would say so here
    silent.close()
    assert archive.error is None
