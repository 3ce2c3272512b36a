"""The emulated link does to a connection what it says, and nothing else.

Rates are judged by a clock of the test's, and once by the real one, with bounds that a busy machine keeps.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.archive import timeless_authority
from tests.fakes.link import PAGE, REDIRECT, EmulatedLink, Portal
from tests.fakes.station import private_key
from tests.fakes.wire import BURST_S, CHUNK_BYTES, PACKET_BYTES, Bucket

ANSWER_S = 10
SILENCE_S = 0.1
MBIT = 125_000
Scene = Callable[[EmulatedLink], Awaitable[None]]


class Time:
    """Seconds in the hands of the test."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def play(scene: Scene) -> None:
    """``scene`` with a link to a server that gives back what it gets."""

    async def all_of_it() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        async with EmulatedLink(server.sockets[0].getsockname()[1]) as link:
            await scene(link)
        server.close()

    asyncio.run(all_of_it())


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Client:
    """One connection through the link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, link: EmulatedLink) -> "Client":
        async with asyncio.timeout(ANSWER_S):
            return cls(*await asyncio.open_connection(link.host, link.port))

    async def says(self, data: bytes) -> bytes:
        """What comes back for ``data``, as long as that is."""
        self.writer.write(data)
        async with asyncio.timeout(ANSWER_S):
            return await self.reader.readexactly(len(data))

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(SILENCE_S):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    async def is_cut(self) -> bool:
        async with asyncio.timeout(ANSWER_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.mark.parametrize("bytes_s", [1_000, 2 * MBIT, 100 * MBIT])
def test_a_bucket_lets_through_exactly_its_rate(bytes_s: int) -> None:
    now = Time()
    bucket = Bucket(now)
    bucket.bytes_s = bytes_s
    for _ in range(1_000):
        now.now += bucket.book(bucket.chunk_bytes())
    passed = 1_000 * bucket.chunk_bytes()
    assert now.now - 100 == pytest.approx(passed / bytes_s, abs=1e-6)


def test_a_bucket_makes_up_for_late_timers_and_not_for_idleness() -> None:
    now = Time()
    bucket = Bucket(now)
    bucket.bytes_s = MBIT
    now.now += 3_600
    waits = [bucket.book(PACKET_BYTES) for _ in range(100)]
    free = sum(wait == 0 for wait in waits)
    assert free <= MBIT * BURST_S / PACKET_BYTES
    assert waits[-1] == pytest.approx(100 * PACKET_BYTES / MBIT - BURST_S, abs=1e-6)


def test_chunks_are_small_on_a_thin_line_and_never_large() -> None:
    bucket = Bucket()
    for bytes_s, size in ((1_000, PACKET_BYTES), (10 * MBIT, 6_250), (1_000 * MBIT, CHUNK_BYTES), (None, CHUNK_BYTES)):
        bucket.bytes_s = bytes_s
        assert bucket.chunk_bytes() == size


def test_a_good_link_changes_no_byte_and_passes_on_the_end() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        data = bytes(range(256)) * 4_096
        assert await client.says(data) == data
        client.writer.write_eof()
        async with asyncio.timeout(ANSWER_S):
            assert await client.reader.read() == b""
        assert link.line.up.carried == link.line.down.carried == len(data)
        client.close()

    play(scene)


def test_the_measured_rate_is_never_above_the_one_that_was_set_and_not_far_below() -> None:
    async def scene(link: EmulatedLink) -> None:
        link.limit(10 * MBIT, down=None)
        link.line.down.bytes_s = None
        clients = [await Client.of(link) for _ in range(3)]
        data = bytes(4 * MBIT // 3)
        begin = time.monotonic()
        await asyncio.gather(*(client.says(data) for client in clients))
        took_s = time.monotonic() - begin
        least_s = 3 * len(data) / (10 * MBIT) - BURST_S
        assert least_s <= took_s <= 3 * least_s
        for client in clients:
            client.close()

    play(scene)


def test_connections_share_a_line_evenly() -> None:
    async def scene(link: EmulatedLink) -> None:
        link.limit(4 * MBIT)
        one, two = await Client.of(link), await Client.of(link)
        one.writer.write(bytes(4 * MBIT))
        await asyncio.sleep(0)
        data = bytes(MBIT // 8)
        assert await two.says(data) == data
        # Half of the line is its own: as much and no more has passed for the other, but for what was there before.
        assert link.line.up.carried < 4 * len(data)
        one.close()
        two.close()

    play(scene)


def test_latency_holds_each_byte_back_and_costs_no_rate() -> None:
    async def scene(link: EmulatedLink) -> None:
        link.line.latency_s = 0.1
        client = await Client.of(link)
        begin = time.monotonic()
        await client.says(b"there and back")
        assert time.monotonic() - begin >= 0.2
        begin = time.monotonic()
        await client.says(bytes(4 << 20))
        # By turns, a chunk for each way there and back, it would take 50 s.
        assert time.monotonic() - begin < 10
        client.close()

    play(scene)


def test_a_stall_takes_and_passes_nothing_until_it_is_over() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.stall()
        client.writer.write(b"during")
        late = await Client.of(link)
        late.writer.write(b"late")
        assert await client.hears_nothing()
        assert await late.hears_nothing()
        link.mend()
        assert await client.reader.readexactly(6) == b"during"
        assert await late.reader.readexactly(4) == b"late"
        client.close()
        late.close()

    play(scene)


def test_a_stalled_link_holds_a_bounded_amount() -> None:
    async def scene(link: EmulatedLink) -> None:
        link.stall()
        client = await Client.of(link)
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        client.writer.write(bytes(4 << 20))
        await asyncio.sleep(SILENCE_S)
        transport = client.writer.transport
        assert isinstance(transport, asyncio.WriteTransport)
        assert transport.get_write_buffer_size() > 3 << 20
        client.close()

    play(scene)


def test_a_reset_reaches_both_ends_and_the_next_connection_works() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.reset()
        with pytest.raises(ConnectionResetError):
            await client.reader.read(1)
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        client.close()
        again.close()

    play(scene)


def test_a_half_open_connection_says_nothing_any_more_and_the_next_one_works() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.half_open()
        client.writer.write(b"hello?")
        assert await client.hears_nothing()
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        link.mend()
        assert await client.hears_nothing()
        client.close()
        again.close()

    play(scene)


def test_a_black_hole_does_not_even_answer_who_knocks() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.black_hole()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                await asyncio.open_connection(link.host, link.port)
        client.writer.write(b"hello?")
        assert await client.hears_nothing()
        link.mend()
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        client.close()
        again.close()

    play(scene)


def test_faults_follow_one_another_in_any_order() -> None:
    async def scene(link: EmulatedLink) -> None:
        port = link.port
        faults: list[Callable[[], None]] = [link.stall, link.reset, link.half_open, link.black_hole, link.refuse]
        faults.append(lambda: link.capture(Portal()))
        for one in faults:
            for two in faults:
                client = await Client.of(link)
                await client.says(b"before")
                one()
                two()
                link.mend()
                client.close()
        client = await Client.of(link)
        assert await client.says(b"after") == b"after"
        assert link.port == port
        client.close()

    play(scene)


def test_where_nobody_listens_a_connection_is_refused() -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.refuse()
        assert await client.is_cut()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(link.host, link.port)
        link.mend()
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        client.close()
        again.close()

    play(scene)


def test_a_target_that_is_not_there_cuts_the_connection() -> None:
    async def scene(link: EmulatedLink) -> None:
        target, link.target = link.target, _nobody()
        client = await Client.of(link)
        assert await client.is_cut()
        link.target = target
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        client.close()
        again.close()

    play(scene)


@pytest.mark.parametrize("answer", [REDIRECT, PAGE])
def test_a_captive_portal_answers_in_the_clear_whatever_is_said(answer: bytes) -> None:
    async def scene(link: EmulatedLink) -> None:
        client = await Client.of(link)
        await client.says(b"before")
        link.capture(Portal(answer=answer))
        assert await client.is_cut()
        caught = await Client.of(link)
        caught.writer.write(b"\x16\x03\x01 a client's hello")
        async with asyncio.timeout(ANSWER_S):
            assert await caught.reader.read() == answer
        assert (link.line.up.carried, link.line.down.carried) == (6, 6)
        link.mend()
        again = await Client.of(link)
        assert await again.says(b"after") == b"after"
        for each in (client, caught, again):
            each.close()

    play(scene)


def test_a_captive_portal_may_speak_tls_with_another_certificate(tmp_path: Path) -> None:
    by = timeless_authority("portal")
    key = private_key("portal")
    certificate = by.certify_archive(key.public_key(), ["127.0.0.1"])
    (tmp_path / "portal.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "portal.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "portal.pem", tmp_path / "portal.key")
    trusting = ssl.create_default_context(cadata=by.root_pem.decode())

    async def scene(link: EmulatedLink) -> None:
        link.capture(Portal(context=served))
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(link.host, link.port, ssl=ssl.create_default_context())
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(link.host, link.port, ssl=trusting)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 302")
        writer.transport.abort()

    play(scene)


def _nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
