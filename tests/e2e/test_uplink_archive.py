"""The real uplink and the real archive's process over one record: restarts, and a tail that a power cut took."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from appliance.config import StationConfig
from appliance.delivery import Delivery
from base.clock import SystemClock
from tests.fakes.archive import timeless_authority
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import WAIT_S, Delivering
from tests.fakes.stepped import SteppedStation
from unbroken.demo_archive import DemoArchive, Plug, make_archive
from unbroken.demo_station import ELECTION


class Both:
    """A recorded station with its uplink's keys, and an archive of the same election in a process of its own."""

    def __init__(self, folder: Path) -> None:
        (folder / "unit").mkdir()
        self.station = SteppedStation(folder / "unit", by=timeless_authority())
        by = self.station.authority
        self._delivering = Delivering(folder, self.station, ArchivePeer(by, folder / "keys"))
        (folder / "root.pem").write_bytes(by.root_pem)
        self.archive: DemoArchive = make_archive(folder, by)
        text = self.archive.config.read_text()
        self.archive.config.write_text(text.replace(ELECTION, by.election))
        self.plug = Plug(self.archive)
        self.delivery: Delivery

    @property
    def config(self) -> StationConfig:
        config = self._delivering.config
        assert config.uplink is not None
        return replace(config, uplink=replace(config.uplink, url=self.archive.url))

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """One uplink's life."""
        chance = random.Random(1)
        self.delivery = Delivery(self.config, SystemClock(), chance=chance, pause=_briefly, receipt_ns=200_000_000)
        work = asyncio.create_task(self.delivery.run())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.wait({work})
            self.delivery.close()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            log = self.archive.config.with_name("archive.log")
            assert time.monotonic() < deadline, f"{what}: {self.delivery.state}\n{log.read_text()[-2000:]}"
            await asyncio.sleep(0.05)

    def ledgers(self) -> list[bytes]:
        """The branches that the archive keeps."""
        return [path.read_bytes() for path in (self.archive.data / "ledgers").rglob("*.jws")]

    def complete(self) -> bool:
        """Whether the archive has ledger and armed media, byte for byte, and has signed for them."""
        held = {path.name: path for path in self.archive.data.rglob("*") if len(path.name) == 64}
        segments = set(self._delivering.segments())
        if self.station.layout.ledger.read_bytes() not in self.ledgers() or not segments <= set(held):
            return False
        return self._delivering.receipted()

    def same_bytes(self) -> bool:
        """Whether each armed segment at the archive is a file of the station."""
        here = {path.read_bytes() for path in self.station.layout.media.rglob("*.m4s")}
        held = [path.read_bytes() for path in self.archive.data.rglob("*") if len(path.name) == 64]
        return bool(held) and all(data in here for data in held)


async def _briefly(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.2))


def test_all_of_a_record_arrives_through_restarts_of_both_sides_and_a_lost_tail(ram: Path) -> None:
    both = Both(ram)
    station = both.station

    async def scene() -> None:
        station.start()
        station.run(4)
        station.arm()
        station.run(10)
        async with both.delivering():
            # The archive comes later than the uplink.
            await both.until(lambda: both.delivery.state.tries > 0, "a try in vain")
            both.plug.plug_in()
            await both.until(both.complete, "the first part")
            both.plug.pull()
            station.run(6)
            await both.until(lambda: not both.delivery.state.connected, "the plug is noticed")
            both.plug.plug_in()
            await both.until(both.complete, "the second part")
        tail = _lose_tail(station, 3)
        station.start()
        station.run(6)
        async with both.delivering():
            await both.until(both.complete, "the branch")
            station.run(4)
            await both.until(both.complete, "what follows the branch")
        assert both.same_bytes()
        assert sum(ledger.endswith(tail) for ledger in both.ledgers()) == 1, "the abandoned branch is kept"
        assert both.delivery.state.receipts_refused == 0
        assert both.delivery.state.notes == {}

    try:
        asyncio.run(scene())
    finally:
        both.plug.pull()


def _lose_tail(station: SteppedStation, count: int) -> bytes:
    """The power fails, and the card had only said that it held the last lines. What they were."""
    ledger = station.layout.ledger
    lines = ledger.read_bytes().splitlines(keepends=True)
    station.session.storage.close()
    station.lose_power()
    ledger.write_bytes(b"".join(lines[:-count]))
    station.disk = type(station.disk)(station.config.data)
    return b"".join(lines[-count:])
