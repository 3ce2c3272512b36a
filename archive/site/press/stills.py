"""Stills: the keyframe of the public segment that covers a second, as JPEG, and beside it as JSON what proves it.

A JPEG is made here and signed by nobody. The JSON names the segment by its digest, the line that signs it, and a clip
of this second, which carries its proof. What is not public is not found, and whether it is, is asked for each request.
"""

import asyncio
import hashlib
import json
import logging
import re
import sys
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from archive.site.clips.asked import Asked, read_asked
from archive.site.clips.plan import Part, Planned, Planner

if TYPE_CHECKING:
    from archive.site.parts import SiteParts

MOST_WAITING = 16
"""One picture is decoded at a time; so many wait, the next is told to come again."""
DECODE_S = 10.0
MOST_KEPT = 64
"""Pictures; a megabyte each at most."""
MOST_BYTES = 1 << 20
_FILE = re.compile(r"([0-9]{8}T[0-9]{6})Z\.(jpeg|json)")
_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_log = logging.getLogger("site")


class Stills:
    """Handlers of stills. Reads media in the published tree only."""

    def __init__(self, parts: "SiteParts") -> None:
        self._planner = Planner(parts.reader, parts.publications)
        self._tree = parts.tree
        self._thread = ThreadPoolExecutor(1, "stills")
        self._decoding = asyncio.Lock()
        self._waiting = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """``/still/STATION/UNIT/CAMERA/20270207T080700Z.jpeg`` and ``.json``."""
        return [web.get("/still/{station}/{unit}/{camera}/{file}", self.still)]

    async def still(self, request: web.Request) -> web.Response:
        """The picture, or its proof."""
        match = _FILE.fullmatch(request.match_info["file"])
        if match is None:
            return _refused(404, "there is no such still")
        names = {name: request.match_info[name] for name in ("station", "unit", "camera")}
        try:
            asked = read_asked(**names, file=_second(match[1]))
        except (LookupError, ValueError):
            return _refused(404, "there is no such still")
        loop = asyncio.get_running_loop()
        try:
            parts = await loop.run_in_executor(self._thread, self._planner.plan, asked)
            if not parts:
                return _refused(404, "nothing of this second is public")
            planned = parts[0].segments[0]
            jpeg = await self._jpeg(planned)
        except OSError as error:
            _log.error("a still could not be made", extra={"fields": {"path": request.path, "error": str(error)}})
            return _refused(503, "the still cannot be made now")
        if match[2] == "json":
            body, kind = json.dumps(_proof(asked, parts[0], planned, jpeg), indent=1).encode(), "application/json"
        else:
            body, kind = jpeg, "image/jpeg"
        return web.Response(body=body, headers={**_OPEN, "Content-Type": kind, "Cache-Control": "public, max-age=60"})

    async def _jpeg(self, planned: Planned) -> bytes:
        """Raises OSError where it cannot be read or decoded, or too many wait."""
        sha256 = planned.row.segment.sha256
        if sha256 not in self._kept:
            if self._waiting >= MOST_WAITING:
                raise OSError("too many stills are being made")
            self._waiting += 1
            try:
                async with self._decoding:
                    if sha256 not in self._kept:
                        self._kept[sha256] = await self._decode(planned)
            finally:
                self._waiting -= 1
        self._kept.move_to_end(sha256)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[sha256]

    async def _decode(self, planned: Planned) -> bytes:
        data = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, planned)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "archive.keyframe"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(DECODE_S):
                jpeg, _ = await process.communicate(data)
        except TimeoutError as error:
            raise OSError("the picture took too long") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or not 0 < len(jpeg) <= MOST_BYTES:
            raise OSError("no picture comes out")
        return jpeg

    def _read(self, planned: Planned) -> bytes:
        if planned.row.init_sha256 is None:
            raise OSError("the run of the segment is not known")
        media = self._tree.path(planned.row.segment.sha256).read_bytes()
        return self._tree.init_path(planned.row.init_sha256).read_bytes() + media


def _second(text: str) -> str:
    """The clip's file name of the second that begins then."""
    begin = datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return f"{text}Z-{begin + timedelta(seconds=1):%Y%m%dT%H%M%SZ}.mp4"


def _proof(asked: Asked, part: Part, planned: Planned, jpeg: bytes) -> dict[str, object]:
    row = planned.row
    sha256, name = row.segment.sha256, asked.name
    return {
        "station": name.station,
        "unit": name.unit,
        "camera": asked.camera,
        "mode": row.segment.mode,
        "jpeg_sha256": hashlib.sha256(jpeg).hexdigest(),
        "segment_sha256": sha256,
        "media": f"/media/{sha256[:2]}/{sha256}.m4s",
        "init": f"/media/{(row.init_sha256 or '')[:2]}/{row.init_sha256}.mp4",
        "line": f"/ledger/{name.station}/{name.unit}/{part.branch}/{row.seq}-{row.seq}.jws",
        "clip": f"/clip/{name.station}/{name.unit}/{asked.camera}/{asked.stem}.mp4",
        "dated_by": "arrival" if part.arrival else "record",
    }


def _refused(status: int, text: str) -> web.Response:
    more = {"Retry-After": "5", "Cache-Control": "no-store"} if status == 503 else {"Cache-Control": "max-age=1"}
    return web.Response(status=status, text=f"{text}\n", headers={**_OPEN, **more})
