"""The addresses of lists. Answers are text in English where there is no list; nothing is ever a page."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from aiohttp import hdrs, web

from archive.site.lists import form
from archive.site.lists.asked import read_reload, read_wanted, takes_gzip
from archive.site.lists.feed import AHEAD, Feed, Published, TooManyError
from archive.site.lists.hourlists import HourLists, Made, Public, Rows, Wanted
from archive.site.lists.shelf import BusyError, Shelf
from archive.site.parts import SiteParts

GROWS_S, WHOLE_S = 2, 60
"""How long a list of an hour may be kept: one that grows, or lacks media, and one that does not."""
_KEPT_S, _KEPT_WHOLE_S = 4.0, 30.0
"""How long it is kept here: the hour that lasts is what a crowd asks for, and making it is the dearest thing here."""
_AGAIN_S = "1"
_AFTER_FAILURE_S = 2.0
_log = logging.getLogger("site")


def _headers(cache: str, **more: str) -> dict[str, str]:
    return {
        "Content-Type": form.TYPE,
        "Cache-Control": cache,
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
        **more,
    }


_LIVE = _headers("max-age=1")
_LIVE_PACKED = _headers("max-age=1", **{"Content-Encoding": "gzip"})


class Publications(Published, Public, Protocol):
    """All that lists ask of the publications."""


class Lists:
    """Handlers of all lists. The live ones are followed from the first request for one until the loop ends."""

    def __init__(self, rows: Rows, publications: Publications, utc_us: Callable[[], int | None]) -> None:
        self.feed = Feed(publications, ThreadPoolExecutor(1, "live-lists"))
        thread = ThreadPoolExecutor(1, "hour-lists")
        self._shelf = Shelf[Wanted, Made](HourLists(rows, publications, utc_us).make, _keeps_s, thread)
        self._following: asyncio.Task[None] | None = None
        self._loading = asyncio.Lock()
        self._failed: tuple[float, OSError] | None = None

    def routes(self) -> list[web.RouteDef]:
        """Both kinds."""
        return [
            web.get("/hls/{station}/{unit}/{camera}/live.m3u8", self.live),
            web.get("/hls/{station}/{unit}/{camera}/{file}", self.hour),
        ]

    async def live(self, request: web.Request) -> web.Response:
        """The live list, now or when it has the entry that is waited for."""
        if self._following is None or self._following.done():
            try:
                await self._follow()
            except OSError as error:
                return _failed(error)
        channel = self.feed.channels.get(request.path)
        if channel is None:
            return _nothing()
        if query := request.query_string:
            try:
                msn = read_reload(query)
            except ValueError as error:
                return _refused(400, str(error))
            if msn is not None and msn > channel.msn:
                if msn > channel.msn + AHEAD:
                    return _refused(400, f"entry {msn} is not one of the next {AHEAD}")
                try:
                    await self.feed.reach(channel, msn)
                except TooManyError:
                    return _refused(503, "too many reloads are waiting")
        packed = takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        return web.Response(body=channel.body(packed=packed), headers=_LIVE_PACKED if packed else _LIVE)

    async def hour(self, request: web.Request) -> web.Response:
        """The replay list of an hour."""
        if request.query_string:
            return _refused(400, "the list of an hour takes no query")
        try:
            wanted = read_wanted(**request.match_info)
        except ValueError:
            return _nothing()
        try:
            made = await self._shelf.get(wanted)
        except BusyError:
            return _refused(503, "too many lists are being made")
        except OSError as error:
            return _failed(error)
        if made is None:
            return _nothing()
        tag = f'W/"{made.digest[:32]}"'
        headers = _headers(f"max-age={WHOLE_S if made.whole else GROWS_S}", ETag=tag)
        if request.headers.get(hdrs.IF_NONE_MATCH, "") == tag:
            return web.Response(status=304, headers=headers)
        if takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=made.packed, headers=headers)
        return web.Response(body=made.text(), headers=headers)

    async def _follow(self) -> None:
        """Begin to follow what is published; on return there is something to show. Raises OSError."""
        async with self._loading:
            if self._following is not None and self._following.done():
                # A bug has ended it: told here, once, and begun anew.
                failed, self._following = self._following, None
                if not failed.cancelled() and (error := failed.exception()) is not None:
                    _log.error("live lists have failed and begin anew", exc_info=error)
            if self._following is None:
                now = asyncio.get_running_loop().time()
                if self._failed is not None and now < self._failed[0]:
                    raise self._failed[1]
                try:
                    if not self.feed.loaded:
                        await self.feed.load()
                except OSError as error:
                    # All who wait behind this one are told so; the next try is for later ones.
                    self._failed = (asyncio.get_running_loop().time() + _AFTER_FAILURE_S, error)
                    raise
                self._following = asyncio.create_task(self.feed.follow())


def routes(parts: SiteParts) -> list[web.RouteDef]:
    """The addresses of lists, for the site's application."""
    return Lists(parts.reader, parts.publications, lambda: parts.clock.read().utc_us).routes()


def _keeps_s(made: Made) -> float:
    return _KEPT_WHOLE_S if made.whole else _KEPT_S


def _nothing() -> web.Response:
    return _refused(404, "there is no such list", **{"Cache-Control": "max-age=1"})


def _failed(error: OSError) -> web.Response:
    _log.error("a list could not be made", extra={"fields": {"error": str(error)}})
    return _refused(503, "the list cannot be made now")


def _refused(status: int, text: str, **headers: str) -> web.Response:
    if status == 503:
        headers["Retry-After"] = _AGAIN_S
    headers.setdefault("Cache-Control", "no-store")
    headers["Access-Control-Allow-Origin"] = "*"
    return web.Response(status=status, text=f"{text}\n", headers=headers)
