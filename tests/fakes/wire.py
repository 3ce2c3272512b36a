"""What lies between the two ends of one connection: a rate that all share, a way that takes time, small buffers."""

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Callable

CHUNK_BYTES = 16 << 10
PACKET_BYTES = 1_448
SLICE_S = 0.005
"""A chunk takes the line for about so long, so that connections share it evenly."""
BURST_S = 0.01
"""What a line that was idle, or a timer that came late, makes up for."""
BUFFER_BYTES = 32 << 10
"""Of each socket, each way; the kernel takes twice that with its own books."""
UNMETERED_BYTES_S = 100_000_000
"""What a line without a limit holds on its way is reckoned with this."""
_ABORT = struct.pack("ii", 1, 0)


class Bucket:
    """The capacity of one direction, shared by all connections."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.bytes_s: float | None = None
        """None where there is no limit."""
        self.carried = 0
        """Bytes that have come out of the other end."""
        self._clock = clock
        self._free_at = clock()

    def book(self, size_bytes: int) -> float:
        """Put ``size_bytes`` in the queue; how many seconds until the last of them has passed."""
        if self.bytes_s is None:
            return 0
        now = self._clock()
        self._free_at = max(self._free_at, now - BURST_S) + size_bytes / self.bytes_s
        return max(0.0, self._free_at - now)

    def chunk_bytes(self) -> int:
        """How much goes in one piece at this rate."""
        if self.bytes_s is None:
            return CHUNK_BYTES
        return min(CHUNK_BYTES, max(PACKET_BYTES, int(self.bytes_s * SLICE_S)))


class Line:
    """What all connections have in common; it changes while they stand."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.up, self.down = Bucket(clock), Bucket(clock)
        self.latency_s = 0.0
        """One way."""
        self.flowing = asyncio.Event()
        """Whether anything comes out."""


class Connection:
    """One client and its way to a port of 127.0.0.1. ``run`` it as a task; cancelled, it is cut."""

    def __init__(self, line: Line, client: socket.socket, port: int) -> None:
        self.client, self.target = client, socket.socket()
        self.dead = False
        """Set before it is cut: neither end hears of that, and both sockets stay until ``close``."""
        self._port = port
        for each in (self.client, self.target):
            keep_small(each)
            each.setblocking(False)
        self._up = _Way(line, line.up, self.client, self.target)
        self._down = _Way(line, line.down, self.target, self.client)

    async def run(self) -> None:
        """Until both ends have said all, or one of them has gone."""
        try:
            await asyncio.get_running_loop().sock_connect(self.target, ("127.0.0.1", self._port))
            async with asyncio.TaskGroup() as group:
                for way in (self._up, self._down):
                    group.create_task(way.take())
                    group.create_task(way.give())
            self.client.close()
            self.target.close()
        except* OSError:
            pass  # one end has gone, and ``close`` tells the other

    def close(self) -> None:
        """Both ends, if they are open still: whoever listens gets RST."""
        for each in (self.client, self.target):
            if each.fileno() >= 0:
                cut(each)


class _Way:
    """One direction of one connection."""

    def __init__(self, line: Line, bucket: Bucket, source: socket.socket, sink: socket.socket) -> None:
        self._line, self._bucket = line, bucket
        self._source, self._sink = source, sink
        self._wire: deque[tuple[float, bytes]] = deque()
        self._held = 0
        """Bytes on the wire."""
        self._moved = asyncio.Event()
        """Something has been put on the wire or has come out of it."""

    async def take(self) -> None:
        """From the source onto the wire, as fast as the line is."""
        loop, bucket = asyncio.get_running_loop(), self._bucket
        data = b"-"
        while data:
            while self._held > self._most_bytes():
                await self._next_move()
            data = await loop.sock_recv(self._source, bucket.chunk_bytes())
            wait_s = bucket.book(len(data))
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._held += len(data)
            self._wire.append((loop.time() + self._line.latency_s, data))
            self._moved.set()

    async def give(self) -> None:
        """From the wire to the sink, when the time has come; at last the end of what the source says."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._wire:
                await self._next_move()
            due, data = self._wire.popleft()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self._line.flowing.wait()
            if not data:
                self._sink.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(self._sink, data)
            self._bucket.carried += len(data)
            self._held -= len(data)
            self._moved.set()

    async def _next_move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _most_bytes(self) -> int:
        """As much as is under way at this rate and latency, and a chunk."""
        return CHUNK_BYTES + int((self._bucket.bytes_s or UNMETERED_BYTES_S) * self._line.latency_s)


def keep_small(end: socket.socket) -> None:
    """Small buffers, nothing held back to be sent in one piece."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def cut(end: socket.socket) -> None:
    """Close it with RST."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    end.close()
