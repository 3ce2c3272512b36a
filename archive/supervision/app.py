"""The supervision centre's application: the wall, and behind the same door the public pages of each station."""

import asyncio
import gzip
import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import hdrs, web

from archive.roster import LANGUAGES
from archive.site import proofs
from archive.site.app import with_headers
from archive.site.clips import routes as clips
from archive.site.lists import routes as lists
from archive.site.pages.facts import Facts
from archive.site.pages.kept import Kept
from archive.site.pages.media import Media
from archive.site.pages.page import Layout, Site
from archive.site.pages.search import StationSearch
from archive.site.pages.serving import Pages
from archive.site.pages.static import StaticFile, StaticFiles, collect
from archive.supervision.doors import Doors, NotAdmitted, Right, certificate_of, let_in, operator_of, require
from archive.supervision.doors import require_same_origin as same_origin
from archive.supervision.parts import SupervisionParts
from archive.supervision.wall.backlog import Backlog
from archive.supervision.wall.events import Events
from archive.supervision.wall.page import SupervisionLayout, log_page, wall_page
from archive.supervision.wall.thumbnails import Thumbnails
from archive.supervision.wall.tiles import STANDS_OUT, Needs, tiles_of
from archive.supervision.words import load_words
from base.zones import UTC_ZONE, find_zone

MOST_BODY_BYTES = 64 << 10
STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_LANGUAGE = f"/{{language:{'|'.join(LANGUAGES)}}}"
_OURS = ("/", _LANGUAGE, f"{_LANGUAGE}/")
_SEEN = (
    ("station", re.compile(r"/(?:az|en|ru)/stations/([^/]+)")),
    ("thumbnail", re.compile(r"/thumbnails/([^/]+)\.jpeg")),
    ("export", re.compile(r"/((?:open|clip|bulk|ledger|receipts)/.+)")),
    ("log", re.compile(r"/(?:az|en|ru)(/log)")),
)
"""Views that are written down; everything that is changed is written down by who changes it."""
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]+)?")
_AGAIN_S = 60.0
"""The pictures of a station are asked for again and again: once a minute is written down."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Centre:
    """The application, and what must go on beside it: ``looked`` is to be told after every look of the watch."""

    def __init__(self, parts: SupervisionParts, facts: Facts, doors: Doors, *, needs: Needs | None = None) -> None:
        """``needs`` says who needs an answer; without it, every station whose state stands out."""
        self._parts, self._doors = parts, doors
        self._asked = needs or self._standing_out
        self._needed: frozenset[str] = frozenset()
        self._thread = ThreadPoolExecutor(1, "pages")
        self._logging = ThreadPoolExecutor(1, "log")
        self._written: dict[tuple[str, str], float] = {}
        files = _files()
        zone = find_zone(parts.archive.site.time_zone) or UTC_ZONE
        words = load_words()
        self.layout = SupervisionLayout(words, zone=zone, titles=parts.archive.site.titles, static=files.prefix)
        self._backlog = Backlog(parts.public.reader.lacking)
        parts.watch.follow(self._backlog.told)
        parts.watch.follow(self._look_up_needs)
        times = self.layout.times
        self._events = Events(
            parts.watch, self._backlog, self._needs, lambda key: times[key], doors, process=secrets.token_hex(6)
        )
        self._pages = Pages(self._site(facts, files), Kept(self._thread, time.monotonic), files)
        self._thumbnails = Thumbnails(parts.watch, parts.public.publications, parts.public.tree)

    def application(self, more: Sequence[web.AbstractRouteDef] = ()) -> web.Application:
        """``more`` are routes of other parts of the centre."""
        app = web.Application(middlewares=[self._door, self._pages.errors], client_max_size=MOST_BODY_BYTES)
        public = self._parts.public
        app.add_routes(
            [
                web.get("/", self._home),
                web.get(f"{_LANGUAGE}/", self._wall),
                web.get(f"{_LANGUAGE}/log", self._log),
                web.get("/events", self._events.events),
                web.get("/thumbnails/{station:[A-Za-z0-9-]{1,32}}.jpeg", self._thumbnails.thumbnail),
                *more,
                *(route for route in self._pages.routes() if route.path not in _OURS),
                *Media(public.tree.folder).routes(),
                *lists.routes(public),
                *proofs.routes(public),
                *clips.routes(public),
            ]
        )
        app.on_response_prepare.append(with_headers)
        app.on_response_prepare.append(self._pages.begins)
        app.on_cleanup.append(self._close)
        return app

    async def looked(self, *, blind: bool = False) -> None:
        """Tell who follows the wall; ``blind`` where the index could not be read."""
        await self._events.looked(blind=blind)

    async def end(self) -> None:
        """Let all followers go."""
        await self._events.end()

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who asks, whether he may, and a row of the log before anything of a station is shown."""
        try:
            certificate = certificate_of(request)
            if certificate is None and not _LOOPBACK.fullmatch(request.host):
                raise NotAdmitted(text="this port is for this machine only\n")
            operator = self._doors.admit(certificate)
            let_in(request, operator)
            if request.method not in ("GET", "HEAD"):
                same_origin(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=error.text)
        seen = _seen(request.path)
        if seen is not None and (seen[0] != "log" or operator.may(Right.ADMINISTER)):
            try:
                await asyncio.get_running_loop().run_in_executor(self._logging, self._write, request, *seen)
            except OSError:
                return web.Response(status=503, text="the access log cannot be written: nothing is shown\n")
        try:
            return await handler(request)
        except NotAdmitted as error:
            return web.Response(status=403, text=error.text)

    def _write(self, request: web.Request, what: str, target: str) -> None:
        operator, now_s = operator_of(request), time.monotonic()
        if what == "thumbnail":
            key = (f"{operator.certificate}{request.remote}", target)
            if self._written.get(key, float("-inf")) + _AGAIN_S > now_s:
                return
            self._written = {each: at for each, at in self._written.items() if at + _AGAIN_S > now_s}
            self._written[key] = now_s
        address = request.remote or ""
        self._parts.log.add(operator, at_us=self._parts.now_us(), address=address, what=what, target=target)

    async def _home(self, _request: web.Request) -> web.Response:
        return web.Response(status=302, headers={hdrs.LOCATION: f"/{LANGUAGES[0]}/"})

    async def _wall(self, request: web.Request) -> web.Response:
        language, seen = request.match_info["language"], self._parts.watch.seen
        times = self.layout.times[language]

        def make() -> bytes:
            tiles = tiles_of(seen.stations, frozenset(self._needs()), self._backlog.finish_s(), times)
            return wall_page(self.layout, language, operator_of(request), seen, tiles, request.query)

        return await self._made(make)

    async def _log(self, request: web.Request) -> web.Response:
        operator = require(request, Right.ADMINISTER)
        before = request.query.get("before", "")
        first = int(before[:15]) if before.isascii() and before.isdecimal() else None

        def make() -> bytes:
            log = self._parts.log
            rows, broken = log.newest(before=first), log.broken_at()
            return log_page(self.layout, request.match_info["language"], operator, rows, broken)

        return await self._made(make)

    async def _made(self, make: Callable[[], bytes]) -> web.Response:
        body = await asyncio.get_running_loop().run_in_executor(self._thread, make)
        response = web.Response(body=body, content_type="text/html", charset="utf-8")
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.enable_compression()
        return response

    async def _close(self, _app: web.Application) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._logging.shutdown()

    def _needs(self) -> frozenset[str]:
        return self._needed

    def _look_up_needs(self, _stations: object, _at_us: int) -> None:
        """In the watch's thread, so that no page and no event waits for the database."""
        self._needed = frozenset(self._asked())

    def _standing_out(self) -> frozenset[str]:
        return frozenset(each.name for each in self._parts.watch.seen.stations if each.state in STANDS_OUT)

    def _site(self, facts: Facts, files: StaticFiles) -> Site:
        archive, roster = self._parts.archive, self._parts.public.roster
        zone = find_zone(archive.site.time_zone) or UTC_ZONE
        layout = Layout(
            load_words(),
            zone=zone,
            titles=archive.site.titles,
            static=files.prefix,
            origin=None,
            test=archive.publish.test,
        )
        return Site(
            layout=layout,
            facts=facts,
            roster=roster,
            search=StationSearch(roster.stations),
            zone=zone,
            election=archive.election,
            origin=archive.site.origin or "",
        )


def _seen(path: str) -> tuple[str, str] | None:
    """What of which is seen at an address, where that is written down."""
    for what, form in _SEEN:
        found = form.fullmatch(path)
        if found is not None:
            return what, found[1]
    return None


def _files() -> StaticFiles:
    """The site's files, and the centre's own beside them."""
    site = collect()
    files, whole = dict(site.files), hashlib.sha256(site.digest.encode())
    for path in sorted(STATIC.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            whole.update(f"{path.name}\0{len(body)}\0".encode() + body)
            file = StaticFile(body=body, gzipped=gzip.compress(body, 9, mtime=0), content_type=_TYPES[path.suffix])
            files[f"supervision/{path.name}"] = file
    return StaticFiles(digest=whole.hexdigest()[:8], files=files)
