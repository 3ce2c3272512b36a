"""The whole, as an election has it: recorder, uplink, intake, publisher and site as processes of their own."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from evidence import jws
from evidence.lines import Line, Segment, read_payload
from evidence.words import Mode
from provisioning.authority import Authority
from unbroken.demo_archive import DemoArchive, Pages, Plug, connect, make_archive
from unbroken.demo_process import StationPrograms
from unbroken.demo_station import ELECTION, DemoStation, make_station

SIZE = (320, 180)
WAIT_S = 60
CAMERA = "cam1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Everything runs. ``plug`` is the intake, ``pages`` are publisher and site."""

    folder: Path
    archive: DemoArchive
    stations: tuple[DemoStation, ...]
    programs: tuple[StationPrograms, ...]
    plug: Plug
    pages: Pages

    @property
    def site(self) -> str:
        """Where the public pages are."""
        return self.archive.site

    def page(self, station: int = 0, lang: str = "en", query: str = "") -> str:
        """The address of a station's page."""
        return f"{self.site}/{lang}/stations/{self.stations[station].name}{query}"

    def camera(self, station: int = 0) -> str:
        """``STATION/UNIT/CAMERA``."""
        return f"{self.stations[station].name}/{self.stations[station].unit}/{CAMERA}"

    def get(self, path: str) -> bytes:
        """What the site answers. Raises OSError."""
        with urlopen(self.site + path, timeout=WAIT_S) as answer:
            body: bytes = answer.read()
            return body

    def told(self, path: str) -> Any:
        """The same, from JSON."""
        return json.loads(self.get(path))

    def lines(self, station: int = 0) -> list[Line]:
        """What the station's own disk says."""
        ledger = (self.stations[station].data / "ledger.jws").read_bytes()
        return [read_payload(jws.unseal(text).payload) for text in ledger.split(b"\n")[:-1]]

    def segments(self, station: int = 0) -> list[Segment]:
        """Of them, the video that may leave it."""
        bodies = (line.body for line in self.lines(station))
        return [body for body in bodies if isinstance(body, Segment) and body.mode is Mode.LIVE]

    def close(self, station: int) -> None:
        """Two people close a record; its recorder has ended on return, its uplink goes on."""
        _apart(self.programs[station].close)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
        """Wait for something that a process brings about."""
        ends = time.monotonic() + seconds
        while not _holds(condition):
            assert time.monotonic() < ends, f"not within {seconds} s: {what}"
            self.plug.require_alive()
            time.sleep(0.1)


@contextmanager
def whole(folder: Path, stations: int = 1, cameras: Sequence[str] = ("pattern",)) -> Iterator[Whole]:
    """A throwaway election in ``folder``, armed LIVE, with video on its page. All of it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority.generate(ELECTION)
    made = [
        make_station(
            folder / f"station-{number}",
            list(cameras),
            mode=Mode.LIVE,
            size=SIZE,
            authority=authority,
            name=f"57-{2 + number:03d}",
            unit=f"u-{1 + number:04d}",
        )
        for number in range(stations)
    ]
    (folder / "root.pem").write_bytes(authority.root_pem)
    archive = make_archive(folder, authority, [station.name for station in made])
    for station in made:
        connect(station, authority, archive)
    programs = [StationPrograms(station) for station in made]
    for preparing in [each.prepare() for each in programs]:
        assert preparing.wait(WAIT_S) == 0
    running = Whole(
        folder=folder,
        archive=archive,
        stations=tuple(made),
        programs=tuple(programs),
        plug=Plug(archive),
        pages=Pages(archive),
    )
    try:
        running.plug.plug_in()
        running.pages.start()
        for each in programs:
            each.start()
        for each in programs:
            _apart(lambda each=each: each.arm(WAIT_S))  # type: ignore[misc]
        for number in range(stations):
            address = f"/hls/{running.camera(number)}/live.m3u8"
            running.until(lambda address=address: bool(running.get(address)), "something is live")  # type: ignore[misc]
        yield running
    finally:
        for each in programs:
            each.end()
        running.pages.end()
        running.plug.pull()


def _apart(act: Callable[[], object]) -> None:
    """In a thread of its own: Playwright keeps a loop in this one, and the control socket's client makes another."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(act).result()


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except OSError:
        return False
