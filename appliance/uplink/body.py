"""A body on its way: in chunks that fit the link, sent once, with a deadline that everything that moves puts off."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from appliance.uplink.buffers import hold_little, unacknowledged_bytes, unsent_bytes

LEAST_CHUNK_BYTES = 1 << 10
"""A thousandth of a second's worth at 8 Mbit/s, eight seconds' worth at 1 kbit/s: within the deadline even there."""
MOST_CHUNK_BYTES = 16 << 10
"""Larger ones cost more, not less: memory of their size comes from the kernel each time."""
CHUNK_S = 0.03
"""A chunk takes the link about so long: what is urgent waits for a few of them."""
UNHURRIED_CHUNK_S = 0.25
"""Where nothing is more urgent: each chunk costs the bytes of a TLS record."""
LOOK_S = 0.05

Before = Callable[[int], Awaitable[None]]
"""Called before so many bytes of a body are sent; it may take its time, less than the deadline."""


def chunk_bytes(bytes_s: int | None, chunk_s: float = CHUNK_S) -> int:
    """How much of a body goes in one piece on a link that carries so much; 16 KiB where that is not known."""
    if bytes_s is None:
        return MOST_CHUNK_BYTES
    return min(MOST_CHUNK_BYTES, max(LEAST_CHUNK_BYTES, int(bytes_s * chunk_s)))


class Body(Payload):
    """Bytes of which each chunk first waits for ``before``. ``moved`` is called whenever something has moved, ``sent``
    once nothing of it waits on this machine any more; a context manager, so that both end with the exchange.

    It is sent once: where the library would try again by itself, the archive is asked first.
    """

    def __init__(
        self, data: bytes, *, chunk_bytes: int, before: Before, moved: Callable[[], None], sent: Callable[[], None]
    ) -> None:
        super().__init__(data)
        self._size = len(data)
        self._data = data
        self._chunk_bytes = chunk_bytes
        self._before = before
        self._moved = moved
        self._sent = sent
        self._begun = False
        self._ended = False
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        if self._watching is not None:
            self._watching.cancel()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """As text."""
        return self._data.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it. Raises aiohttp.ClientPayloadError the second time."""
        if self._begun:
            raise aiohttp.ClientPayloadError("in the middle of a request")
        self._begun = True
        transport: asyncio.BaseTransport | None = getattr(writer, "transport", None)
        hold_little(transport, self._chunk_bytes)
        view = memoryview(self._data)
        for begin in range(0, len(view), self._chunk_bytes):
            chunk = bytes(view[begin : begin + self._chunk_bytes])
            await self._before(len(chunk))
            self._moved()
            await writer.write(chunk)
            await writer.drain()
            self._moved()
        # Not here: the library cancels this, and gives up the connection, where an answer comes before it returns.
        if not self._ended:
            self._watching = asyncio.create_task(self._watch(transport))

    async def _watch(self, transport: asyncio.BaseTransport | None) -> None:
        """What buffers and the line hold at a thin link's pace takes long, and is no sign of a dead connection."""
        told, left = False, unacknowledged_bytes(transport)
        while left:
            if not told and not unsent_bytes(transport):
                told = True
                self._sent()
            await asyncio.sleep(LOOK_S)
            before, left = left, unacknowledged_bytes(transport)
            if left < before:
                self._moved()
        self._sent()
