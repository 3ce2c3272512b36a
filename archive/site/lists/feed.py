"""The live lists of all cameras, in memory: what was published last, rendered once, and who waits for more.

One question every 100 ms, for all cameras together, finds what is new; it is asked in a thread. A list is rendered by
the first request after a change, so what nobody watches costs nothing but memory: about 10 KB for each camera.
"""

import asyncio
import gzip
import logging
from collections import deque
from concurrent.futures import Executor
from typing import Protocol

from archive.names import UnitName
from archive.publish.publications import LiveEntry
from archive.site.lists import form
from archive.site.lists.live import MOST, live_text

PACE_S = 0.1
PAGE = 1_000
"""Entries asked for at once; where there are so many, more are asked for at once."""
AFTER_FAILURE_S = 2.0
MOST_WAITING = 8_192
"""Reloads that are held back at a time, of all cameras; about 6 KB each. The next is told to come again."""
AHEAD = 2
"""A reload may wait for the next entry or the one behind it (RFC 8216bis, 6.2.5.2)."""
_log = logging.getLogger("site")


class Published(Protocol):
    """What is asked of the publications; OSError where their database fails."""

    def live(self, name: UnitName, camera: str, most: int) -> list[LiveEntry]:
        """The newest entries of a camera, oldest first."""

    def cameras(self) -> list[tuple[UnitName, str]]:
        """The cameras that have a live list."""

    def entries_after(self, position: int, most: int) -> list[LiveEntry]:
        """Of all cameras, in the order of publication."""


class TooManyError(Exception):
    """So many reloads wait already."""


class Channel:
    """A camera's live list. Only the loop's thread calls it."""

    __slots__ = ("_entries", "_news", "_packed", "_plain", "target_s")

    def __init__(self) -> None:
        self._entries: deque[LiveEntry] = deque(maxlen=MOST)
        self._plain = self._packed = b""
        self._news: asyncio.Future[None] | None = None
        self.target_s = form.LEAST_TARGET_S
        """Never less than it was: a player may rely on it."""

    @property
    def msn(self) -> int:
        """The number of the newest entry."""
        return self._entries[-1].msn

    def add(self, entry: LiveEntry) -> None:
        """The next entry; one that is there already is passed over, one behind a hole begins anew."""
        if self._entries:
            if entry.msn <= self.msn:
                return
            if entry.msn > self.msn + 1:
                self._entries.clear()
        self._entries.append(entry)
        self.target_s = max(self.target_s, form.target_s(entry.duration_us))
        self._plain = self._packed = b""
        if self._news is not None:
            self._news.set_result(None)
            self._news = None

    def body(self, *, packed: bool) -> bytes:
        """The list as it stands, as it is or in gzip."""
        if not self._plain:
            self._plain = live_text(list(self._entries), self.target_s).encode("ascii")
        if not packed:
            return self._plain
        if not self._packed:
            self._packed = gzip.compress(self._plain, 6, mtime=0)
        return self._packed

    async def reach(self, msn: int, within_s: float) -> None:
        """Return when entry ``msn`` is there, or so much later."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while self.msn < msn:
            if self._news is None:
                self._news = loop.create_future()
            left = until - loop.time()
            if left <= 0:
                return
            await asyncio.wait([self._news], timeout=left)


class Feed:
    """``channels`` are the lists by the path of their address. Other than ``published``, only the loop is used."""

    def __init__(self, published: Published, thread: Executor, *, most_waiting: int = MOST_WAITING) -> None:
        self._published, self._thread = published, thread
        self._position = 0
        self._room = most_waiting
        self.channels: dict[str, Channel] = {}
        self.loaded = False

    async def load(self) -> None:
        """What there is so far. Raises OSError."""
        # What is published while one camera after the other is read may be missing from those that were read before,
        # so all are read twice: the second time has everything up to the newest that the first has seen.
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._thread, self._newest)
        position = max((entry.position for entry in seen), default=0)
        self._take(seen)
        self._take(await loop.run_in_executor(self._thread, self._newest))
        self._position = position
        self.loaded = True

    async def look(self) -> bool:
        """Take in what is new; whether there may be more at once. Raises OSError.

        The newest that is known is asked for again: where it is not there, the publications were made anew, and so are
        the lists.
        """
        loop, after = asyncio.get_running_loop(), self._position - 1
        found = await loop.run_in_executor(self._thread, self._published.entries_after, after, PAGE)
        if self._position and (not found or found[0].position != self._position):
            _log.warning("publications have been made anew; live lists begin anew")
            self.channels.clear()
            self.loaded = False
            return True
        self._take(found)
        self._position = max([self._position, *(entry.position for entry in found)])
        return len(found) >= PAGE

    async def follow(self) -> None:
        """Load, then look for ever. While the database fails, the lists stay as they are."""
        failing = False
        while True:
            pause_s = PACE_S
            try:
                if not self.loaded:
                    await self.load()
                elif await self.look():
                    pause_s = 0
                if failing:
                    failing = False
                    _log.warning("publications can be read again")
            except OSError as error:
                if not failing:
                    failing = True
                    _log.error("publications cannot be read; live lists stand still", extra={"fields": _fields(error)})
                pause_s = AFTER_FAILURE_S
            await asyncio.sleep(pause_s)

    async def reach(self, channel: Channel, msn: int) -> None:
        """Wait until the list has entry ``msn``, three target durations at most. Raises TooManyError at once."""
        if self._room <= 0:
            raise TooManyError
        self._room -= 1
        try:
            await channel.reach(msn, 3.0 * channel.target_s)
        finally:
            self._room += 1

    def _newest(self) -> list[LiveEntry]:
        cameras = self._published.cameras()
        return [entry for name, camera in cameras for entry in self._published.live(name, camera, MOST)]

    def _take(self, entries: list[LiveEntry]) -> None:
        for entry in entries:
            path = f"/hls/{entry.name.station}/{entry.name.unit}/{entry.camera}/live.m3u8"
            channel = self.channels.get(path)
            if channel is None:
                channel = self.channels[path] = Channel()
            channel.add(entry)


def _fields(error: Exception) -> dict[str, str]:
    return {"error": str(error)}
