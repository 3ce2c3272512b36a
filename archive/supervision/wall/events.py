"""The wall's news as server-sent events (HTML Living Standard, 9.2): at most one batch a second, made once for all.

The first event of a connection is the whole state, unless Last-Event-ID names a look of this process that is not long
past: then what has changed behind it.
"""

import asyncio
import json
from collections.abc import Callable

from aiohttp import hdrs, web

from archive.roster import LANGUAGES
from archive.site.pages.times import Times
from archive.supervision.doors import Doors, certificate_of
from archive.supervision.wall.backlog import Backlog
from archive.supervision.wall.tiles import Needs, tiles_of
from archive.supervision.wall.watch import Watch

MOST_READERS = 128
"""Beyond, 503: browsers ask again."""
BEAT_S = 15.0
"""So often something is said in any case, so that either side notices an end."""
_BLIND = b"event: blind\ndata: the index cannot be read\n\n"
_SLOW_S = 20.0
"""Who takes nothing for so long is let go; he asks again."""


class Events:
    """For one loop. ``process`` tells this process's looks from an earlier one's."""

    def __init__(
        self,
        watch: Watch,
        backlog: Backlog,
        needs: Needs,
        times: Callable[[str], Times],
        doors: Doors,
        *,
        process: str,
    ) -> None:
        self._watch, self._backlog, self._needs, self._times, self._doors = watch, backlog, needs, times, doors
        self._process = process
        self._readers = 0
        self._news = asyncio.Condition()
        self._made: dict[tuple[str, int, int], bytes] = {}
        self._before: frozenset[str] = frozenset()
        self._ending = self._blind = False

    async def looked(self, *, blind: bool = False) -> None:
        """To be told after each look; ``blind`` where it saw nothing."""
        self._blind = blind
        self._made.clear()
        async with self._news:
            self._news.notify_all()

    async def end(self) -> None:
        """Every reader is let go."""
        self._ending = True
        await self.looked()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """``/events?lang=en``."""
        if self._readers >= MOST_READERS:
            raise web.HTTPServiceUnavailable(headers={hdrs.RETRY_AFTER: "5"})
        language = request.query.get("lang", LANGUAGES[0])
        if language not in LANGUAGES:
            raise web.HTTPNotFound
        response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
                hdrs.CACHE_CONTROL: "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        self._readers += 1
        try:
            await response.prepare(request)
            await self._follow(request, response, language, self._asked(request))
        except (ConnectionError, TimeoutError):
            pass  # he has hung up, or takes nothing
        finally:
            self._readers -= 1
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse, language: str, number: int) -> None:
        certificate = certificate_of(request)
        while not self._ending:
            seen = self._watch.seen.number
            nothing = _BLIND if self._blind else b": nothing new\n\n"
            text = self._batch(language, number, seen) if seen != number else nothing
            async with asyncio.timeout(_SLOW_S):
                await response.write(text)
            number = seen
            async with self._news:
                try:
                    async with asyncio.timeout(BEAT_S):
                        await self._news.wait()
                except TimeoutError:
                    pass
            # A list may have revoked it meanwhile.
            self._doors.admit(certificate)

    def _asked(self, request: web.Request) -> int:
        """The look that the reader has, or -1."""
        process, _, number = request.headers.get("Last-Event-ID", "").partition(".")
        known = process == self._process and number.isascii() and number.isdecimal()
        return int(number[:15]) if known else -1

    def _batch(self, language: str, number: int, seen: int) -> bytes:
        key = (language, number, seen)
        if key not in self._made:
            self._made[key] = self._make(language, number)
        return self._made[key]

    def _make(self, language: str, number: int) -> bytes:
        changed, look, needs = self._watch.since(number), self._watch.seen, frozenset(self._needs())
        times, finish_s = self._times(language), self._backlog.finish_s()
        if changed is not None:
            # What needs an answer now or did at the look before, and what counts down, is told each time.
            told = {each.name for each in changed} | needs | self._before | set(finish_s)
            stations = tuple(each for each in look.stations if each.name in told)
        else:
            stations = look.stations
        self._before = needs
        body = {
            "whole": changed is None,
            "at": times.clock(look.at_us),
            "alerts": len(needs),
            "states": {str(state): count for state, count in look.totals.states.items()},
            "tiles": [tile.as_json() for tile in tiles_of(stations, needs, finish_s, times)],
        }
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._process}.{look.number}\nevent: batch\ndata: {data}\n\n".encode("utf-8", "replace")
