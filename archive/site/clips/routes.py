"""The addresses of clips and of bulk downloads."""

import asyncio
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from archive.site.clips import bulk
from archive.site.clips.acknowledged import receipts_for
from archive.site.clips.asked import Asked, TooLongError, read_asked, utc_text
from archive.site.clips.choice import choice_page, choices
from archive.site.clips.film import Tree, film
from archive.site.clips.plan import Part, Planner, Public
from archive.site.clips.turns import Pace, TooManyError, Turns

if TYPE_CHECKING:
    from archive.site.parts import SiteParts

_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_FRESH = {**_OPEN, "Cache-Control": "no-store"}
"""What is missing now may be there in a minute."""
_CRL = b"-----BEGIN X509 CRL-----"
_WRITE_S = 60
_log = logging.getLogger("site")


class Clips:
    """Handlers of clips. ``ledgers`` is the folder of all ledgers, ``journal`` the file of all receipts."""

    def __init__(
        self, rows: bulk.Rows, public: Public, tree: Tree, *, ledgers: Path, journal: Path, turns: Turns | None = None
    ) -> None:
        self._rows, self._tree = rows, tree
        self._ledgers, self._journal = ledgers, journal
        self._planner = Planner(rows, public)
        self._planning = ThreadPoolExecutor(1, "clips-plan")
        self._reading = ThreadPoolExecutor(4, "clips-read")
        self._turns = turns or Turns()
        self._pace: Pace | None = None

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [web.get("/clip/{station}/{unit}/{camera}/{file}", self.clip)]

    async def clip(self, request: web.Request) -> web.StreamResponse:
        """A film, or what there is where the range has several."""
        try:
            asked = read_asked(**request.match_info)
        except LookupError:
            return _refused(404, "there is no such clip")
        except TooLongError:
            station, unit = request.match_info["station"], request.match_info["unit"]
            more = f"all of it can be fetched as files: /bulk/{station}/{unit}/manifest.json"
            return _refused(400, f"a clip lasts two hours at most; {more}")
        except ValueError as error:
            return _refused(400, str(error))
        address = address_of(request)
        try:
            async with self._turns.turn(address):
                return await self._serve(request, asked, address)
        except TooManyError as error:
            refused = _refused(503, "many are fetching clips now; please come again")
            refused.headers[hdrs.RETRY_AFTER] = str(error.again_s)
            return refused
        except ConnectionResetError:
            raise
        except OSError as error:
            _log.error("a clip could not be made", extra={"fields": {"path": request.path, "error": str(error)}})
            refused = _refused(503, "the clip cannot be made now")
            refused.headers[hdrs.RETRY_AFTER] = "2"
            return refused

    async def _serve(self, request: web.Request, asked: Asked, address: str) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        parts = await loop.run_in_executor(self._planning, self._planner.plan, asked)
        if not parts:
            return _refused(404, "nothing of this range is public")
        if asked.listed:
            return web.Response(
                body=json.dumps(choices(asked, parts), indent=1).encode(),
                headers={**_FRESH, "Content-Type": "application/json"},
            )
        if asked.number is None and len(parts) > 1:
            return web.Response(
                status=300, body=choice_page(asked, parts).encode(), headers={**_FRESH, "Content-Type": "text/html"}
            )
        number = asked.number or 1
        if number > len(parts):
            return _refused(404, f"this range has {len(parts)} parts")
        return await self._send(request, asked, parts[number - 1], address)

    async def _send(self, request: web.Request, asked: Asked, part: Part, address: str) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        pieces = await loop.run_in_executor(self._reading, self._film, asked, part)
        ahead = await loop.run_in_executor(self._reading, next, pieces)
        answer = web.StreamResponse(
            headers={
                **_FRESH,
                "Content-Type": "video/mp4",
                "Content-Disposition": f'attachment; filename="{file_name(asked, part)}"',
                "Accept-Ranges": "none",
            }
        )
        await answer.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return answer
        self._pace = self._pace or Pace(loop.time)
        piece: bytes | None = ahead
        try:
            while piece is not None:
                await asyncio.sleep(self._pace.delay_s(address, len(piece)))
                async with asyncio.timeout(_WRITE_S):
                    await answer.write(piece)
                piece = await loop.run_in_executor(self._reading, next, pieces, None)
        except ConnectionResetError:
            raise
        except (OSError, TimeoutError) as error:
            # Broken off: its end must not be taken for the end of the clip.
            if not isinstance(error, TimeoutError):
                _log.error("a clip was broken off", extra={"fields": {"path": request.path, "error": str(error)}})
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError(str(error)) from error
        return answer

    def _film(self, asked: Asked, part: Part) -> Iterator[bytes]:
        rows = [planned.row for planned in part.segments]
        receipts = receipts_for(rows, self._rows.receipts(asked.name), self._journal)
        ledger = self._ledgers / asked.name.station / asked.name.unit / f"{part.branch}.jws"
        return film(part, media=self._tree, ledger=ledger, receipts=receipts)


def routes(parts: "SiteParts") -> list[web.RouteDef]:
    """The addresses of clips and bulk downloads, for the site's application."""
    clips = Clips(parts.reader, parts.publications, parts.tree, ledgers=parts.ledgers, journal=parts.receipts)
    config = parts.config
    lists = bulk.Bulk(
        parts.reader,
        parts.publications,
        origin=config.site.origin or None,
        election=config.election,
        revoked=lambda: any(_CRL in path.read_bytes() for path in (config.trust, config.revoked) if path is not None),
    )
    return [*clips.routes(), *lists.routes()]


def address_of(request: web.Request) -> str:
    """Who asks, to be fair between them: as nginx says, where one stands in front; nothing keeps it."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded[:64] or request.remote or ""


def file_name(asked: Asked, part: Part) -> str:
    """What the film is called on a disk: where, when by what clock, and whether something in it is not public yet."""
    mode = part.segments[0].row.segment.mode
    words = [asked.name.station, asked.name.unit, asked.camera, utc_text(part.from_us), utc_text(part.to_us)]
    words += [] if mode == "LIVE" else [mode.value]
    words += ["by-arrival"] if part.arrival else []
    words += [] if part.complete else ["incomplete"]
    return "_".join(words) + ".mp4"


def _refused(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=_FRESH)
