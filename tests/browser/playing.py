"""A web server that speaks as the public site does of one record: lists, media, ledger lines, trust, facts."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page

from archive.site.lists import form
from evidence.lines import Line, Run, Segment, Start
from tests.fakes.footage import Recording

SITE = Path(__file__).parents[2] / "archive" / "site"
STATIC = ("player", "verifier", "vendor")
POLICY = "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'"
HOUR_US = 3_600_000_000
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
}
_RANGE = re.compile(r"/ledger/([^/]+/[^/]+)/0/(\d+)-(\d+)\.jws")
_MEDIA = re.compile(r"/media/[0-9a-f]{2}/([0-9a-f]{64})\.(?:m4s|mp4)")
_LIVE = re.compile(r"/hls/.+/live\.m3u8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A segment as a list names it; ``date_us`` is UTC of its first picture by its line's clock."""

    seq: int
    run_seq: int
    start_seq: int
    init_sha256: str
    segment: Segment
    date_us: int

    @property
    def duration_us(self) -> int:
        """How long it lasts."""
        return self.segment.to_ns // 1000 - self.segment.from_ns // 1000

    def text(self, *, date: str = "UTC", date_us: int | None = None) -> str:
        """Its lines in a list."""
        tag = form.lines_of(
            branch=0,
            seq=self.seq,
            run_seq=self.run_seq,
            start_seq=self.start_seq,
            mode=self.segment.mode,
            date=date,
        )
        begin = form.date(self.date_us if date_us is None else date_us)
        return begin + tag + form.media(self.duration_us, self.segment.sha256)


def entries_of(lines: Sequence[Line]) -> list[Entry]:
    """Every segment of a ledger with one run and one session, in order."""
    (start,) = (line.seq for line in lines if isinstance(line.body, Start))
    ((run_seq, run),) = ((line.seq, line.body) for line in lines if isinstance(line.body, Run))
    entries = []
    for line in lines:
        if isinstance(line.body, Segment):
            assert line.stamp.utc_us is not None
            date_us = line.stamp.utc_us - (line.stamp.boot_ns - line.body.from_ns) // 1000
            entries.append(
                Entry(
                    seq=line.seq,
                    run_seq=run_seq,
                    start_seq=start,
                    init_sha256=run.init_sha256,
                    segment=line.body,
                    date_us=date_us,
                )
            )
    return entries


def replay_list(parts: Sequence[Entry | str], init_sha256: str = "") -> str:
    """A list that ends, of entries and of further lines; without an entry, tell the init segment."""
    init_sha256 = init_sha256 or next(part.init_sha256 for part in parts if isinstance(part, Entry))
    text = form.head(8, 3) + "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:0\n" + form.init_map(init_sha256)
    return text + "".join(part if isinstance(part, str) else part.text() for part in parts) + form.END


def live_list(entries: Sequence[Entry], first: int) -> str:
    """The live list of neighbours, of which the first has this number; what is missing before one is told there."""
    text = form.head(9, 2) + f"#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    text += form.init_map(entries[0].init_sha256)
    for at, entry in enumerate(entries):
        before = entries[at - 1] if at else None
        if before is not None and before.seq + 1 < entry.seq and before.segment.index + 1 < entry.segment.index:
            text += form.DISCONTINUITY
        text += entry.text()
    return text


@dataclass(slots=True)
class Answers:
    """What the server says. Everything may be changed while it runs."""

    texts: dict[str, str] = field(default_factory=dict)
    media: dict[str, Path] = field(default_factory=dict)
    tampered: set[str] = field(default_factory=set)
    """Digests of media of which one bit is changed on the way."""
    ledgers: dict[str, list[bytes]] = field(default_factory=dict)
    live: Callable[[float], str] | None = None
    """The live list, so many seconds after it was first asked for."""
    asked: list[str] = field(default_factory=list)
    _begun: float | None = None

    def answer(self, path: str) -> bytes | None:
        """The body at an address; None where there is nothing."""
        self.asked.append(path)
        if path in self.texts:
            return self.texts[path].encode()
        if found := _MEDIA.fullmatch(path):
            return self._media(found[1])
        if found := _RANGE.fullmatch(path):
            lines = self.ledgers.get(found[1], [])[int(found[2]) : int(found[3]) + 1]
            return b"".join(line + b"\n" for line in lines) if len(lines) == int(found[3]) - int(found[2]) + 1 else None
        if _LIVE.fullmatch(path) and self.live is not None:
            self._begun = self._begun or time.monotonic()
            return self.live(time.monotonic() - self._begun).encode()
        if path.startswith("/static/t/") and path.split("/")[3] in STATIC and ".." not in path:
            file = SITE / path.removeprefix("/static/t/")
            return file.read_bytes() if file.is_file() else None
        return None

    def _media(self, sha256: str) -> bytes | None:
        if sha256 not in self.media:
            return None
        data = bytearray(self.media[sha256].read_bytes())
        if sha256 in self.tampered:
            data[len(data) // 2] ^= 1
        return bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerSite:
    """``answers`` are served at ``origin``."""

    origin: str
    answers: Answers
    entries: tuple[Entry, ...]
    path: str
    """``STATION/UNIT/CAMERA`` of the record."""

    @property
    def station(self) -> str:
        """The station's name."""
        return self.path.split("/")[0]

    def put_hour(self, text: str) -> None:
        """Serve a replay list for the hours that the record touches."""
        for entry in (self.entries[0], self.entries[-1]):
            self.answers.texts[f"/hls/{self.path}/{hour_name(entry.date_us)}.m3u8"] = text

    def put_facts(self, spans: Sequence[tuple[int, int, str, str | None]], state: str = "complete") -> None:
        """Serve what is known of the camera: spans from and to (UTC, us), state, cause."""
        _, unit, camera = self.path.split("/")
        told = [
            {"from": iso(begin), "to": iso(end), "state": word, "cause": None, "boot": None}
            for begin, end, word, _ in spans
        ]
        gaps = [
            {
                "from": {"boot": "", "boot_ns": 0, "utc": [iso(begin), iso(begin)]},
                "to": {"boot": "", "boot_ns": 0, "utc": [iso(end), iso(end)]},
                "cause": cause,
            }
            for begin, end, _, cause in spans
            if cause is not None
        ]
        cameras = [{"unit": unit, "camera": camera, "state": state, "spans": told, "gaps": gaps}]
        facts = {"station": self.station, "state": state, "cameras": cameras}
        self.answers.texts[f"/open/stations/{self.station}.json"] = json.dumps(facts)

    def put_page(self, name: str, body: str, script: str, lang: str = "en") -> str:
        """Serve a page; its address."""
        words = json.dumps(json.loads((SITE / "player/words.json").read_text())[lang]).replace("<", "\\u003c")
        self.answers.texts[f"/{name}"] = (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Player</title>'
            '<link rel="icon" href="/icon.svg"><meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="/static/t/player/player.css">'
            f'<script type="application/json" id="player-words">{words}</script><main><h1>Player</h1>{body}</main>'
            f'<script type="module" src="{script}"></script></html>'
        )
        return f"{self.origin}/{name}"

    def put_station_page(self, lang: str = "en", cameras: Sequence[str] = ()) -> str:
        """Serve the page of the station; its address."""
        named = " ".join(cameras) or "/".join(self.path.split("/")[1:])
        body = (
            f'<div class="player" data-station="{self.station}" data-cameras="{named}" data-zone="Asia/Baku" '
            f'data-lang="{lang}" data-verify="/{lang}/how"></div>'
        )
        return self.put_page("station.html", body, "/static/t/player/station.js", lang)


def wait(page: Page, condition: str, seconds: float = 30) -> None:
    """Until a JavaScript condition holds on the page; its policy forbids what Playwright's own wait does."""
    ends = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({condition})"):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {condition}")
        page.wait_for_timeout(100)


def hour_name(utc_us: int) -> str:
    """The name of the hour list in which a time lies."""
    return iso(utc_us)[:13] + "Z"


def iso(utc_us: int) -> str:
    """A date as lists and open data write it."""
    return form.date(utc_us).removeprefix("#EXT-X-PROGRAM-DATE-TIME:").strip()


def at_address(utc_us: int) -> str:
    """A date as it stands in the query of an address."""
    return iso(utc_us).replace("Z", "%2B00:00")


@contextmanager
def serve_record(recording: Recording) -> Iterator[PlayerSite]:
    """A site of its own for one record."""
    answers = Answers()
    answers.media = {segment.sha256: recording.path(segment) for segment in recording.segments}
    answers.media[recording.run.init_sha256] = recording.init
    station = recording.rig.station
    names = f"{station.name}/{station.unit}"
    answers.ledgers[names] = recording.rig.layout.ledger.read_bytes().splitlines()
    answers.texts["/trust.pem"] = station.root.read_text()
    answers.texts |= {"/revoked.pem": "", "/icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>'}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            body = answers.answer(path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", TYPES.get(Path(path).suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *arguments: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield PlayerSite(
            origin=f"http://127.0.0.1:{server.server_port}",
            answers=answers,
            entries=tuple(entries_of(recording.lines)),
            path=f"{names}/{recording.run.camera}",
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
