"""Pages over HTTP: addresses, caching, conditional requests, and errors as pages in the same manner."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import hdrs, web

from archive.roster import LANGUAGES
from archive.site.pages import lists, opendata, station, texts
from archive.site.pages.clip import clip
from archive.site.pages.kept import BusyError, Kept, Packed
from archive.site.pages.page import Answer, Asked, NotHere, NotUnderstood, Site
from archive.site.pages.static import StaticFiles
from archive.site.pages.told import FINDING
from archive.site.press.hours import Hours
from archive.site.press.views import Press
from archive.site.words import N_

View = Callable[[Site, Asked], Answer]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"
_NUMBER = r"[0-9]{1,18}"
_PAGES: tuple[tuple[str, View], ...] = (
    ("/", lists.home),
    ("/stations", lists.stations),
    (f"/stations/{{station:{_NAME}}}", station.station),
    ("/constituencies/{constituency:[1-9][0-9]{0,2}}", lists.constituency),
    ("/search", lists.search),
    ("/gaps", lists.gaps),
    (
        f"/gaps/{{station:{_NAME}}}/{{unit:{_NAME}}}/{{branch:{_NUMBER}|{FINDING}}}/{{seq:{_NUMBER}}}",
        station.incident,
    ),
    ("/clip", clip),
    ("/mosaic", texts.mosaic),
    ("/data", texts.data),
    ("/verify", texts.verify),
    ("/how", texts.how),
    ("/status", texts.status),
)
_DATA: tuple[tuple[str, View], ...] = (
    ("/open/stations.csv", opendata.stations_csv),
    ("/open/stations.json", opendata.stations_json),
    (f"/open/stations/{{station:{_NAME}}}.json", opendata.station_json),
    ("/open/gaps.json", opendata.gaps_json),
    ("/open/gaps.csv", opendata.gaps_csv),
    ("/open/status.json", opendata.status_json),
)
_ASKED_FOR: dict[View, tuple[str, ...]] = {
    lists.stations: ("state", "page"),
    lists.search: ("q",),
    lists.gaps: ("station", "page"),
    clip: ("station", "camera", "from", "to"),
}
"""Whatever else stands behind the question mark makes no other page."""
_MOST_LETTERS = 200
_MACHINES = ("bulk", "clip", "hls", "ledger", "media", "open", "receipts", "static", "still", "verifier")
"""Whoever asks for these is a program: errors are text."""
AGAIN_S = "5"

_log = logging.getLogger("site")


class Pages:
    """Handlers of pages, open data and static files."""

    def __init__(self, site: Site, kept: Kept, static: StaticFiles, press: Press | None = None) -> None:
        self._site, self._kept, self._static = site, kept, static
        self._press = press or Press(hours=Hours())
        self._begun: dict[int, bool] = {}
        """Of each request that a handler has now: whether it has begun an answer, which cannot become another."""

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        language = f"/{{language:{'|'.join(LANGUAGES)}}}"
        return [
            web.get("/", _home),
            *(
                web.get(f"{language}{path}", partial(self._answer, view))
                for path, view in (*_PAGES, *self._press.views())
            ),
            *(web.get(path, partial(self._answer, view)) for path, view in (*_DATA, *self._press.data())),
            web.get(f"{language}", _with_slash),
            web.get("/static/{digest}/{name:.+}", self._file),
        ]

    async def begins(self, request: web.Request, _response: web.StreamResponse) -> None:
        """To be told of every answer that begins."""
        if id(request) in self._begun:
            self._begun[id(request)] = True

    @web.middleware
    async def errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What a handler raises becomes a page, or text for a program."""
        self._begun[id(request)] = False
        try:
            return await handler(request)
        except NotHere as error:
            return self.error(request, 404, error.why)
        except NotUnderstood as error:
            return self.error(request, 400, self._said(request, error))
        except BusyError:
            return self.error(request, 503)
        except OSError as error:
            if self._begun[id(request)]:
                raise  # the reader hung up in the middle of a file, or the file broke off: nothing more can be said
            _log.error("a page could not be made", extra={"fields": {"path": request.path, "error": str(error)}})
            return self.error(request, 503)
        except web.HTTPException as error:
            if error.status not in (400, 404, 405):
                raise
            allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return self.error(request, error.status, headers=allowed)
        except Exception:
            if self._begun[id(request)]:
                raise
            _log.exception("a page has failed", extra={"fields": {"path": request.path}})
            return self.error(request, 500)
        finally:
            del self._begun[id(request)]

    def error(
        self, request: web.Request, status: int, why: str = "", headers: dict[str, str] | None = None
    ) -> web.Response:
        """What happened, whether anything was lost, and what to do next. ``why`` is a key of the catalogues."""
        more = {hdrs.CACHE_CONTROL: "max-age=1" if status == 404 else "no-store", **(headers or {})}
        if status == 503:
            more[hdrs.RETRY_AFTER] = AGAIN_S
        first = request.path.split("/")[1]
        if first in _MACHINES or first.endswith(".pem"):
            more["Access-Control-Allow-Origin"] = "*"
            return web.Response(status=status, text=f"{_PLAIN[status]}\n", headers=more)
        language = first if first in LANGUAGES else LANGUAGES[0]
        say = self._site.layout.words[language].say
        what, lost, following = (say(text) for text in _TOLD[status])
        answer = self._site.layout.page(
            Asked(language=language, path=""),
            "error.html",
            status=status,
            what=what,
            lost=lost,
            next=f"{say(why)} {following}".strip(),
        )
        return web.Response(
            status=status, body=answer.body, content_type=answer.content_type, charset="utf-8", headers=more
        )

    def _said(self, request: web.Request, error: NotUnderstood) -> str:
        language = request.match_info.get("language", LANGUAGES[0])
        return self._site.layout.words[language].say(error.why).format(**error.values)

    async def _answer(self, view: View, request: web.Request) -> web.Response:
        parts = {name: value for name, value in request.match_info.items() if name != "language"}
        query = {
            name: request.query[name][:_MOST_LETTERS] for name in _ASKED_FOR.get(view, ()) if name in request.query
        }
        language = request.match_info.get("language", "en")
        path = request.path.removeprefix(f"/{language}") or "/"
        asked = Asked(language=language, path=path, parts=parts, query=query)
        key = (request.path, tuple(query.items()))
        return _response(request, await self._kept.get(key, partial(view, self._site, asked)))

    async def _file(self, request: web.Request) -> web.Response:
        file = self._static.files.get(request.match_info["name"])
        if file is None or request.match_info["digest"] != self._static.digest:
            raise web.HTTPNotFound
        headers = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable", hdrs.VARY: "Accept-Encoding"}
        if _takes_gzip(request):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = file.gzipped if _takes_gzip(request) else file.body
        return web.Response(body=body, content_type=file.content_type, charset="utf-8", headers=headers)


def _response(request: web.Request, packed: Packed) -> web.Response:
    answer = packed.answer
    headers = {
        **answer.headers,
        hdrs.CACHE_CONTROL: f"public, max-age={answer.max_age_s}",
        hdrs.VARY: "Accept-Encoding",
        hdrs.ETAG: packed.tag,
    }
    if answer.status == 200 and request.headers.get(hdrs.IF_NONE_MATCH, "") == packed.tag:
        return web.Response(status=304, headers=headers)
    body = answer.body
    if packed.gzipped is not None and _takes_gzip(request):
        headers[hdrs.CONTENT_ENCODING], body = "gzip", packed.gzipped
    return web.Response(
        status=answer.status, body=body, content_type=answer.content_type, charset="utf-8", headers=headers
    )


def _takes_gzip(request: web.Request) -> bool:
    offers = [offer.strip().lower() for offer in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(",")]
    return any(offer == "gzip" or (offer.startswith("gzip;") and not offer.endswith("q=0")) for offer in offers)


async def _home(_request: web.Request) -> web.Response:
    return web.Response(status=302, headers={hdrs.LOCATION: f"/{LANGUAGES[0]}/", hdrs.CACHE_CONTROL: "max-age=3600"})


async def _with_slash(request: web.Request) -> web.Response:
    return web.Response(status=301, headers={hdrs.LOCATION: f"/{request.match_info['language']}/"})


_PLAIN = {
    400: "this address cannot be understood",
    404: "there is nothing at this address",
    405: "this address can only be read",
    500: "this could not be made because of a fault",
    503: "this cannot be made now; try again",
}
_NOTHING_LOST = N_("Nothing is lost: units record whether these pages answer or not.")
_TOLD = {
    400: (
        N_("This address cannot be understood"),
        N_("Nothing is lost: only the address is wrong."),
        N_("Go back and choose again, or search for the station."),
    ),
    404: (
        N_("There is no such page"),
        N_("Nothing is lost: only the address is wrong, or leads to what is not here yet."),
        N_("Check the address, or search for the station."),
    ),
    405: (
        N_("This address can only be read"),
        N_("Nothing is lost, and nothing was changed."),
        N_("Go back and choose again, or search for the station."),
    ),
    500: (
        N_("This page could not be made because of a fault"),
        _NOTHING_LOST,
        N_("Try again. If it stays so, tell the election commission the address and the time."),
    ),
    503: (
        N_("This page cannot be made now"),
        _NOTHING_LOST,
        N_("Try again in a few seconds."),
    ),
}
