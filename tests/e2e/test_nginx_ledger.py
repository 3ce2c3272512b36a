"""Every digest that stands in a ledger, asked of nginx and the real site behind it: only what is published comes."""

import asyncio
import hashlib
import html
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from archive.publish.publish import open_publisher
from archive.site.parts import open_site_parts
from archive.site.serve import run
from base.service import Service
from evidence import jws
from evidence.words import Mode
from tests.e2e.test_nginx import attempts
from tests.fakes.archive import RunningArchive
from tests.fakes.archive_unit import media_of
from tests.fakes.nginx import RunningNginx, free_port
from tests.fakes.station import NOON_US, Station

WAIT_S = 30
UNIT = "/57-002/u1"
MOST_PAGES = 2_000
BEGINNINGS = (
    "/",
    "/az/",
    f"/hls{UNIT}/cam-0/live.m3u8",
    f"/hls{UNIT}/cam-0/2026-05-01T12Z.m3u8",
    f"/ledger{UNIT}/branches.json",
    f"/ledger{UNIT}/0.jws",
    f"/receipts{UNIT}.jws",
    f"/bulk{UNIT}/manifest.json",
    f"/bulk{UNIT}/urls.txt",
    f"/bulk{UNIT}/SHA256SUMS",
    f"/clip{UNIT}/cam-0/20260501T120000Z-20260501T123000Z.mp4",
    "/open/gaps.csv",
    "/trust.pem",
)
_ADDRESS = re.compile(rb"""(?:https://video[.]example)?/[A-Za-z0-9][^\s"'<>()\\]*""")
_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Day:
    """A station whose ledger names media of all kinds: UNARMED, published, delivered and not yet published, on their
    way, and TEST, which is not shown here.
    """

    def __init__(self, archive: RunningArchive, folder: Path) -> None:
        site = replace(archive.config.site, port=free_port(), origin="https://video.example")
        archive.config = replace(archive.config, site=site, publish=replace(archive.config.publish, test=False))
        self.archive, self.station = archive, Station(archive.by)
        self.nginx = RunningNginx(folder / "nginx", archive.config)
        self._open, self._ready = ExitStack(), threading.Event()
        self.unarmed = self._record(2)
        self.station.arm()
        self.published = self._record(3)
        self.waiting = self._record(1)
        self.coming = self._record(1)
        self.station.arm(Mode.TEST)
        self.test = self._record(2)

    def start(self) -> None:
        """Deliver, publish, serve."""
        config, now_us = self.archive.config, NOON_US + self.station.boot_ns // 1_000
        self.archive.clock.set_utc(now_us)
        uplink = self.archive.uplink()
        assert uplink.lines(self.station.lines).status == 200
        for digest in (*self.published, *self.test):
            assert uplink.media(self.media[digest]).status == 201
        publisher = self._open.enter_context(open_publisher(config, self.archive.clock))
        while publisher.step():
            pass
        for digest in self.waiting:
            assert uplink.media(self.media[digest]).status == 201
        for digest in self.unarmed:
            assert uplink.media(self.media[digest]).status not in (200, 201)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        self.nginx.start()

    def stop(self) -> None:
        self.nginx.stop()
        self.stop_site()
        self._open.close()

    def stop_site(self) -> None:
        """Idempotent."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)

    @property
    def media(self) -> dict[str, bytes]:
        return media_of(self.station)

    @property
    def inits(self) -> dict[str, bytes]:
        """The init segments, by digest."""
        found = [data for name, data in self.station.files.items() if name.endswith("init.mp4")]
        return {hashlib.sha256(data).hexdigest(): data for data in found}

    def named(self) -> set[str]:
        """Every digest that stands in a line, and the digest of each line."""
        found = {hashlib.sha256(line).hexdigest() for line in self.station.lines}
        for line in self.station.lines:
            found |= {each.decode() for each in _DIGEST.findall(jws.unseal(line).payload)}
        return found

    def _record(self, count: int) -> list[str]:
        if not self.station.lines:
            self.station.begin()
        before = set(self.media)
        self.station.segments(count)
        return [digest for digest in self.media if digest not in before]

    def _serve(self) -> None:
        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            with open_site_parts(self.archive.config, self.archive.clock) as parts:
                await run(parts, service=Service(), stop=self._stop, listening=lambda _: self._ready.set())

        asyncio.run(main())


@pytest.fixture
def day(archive: RunningArchive, tmp_path: Path) -> Iterator[Day]:
    day = Day(archive, tmp_path)
    day.start()
    try:
        yield day
    finally:
        day.stop()


@pytest.mark.timeout(300)
def test_of_every_digest_in_a_ledger_only_what_is_published_can_be_had(day: Day) -> None:
    named = day.named()
    assert {*day.unarmed, *day.published, *day.waiting, *day.coming, *day.test, *day.inits} <= named
    assert len(named) > 20
    secrets = [data for digest, data in day.media.items() if digest not in day.published]
    reached: set[str] = set()
    for digest in sorted(named):
        for path in attempts(digest):
            said = day.nginx.ask(path)
            assert not any(data in said.body for data in secrets), path
            if said.status == 200:
                assert hashlib.sha256(said.body).hexdigest() == digest, path
                reached.add(digest)
            else:
                assert said.status in (400, 404), (said.status, path)
    assert reached == {*day.published, *day.inits}


def test_parts_and_conditions_of_what_is_not_published_are_not_to_be_had(day: Day) -> None:
    for digest in (*day.unarmed, *day.waiting, *day.coming, *day.test):
        path = f"/media/{digest[:2]}/{digest}.m4s"
        for told in ({"Range": "bytes=0-9"}, {"If-None-Match": f'"{digest}"'}, {"If-Modified-Since": "x"}):
            assert day.nginx.ask(path, told=told).status == 404
        assert day.nginx.ask(path, method="HEAD").status == 404


@pytest.mark.timeout(300)
def test_whoever_follows_every_address_comes_to_nothing_that_is_not_published(day: Day) -> None:
    hidden = {*day.unarmed, *day.waiting, *day.coming, *day.test}
    seen, found = set(BEGINNINGS), list(BEGINNINGS)
    answered: dict[str, int] = {}
    while found:
        path = found.pop()
        said = day.nginx.ask(path)
        answered[path] = said.status
        assert said.status in (200, 300, 301, 302, 303, 400, 404), (path, said.status)
        for digest in hidden:
            assert f"{digest}.m4s".encode() not in said.body, path
            assert day.media[digest] not in said.body, path
        for address in {*_ADDRESS.findall(said.body), said.headers.get("location", "").encode()}:
            following = html.unescape(address.decode("ascii", "ignore")).removeprefix("https://video.example")
            if following.startswith("/") and following not in seen and len(seen) < MOST_PAGES:
                seen.add(following)
                found.append(following)
    assert len(seen) < MOST_PAGES, "all of it was looked at"
    media = {path for path, status in answered.items() if path.startswith("/media/") and status == 200}
    assert {path[10:74] for path in media} == {*day.published, *day.inits}
    assert {path: answered[path] for path in BEGINNINGS if answered[path] != 200} == {"/": 302}


def test_the_real_pages_and_lists_go_on_while_their_site_is_away(day: Day) -> None:
    live = f"/hls{UNIT}/cam-0/live.m3u8"
    paths = (live, "/az/", "/ru/stations/57-002", "/open/status.json", "/trust.pem")
    before = {path: day.nginx.ask(path) for path in paths}
    day.stop_site()
    for path in paths:
        after = day.nginx.ask(path)
        assert (after.status, after.body) == (200, before[path].body), path
        for name in ("content-type", "cache-control", "x-content-type-options"):
            assert after.headers[name] == before[path].headers[name], (path, name)
    assert "default-src 'self'" in day.nginx.ask("/az/").headers["content-security-policy"]
    assert day.nginx.ask(f"{live}?_HLS_msn=99").body == before[live].body
    assert day.nginx.ask("/en/").status == 503
