"""Days that a test writes to the second: scripted stations deliver to a real archive, whose real site is watched."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from archive.publish.publications import Publications
from archive.publish.publish import open_publisher
from archive.roster import COLUMNS
from archive.site.parts import open_site_parts
from archive.site.serve import run
from base.service import Service
from tests.fakes.archive import Reply, RunningArchive, Uplink, timeless_authority
from tests.fakes.archive_unit import media_of
from tests.fakes.filmed import FilmedStation
from tests.fakes.station import NOON_US, Station

WAIT_S = 30
TITLES = {"az": "Nümunə seçkisi", "en": "Sample election", "ru": "Пример выборов"}
_REASON = {"reason_az": "müvəqqəti məntəqə", "reason_en": "temporary station", "reason_ru": "временный участок"}
OPENING_US = NOON_US - 60_000_000
"""A minute before noon UTC."""


class ScriptedSite:
    """An archive, its publisher and its site. The clock of all three stands where the newest delivery was recorded."""

    def __init__(self, folder: Path, stations: Sequence[str], opening_us: int) -> None:
        """``opening_us`` is UTC at the boot time 0 of its stations, which record from twenty seconds later on."""
        self.opening_us = opening_us
        self.archive = RunningArchive(folder / "archive", timeless_authority())
        roster = folder / "stations.csv"
        roster.write_text(_roster(stations), encoding="utf-8")
        config = self.archive.config
        public = replace(config.publish, test=False)
        self.archive.config = replace(config, publish=public, site=replace(config.site, roster=roster, titles=TITLES))
        self.port = 0
        self._delivered: dict[str, tuple[int, set[str]]] = {}
        self._uplinks: dict[str, Uplink] = {}
        self._open = ExitStack()

    def start(self) -> None:
        """Intake, publisher and site; on return the site answers."""
        self.archive.clock.set_utc(self.opening_us)
        self.archive.start()
        assert self.archive.error is None, self.archive.error
        Publications(self.archive.config.publish.database, writes=True).close()
        self._publisher = self._open.enter_context(open_publisher(self.archive.config, self.archive.clock))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    def stop(self) -> None:
        """The end of all three."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)
        self._open.close()
        self.archive.stop()

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> Reply:
        """One request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return Reply(status=answer.status, headers=dict(answer.headers), body=answer.read())
        finally:
            connection.close()

    def told(self, path: str) -> Any:
        """Open data."""
        return json.loads(self.get(path).body)

    def station(self, name: str = "57-002", unit: str = "u1", **options: object) -> FilmedStation:
        """A unit; nothing of it is delivered."""
        return FilmedStation(
            self.archive.by, station=name, unit=unit, seed=f"{name}-{unit}", utc_us=self.opening_us, **options
        )

    def deliver(self, station: Station, media: Sequence[str] | None = None) -> None:
        """All lines, and these media, of those that were recorded armed; all where none are named. They are public
        on return.
        """
        name = f"{station.station}/{station.unit}"
        if name not in self._uplinks:
            self._uplinks[name] = self.archive.uplink(station.station, station.unit)
        uplink = self._uplinks[name]
        now_us = (station.utc_us or self.opening_us) + station.boot_ns // 1_000
        if now_us > (self.archive.clock.read().utc_us or 0):
            self.archive.clock.set_utc(now_us)
        sent, known = self._delivered.get(name, (0, set()))
        for first in range(sent, len(station.lines), 400):
            reply = uplink.lines(station.lines[first : first + 400])
            assert reply.status == 200, (reply.status, reply.body)
        held = media_of(station)
        wanted = list(held) if media is None else media
        for sha256 in wanted:
            if sha256 not in known:
                reply = uplink.media(held[sha256])
                assert reply.status in (200, 201), (reply.status, reply.body)
        self._delivered[name] = (len(station.lines), known | set(wanted))
        self.publish()

    def publish(self) -> None:
        """All that has arrived."""
        while self._publisher.step():
            pass

    def published(self, sha256: str) -> Path:
        """Where a segment lies in the published tree."""
        return self.archive.config.publish.folder / sha256[:2] / f"{sha256}.m4s"

    def _serve(self) -> None:
        with open_site_parts(self.archive.config, self.archive.clock) as parts:

            async def main() -> None:
                self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
                await run(parts, service=Service(), stop=self._stop, listening=self._listening)

            asyncio.run(main())

    def _listening(self, port: int) -> None:
        self.port = port
        self._ready.set()


@contextmanager
def scripted(
    folder: Path, stations: Sequence[str] = ("57-002",), opening_us: int = OPENING_US
) -> Iterator[ScriptedSite]:
    """A site that runs while the block lasts; its list has these stations and two that are not recorded."""
    site = ScriptedSite(folder, stations, opening_us)
    site.start()
    try:
        yield site
    finally:
        site.stop()


def at(utc_us: int) -> str:
    """An instant as it stands in the address of a station's page."""
    return "?t=" + datetime.fromtimestamp(utc_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+", "%2B")


def stands_us(station: Station, camera: str = "cam-0") -> int:
    """UTC of where a camera's record ends now."""
    return (station.utc_us or 0) + station.cameras[camera].end_ns // 1_000


def _roster(stations: Sequence[str]) -> str:
    rows = [_row(name, status="recorded", cameras="1") for name in stations]
    rows.append(_row("57-098", status="exempt", cameras="0", **_REASON))
    rows.append(_row("57-099", status="not-covered", cameras="0"))
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _row(name: str, **cells: str) -> dict[str, str]:
    constituency, number = name.split("-")
    which = int(number)
    return {
        "station": name,
        "constituency": constituency,
        "number": number,
        "name_az": f"Nümunə məktəb {which}",
        "name_en": f"Sample school {which}",
        "name_ru": f"Школа-пример {which}",
        "address_az": f"Nümunə küçəsi {which}",
        "address_en": f"Sample street {which}",
        "address_ru": f"Улица-пример, {which}",
        **cells,
    }
