"""The newest picture of a station, small: of what is public only, so that nothing held back shows here.

Decoded in a child process with limits of time and memory, at most two at a time, kept for some seconds.
"""

import asyncio
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from archive.names import UnitName
from archive.publish.publications import LiveEntry, Publications
from archive.publish.tree import PublishedTree
from archive.supervision.wall.watch import Watch

KEEP_S = 10.0
CAMERAS_S = 30.0
"""Which cameras there are is asked for so often."""
MOST_WIDTH = 320
MOST_KEPT = 512
MOST_WAITING = 64
"""Beyond, 503: the wall asks again later."""
_AT_ONCE = 2
_LIMIT_S = 8.0
_MOST_SEGMENT = 30 << 20
_MOST_JPEG = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    jpeg: bytes | None
    source: str
    until_s: float


class Thumbnails:
    """For one loop."""

    def __init__(self, watch: Watch, publications: Publications, tree: PublishedTree) -> None:
        self._watch, self._publications, self._tree = watch, publications, tree
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._cameras: list[tuple[UnitName, str]] = []
        self._cameras_at_s = float("-inf")
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def thumbnail(self, request: web.Request) -> web.Response:
        """``/thumbnails/STATION.jpeg``; 404 where there is no public picture that can be decoded."""
        station = request.match_info["station"]
        kept = self._kept.get(station)
        if kept is None or kept.until_s < time.monotonic():
            if self._waiting >= MOST_WAITING:
                raise web.HTTPServiceUnavailable(headers={hdrs.RETRY_AFTER: "10"})
            self._waiting += 1
            try:
                async with self._turns:
                    kept = await self._newest(station)
            finally:
                self._waiting -= 1
        if kept.jpeg is None:
            raise web.HTTPNotFound
        return web.Response(body=kept.jpeg, content_type="image/jpeg", headers={hdrs.CACHE_CONTROL: "no-store"})

    async def _newest(self, station: str) -> _Kept:
        kept = self._kept.pop(station, None)
        found = await asyncio.to_thread(self._find, station)
        source = "" if found is None else found[0]
        if kept is not None and kept.source == source:
            jpeg = kept.jpeg
        else:
            jpeg = None if found is None else await _decode(found[1])
        kept = _Kept(jpeg=jpeg, source=source, until_s=time.monotonic() + KEEP_S)
        self._kept[station] = kept
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept

    def _find(self, station: str) -> tuple[str, bytes] | None:
        """Digest and bytes, init segment first, of the newest public segment; None where one is not there any more."""
        facts = self._watch.station(station)
        newest = [entry for name in (facts.units if facts else ()) for entry in self._entries(name)]
        if not newest:
            return None
        entry = max(newest, key=lambda each: (each.date_us, each.camera))
        try:
            init, segment = _read(self._tree.init_path(entry.init_sha256)), _read(self._tree.path(entry.sha256))
        except OSError:
            return None
        return entry.sha256, init + segment

    def _entries(self, name: UnitName) -> list[LiveEntry]:
        if self._cameras_at_s + CAMERAS_S < time.monotonic():
            self._cameras, self._cameras_at_s = self._publications.cameras(), time.monotonic()
        cameras = [camera for unit, camera in self._cameras if unit == name]
        return [entry for camera in cameras for entry in self._publications.live(name, camera, 1)]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_SEGMENT)


async def _decode(data: bytes) -> bytes | None:
    command = (sys.executable, "-m", "archive.keyframe", str(MOST_WIDTH))
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nothing)
    try:
        async with asyncio.timeout(_LIMIT_S):
            jpeg, _ = await child.communicate(data)
    except (TimeoutError, OSError):
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return jpeg if child.returncode == 0 and jpeg.startswith(b"\xff\xd8") and len(jpeg) <= _MOST_JPEG else None
