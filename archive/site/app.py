"""The site's application: every part's addresses, and what goes with every answer."""

import time
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web

from archive.notices import FOLDER, Notices, read_notices
from archive.site import onefile, proofs
from archive.site.clips import routes as clips
from archive.site.lists import routes as lists
from archive.site.pages.facts import Facts
from archive.site.pages.kept import Kept
from archive.site.pages.media import Media
from archive.site.pages.page import Layout, Site
from archive.site.pages.search import StationSearch
from archive.site.pages.serving import Pages
from archive.site.pages.static import StaticFiles, collect
from archive.site.parts import SiteParts
from archive.site.press.counting import count
from archive.site.press.hours import Hours
from archive.site.press.stills import Stills
from archive.site.press.views import Press
from archive.site.words import load_words
from base.zones import UTC_ZONE, find_zone

MOST_BODY_BYTES = 1 << 10
"""Nothing is sent to the site."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline. ``blob:`` is what a player of segments needs."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def build(parts: SiteParts, facts: Facts, static: StaticFiles | None = None) -> web.Application:
    """The application over open parts. It owns one thread, which ends with it; the parts are the caller's."""
    files = static or collect()
    site = _site(parts, facts, files)
    thread = ThreadPoolExecutor(1, "pages")
    hours, folder = Hours(), parts.config.data / FOLDER

    def notices() -> Notices:
        return read_notices(folder, parts.config.election, parts.trust)

    pages = Pages(site, Kept(thread, time.monotonic), files, Press(hours=hours, notices=notices))
    app = web.Application(middlewares=[pages.errors], client_max_size=MOST_BODY_BYTES)
    app.add_routes(
        [
            *pages.routes(),
            *Media(parts.tree.folder).routes(),
            *lists.routes(parts),
            *proofs.routes(parts),
            *clips.routes(parts),
            *onefile.routes(parts),
            *Stills(parts).routes(),
        ]
    )
    app.on_response_prepare.append(with_headers)
    app.on_response_prepare.append(pages.begins)
    count(app, hours, facts.totals, thread, lambda: parts.clock.read().utc_us or 0)

    async def end(_app: web.Application) -> None:
        thread.shutdown(cancel_futures=True)

    app.on_cleanup.append(end)
    return app


async def with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What goes with every answer that does not say otherwise itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers[hdrs.SERVER] = "unbroken"


def _site(parts: SiteParts, facts: Facts, files: StaticFiles) -> Site:
    config = parts.config.site
    zone = find_zone(config.time_zone) or UTC_ZONE
    layout = Layout(
        load_words(),
        zone=zone,
        titles=config.titles,
        static=files.prefix,
        origin=config.origin,
        test=parts.config.publish.test,
    )
    return Site(
        layout=layout,
        facts=facts,
        roster=parts.roster,
        search=StationSearch(parts.roster.stations),
        zone=zone,
        election=parts.config.election,
        origin=config.origin or f"http://{config.address}:{config.port}",
    )
