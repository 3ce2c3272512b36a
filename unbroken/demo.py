"""One command that records, delivers and proves: a throwaway election with stations and an archive."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from base.errors import OperatorError
from provisioning.authority import Authority
from unbroken.demo_archive import DemoArchive, Pages, Plug, connect, make_archive
from unbroken.demo_complete import by_station, look
from unbroken.demo_plug import Hand
from unbroken.demo_process import POLL_S, StationPrograms
from unbroken.demo_screen import EveryLine, EverySecond, Screen
from unbroken.demo_station import ELECTION, DemoStation, make_station, station_name, unit_name

MOST_STATIONS = 20
"""Each is two processes, and all share one machine."""
_START_S = 30
_START_EACH_S = 5
_DELIVERY_S = 120
_ONE, _MANY = (1280, 720), (320, 180)
"""Sizes of the picture: one station may use the machine for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoElection:
    """What a demo consists of, as files."""

    stations: tuple[DemoStation, ...]
    archive: DemoArchive
    root: Path


def make_election(folder: Path, cameras: list[str], stations: int = 1) -> DemoElection:
    """Write an archive and ``stations`` that deliver to it into ``folder``, which is new; nothing runs yet.

    One station lies in the folder itself, several in a folder each. Raises OperatorError for too many.
    """
    if not 1 <= stations <= MOST_STATIONS:
        raise OperatorError(f"--stations takes 1 to {MOST_STATIONS}: they all run on this machine.")
    authority = Authority.generate(ELECTION)
    size = _ONE if stations == 1 else _MANY
    made: list[DemoStation] = []
    for number in range(stations):
        name, unit = station_name(number), unit_name(number)
        place = folder if stations == 1 else folder / name
        made.append(make_station(place, cameras, size=size, authority=authority, name=name, unit=unit))
    root = folder / "root.pem"
    root.write_bytes(authority.root_pem)
    archive = make_archive(folder, authority, [station.name for station in made])
    for station in made:
        connect(station, authority, archive)
    return DemoElection(stations=tuple(made), archive=archive, root=root)


def run_demo(election: DemoElection, *, duration_s: float | None, unplugged: tuple[float, float] | None = None) -> bool:
    """Record and deliver until ``duration_s`` or Ctrl-C, showing what is committed; close the records and wait until
    everything is delivered. Returns whether it is, on both sides.

    ``unplugged`` is when the archive is out of reach, in seconds from the beginning; on a terminal the Enter key pulls
    the plug and puts it back. Raises OperatorError where a recorder cannot start or dies.
    """
    stations, archive = election.stations, election.archive
    programs = [StationPrograms(station) for station in stations]
    for preparing in [each.prepare() for each in programs]:
        preparing.wait()
    _introduce(election, duration_s)
    stop, plug, pages = threading.Event(), Plug(archive), Pages(archive)
    with _signals(stop):
        try:
            plug.plug_in()
            pages.start()
            for each in programs:
                each.start()
            for each in programs:
                each.arm(_START_S + _START_EACH_S * len(programs))
            screen = EveryLine(stations[0]) if len(stations) == 1 else EverySecond(stations, time.monotonic)
            _watch(programs, plug, pages, screen, Hand(plug, unplugged), stop, duration_s)
            for each in programs:
                each.close()
            screen.show(last=True)
            plug.plug_in()
            print()
            complete = _delivered(stations, archive, plug)
            if duration_s is None and sys.stdin.isatty():
                _linger(archive, pages, stop)
            return complete
        finally:
            for each in programs:
                each.end()
            pages.end()
            plug.pull()


def new_folder(parent: Path) -> Path:
    """A folder below ``parent`` that does not exist yet, named after the time."""
    return parent / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def _introduce(election: DemoElection, duration_s: float | None) -> None:
    stations, archive = election.stations, election.archive
    if len(stations) == 1:
        print(f"Station {stations[0].name} of a throwaway election records in {archive.config.parent.parent}, in mode")
        print(f"TEST once armed, and delivers to an archive on this machine, {archive.url}. Each line below is one")
        print("signed line of its ledger.")
    else:
        print(f"{len(stations)} stations of a throwaway election record in {archive.config.parent.parent}, in mode")
        print(
            f"TEST once armed, and deliver to an archive on this machine, {archive.url}. Each line below says how one"
        )
        print("of them stands.")
    print(f"Watch it: {archive.site}/en/stations/{stations[0].name}")
    print(f"The supervision centre's wall, for whoever sits at this machine: {archive.supervision}/en/")
    if duration_s is None:
        print("Ctrl-C ends." + (" Enter pulls the plug of the archive and puts it back." if sys.stdin.isatty() else ""))
    print(flush=True)


def _watch(
    programs: Sequence[StationPrograms],
    plug: Plug,
    pages: Pages,
    screen: Screen,
    hand: Hand,
    stop: threading.Event,
    duration_s: float | None,
) -> None:
    deadline = None if duration_s is None else time.monotonic() + duration_s
    while not stop.wait(POLL_S) and (deadline is None or time.monotonic() < deadline):
        for each in programs:
            each.require_alive()
        plug.require_alive()
        pages.require_alive()
        hand.move()
        screen.show()


def _linger(archive: DemoArchive, pages: Pages, stop: threading.Event) -> None:
    """The day is over; its pages stay until somebody has seen enough."""
    print(f"The day can be replayed, downloaded and checked at {archive.site}/. Ctrl-C again ends.", flush=True)
    stop.clear()
    while not stop.wait(POLL_S):
        pages.require_alive()


def _delivered(stations: Sequence[DemoStation], archive: DemoArchive, plug: Plug) -> bool:
    """Wait until the stations have receipts for everything, then look at both sides and say what each has."""
    deadline = time.monotonic() + _DELIVERY_S
    while time.monotonic() < deadline and any(by_station(station) for station in stations):
        plug.require_alive()
        time.sleep(POLL_S)
    found = [(station, look(station, archive)) for station in stations]
    for station, sides in found:
        print(f"Station {station.name} is {sides}.", flush=True)
    return all(sides.complete for _, sides in found)


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the recording, not the program: the proof is still to come."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
