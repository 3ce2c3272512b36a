"""A thin, slow, broken or lying line: a TCP proxy on the loopback in front of a port, whose faults are set as it runs.

On one loop, without threads. What it holds is bounded: small buffers, what is on the wire, a number of connections.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Self

from tests.fakes.wire import Connection, Line, cut, keep_small

MOST_CONNECTIONS = 256
"""The dead ones among them; of those the oldest go first."""
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\nConnection: close\r\n\r\n<p>Please pay.</p>\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """Answers in the other end's place: ``answer`` to whatever is said, in the clear or under TLS of its own."""

    answer: bytes = REDIRECT
    context: ssl.SSLContext | None = None


class _New(Enum):
    """What becomes of a new connection."""

    PASSED = auto()
    REFUSED = auto()
    UNANSWERED = auto()


class EmulatedLink:
    """An async context manager; while it is entered, ``port`` leads to ``target``. Faults hold until ``mend``.

    Up is from the client to the target. A connection itself is made at once, whatever the latency: the kernel does it.
    """

    def __init__(
        self, target: int, *, host: str = "127.0.0.1", at: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Listens at ``host``, port ``at`` or any; ``target`` is a port of 127.0.0.1, and may be another later.

        ``clock`` is in seconds.
        """
        self.target, self.host, self.port = target, host, at
        self.line = Line(clock)
        self.taken = 0
        """Connections, ever."""
        self._portal: Portal | None = None
        self._new = _New.PASSED
        self._alive: dict[asyncio.Task[None], Connection] = {}
        self._dead: deque[Connection] = deque()
        self._listener: socket.socket | None = None
        self._filler: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.line.flowing.set()
        self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        accepting = self._accepting
        self._stop_listening()
        tasks = [*self._alive] if accepting is None else [accepting, *self._alive]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self._dead:
            connection.close()

    def limit(self, bytes_s: float | None, *, down: float | None = None) -> None:
        """Bytes a second, up and ``down`` (as up where not given). What is queued passes as it was booked."""
        self.line.up.bytes_s, self.line.down.bytes_s = bytes_s, bytes_s if down is None else down

    def stall(self) -> None:
        """Connections are taken and stay; what is said is taken while buffers last, and nothing comes out."""
        self.line.flowing.clear()

    def reset(self) -> None:
        """Cut every connection at both ends, with RST. New ones are as before."""
        for task in self._alive:
            task.cancel()

    def half_open(self) -> None:
        """Every connection is dead, and neither end hears of it. New ones are as before."""
        for connection in self._alive.values():
            connection.dead = True
        self.reset()

    def black_hole(self) -> None:
        """Every connection is dead unheard, and who asks for a new one gets no answer."""
        self.half_open()
        self._take(_New.UNANSWERED)

    def refuse(self) -> None:
        """Nobody is there: every connection is cut, and new ones are refused."""
        self.reset()
        self._take(_New.REFUSED)

    def capture(self, portal: Portal) -> None:
        """Every connection is cut, and new ones are answered by ``portal``."""
        self.mend()
        self.reset()
        self._portal = portal

    def mend(self) -> None:
        """No more faults; rates and latency stay, and what is dead stays dead."""
        self._portal = None
        self.line.flowing.set()
        self._take(_New.PASSED)

    def _take(self, new: _New) -> None:
        if new is self._new:
            return
        self._new = new
        self._stop_listening()
        if new is _New.PASSED:
            self._listen()
        elif new is _New.UNANSWERED:
            # The kernel answers no SYN while the queue of those that nobody accepts is full (listen(2)): one fills it.
            self._listener = self._bound(0)
            self._filler = socket.create_connection((self.host, self.port))

    def _listen(self) -> None:
        self._listener = self._bound(MOST_CONNECTIONS)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(self._listener))

    def _bound(self, backlog: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted has the listener's window from its first packet on.
        keep_small(listener)
        listener.bind((self.host, self.port))
        listener.listen(backlog)
        listener.setblocking(False)
        return listener

    def _stop_listening(self) -> None:
        if self._accepting is not None and self._listener is not None:
            self._accepting.cancel()
            # At once: the number of a closed descriptor may be another's by the time the task ends.
            asyncio.get_running_loop().remove_reader(self._listener)
        self._accepting = None
        for each in (self._filler, self._listener):
            if each is not None:
                each.close()
        self._filler = self._listener = None

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(listener)
            self.taken += 1
            if self._dead and len(self._alive) + len(self._dead) >= MOST_CONNECTIONS:
                self._dead.popleft().close()
            if len(self._alive) >= MOST_CONNECTIONS:
                cut(client)
                continue
            connection, portal = Connection(self.line, client, self.target), self._portal
            task = asyncio.create_task(connection.run() if portal is None else _answer(client.dup(), portal))
            if portal is not None:
                client.close()
            self._alive[task] = connection
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        connection = self._alive.pop(task)
        if connection.dead and task.cancelled():
            self._dead.append(connection)
        else:
            connection.close()


async def _answer(client: socket.socket, portal: Portal) -> None:
    """What a captive portal does with whoever asks for anybody."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    with contextlib.suppress(OSError):
        transport, protocol = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader), client, ssl=portal.context
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await reader.read(1 << 16)
            writer.write(portal.answer)
            await writer.drain()
        finally:
            writer.close()
