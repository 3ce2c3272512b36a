"""A small country: stations in the states that a day brings, for pages to show. Every text and number is made up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evidence.words import Cause
from tests.browser.scripted import ScriptedSite, scripted, stands_us
from tests.fakes.archive_unit import media_of
from tests.fakes.filmed import FilmedStation
from tests.fakes.station import SECOND

FINISHED, LIVE, THINNED, UNSET, COVERED, NEVER = (f"57-{number:03d}" for number in range(2, 8))
STATIONS = (FINISHED, LIVE, THINNED, UNSET, COVERED, NEVER)
LATER_NS = 300 * SECOND
"""What is live begins when the others are over."""
INCIDENT = "view-covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """``incidents`` are paths under ``/gaps``: an event, and a gap."""

    site: ScriptedSite
    begin_us: int
    incidents: tuple[str, str]

    def paths(self) -> dict[str, str]:
        """Every kind of page by a name for its picture; the language comes before the path."""
        return {
            "home": "/",
            "stations": "/stations",
            "constituency": "/constituencies/57",
            "station-finished": f"/stations/{FINISHED}",
            "station-live": f"/stations/{LIVE}",
            "station-thinned": f"/stations/{THINNED}",
            "station-time-unset": f"/stations/{UNSET}",
            "station-covered": f"/stations/{COVERED}",
            "station-never-seen": f"/stations/{NEVER}",
            "station-exempt": "/stations/57-098",
            "search": "/search?q=mekteb",
            "search-nothing": "/search?q=yoxdur",
            "mosaic": f"/mosaic?add={LIVE}",
            "gaps": "/gaps",
            "incident": f"/gaps/{self.incidents[0]}",
            "gap": f"/gaps/{self.incidents[1]}",
            "data": "/data",
            "verify": "/verify",
            "how": "/how",
            "status": "/status",
            "not-found": "/stations/57-999",
        }


@contextmanager
def country(folder: Path) -> Iterator[Country]:
    """It stands still: nothing more is recorded, and the archive's clock is at the newest line."""
    with scripted(folder, STATIONS) as site:
        finished, gap = _finished(site)
        begin_us = stands_us(finished)
        _unset(site)
        covered, event = _covered(site)
        thinned = site.station(THINNED, boot_ns=LATER_NS)
        live = site.station(LIVE, cameras=("cam-0", "cam-1"), boot_ns=LATER_NS)
        for station in (thinned, live):
            station.begin()
            station.arm()
            station.event("opened")
        for _ in range(30):
            thinned.segment()
            for camera in live.camera_ids:
                live.segment(camera)
        site.deliver(thinned, list(media_of(thinned))[::3])
        site.deliver(live)
        incidents = (f"{covered.station}/u1/0/{event}", f"{finished.station}/u1/0/{gap}")
        yield Country(site=site, begin_us=begin_us, incidents=incidents)


def _finished(site: ScriptedSite) -> tuple[FilmedStation, int]:
    """A closed record with a camera's failure and a power cut, delivered in whole; the line of the first gap."""
    station = site.station(FINISHED)
    station.begin()
    station.arm()
    station.event("opened")
    station.segments(6)
    station.gap(seconds=40, cause=Cause.CAMERA)
    gap = len(station.lines) - 1
    station.run()
    station.segments(6)
    ended = station.reboot(off_seconds=60)
    station.start("power", evidence={"boot_changed": 1})
    station.gap(to_ns=station.boot_ns, cause=Cause.POWER, from_boot=ended)
    station.run()
    station.gap(seconds=1, cause=Cause.STARTING)
    station.segments(4)
    for phase in ("closed", "counting", "protocol-shown", "finished"):
        station.event(phase)
        station.segments(2)
    station.close()
    site.deliver(station)
    return station, gap


def _unset(site: ScriptedSite) -> None:
    """One whose clock was never set."""
    station = site.station(UNSET)
    station.utc_us = station.error_us = None
    station.begin()
    station.arm()
    station.segments(8)
    site.deliver(station)


def _covered(site: ScriptedSite) -> tuple[FilmedStation, int]:
    """One before whose lens somebody stands; the line that says so."""
    station = site.station(COVERED, boot_ns=LATER_NS)
    station.begin()
    station.arm()
    station.segments(26)
    station.event(INCIDENT, "cam-0")
    event = len(station.lines) - 1
    station.segments(4)
    site.deliver(station)
    return station, event
