"""A link too thin for the video, and one too thin for anything: real TLS through an emulated line."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from appliance.config import StationConfig
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import Delivering, each_once, play
from tests.fakes.link import EmulatedLink
from tests.fakes.stepped import SteppedStation

LINES_BYTES_S = 2_000
"""What two cameras with a segment a second need for lines, TLS and HTTP with it."""
WIDE = 1_000_000
Scene = Callable[["Behind", EmulatedLink], Awaitable[None]]


class Behind(Delivering):
    """A station behind a link of its own."""

    link: EmulatedLink

    @property
    def config(self) -> StationConfig:
        url = f"https://127.0.0.1:{self.link.port}"
        return replace(self.station.config, uplink=replace(self.uplink, url=url), receipts=self.uplink.receipts)


def play_behind(
    folder: Path, scene: Scene, *, seconds: int = 8, station: Callable[[Path], SteppedStation] = SteppedStation
) -> ArchivePeer:
    """``scene`` with a station and the link that lies between it and its archive."""

    async def with_link(delivering: Delivering, archive: ArchivePeer) -> None:
        async with EmulatedLink(archive.port) as link:
            behind = Behind(folder, delivering.station, archive)
            behind.link = link
            await scene(behind, link)

    return play(folder, with_link, seconds=seconds, station=station)[1]


def test_a_link_too_thin_for_anything_carries_the_ledger_first_over_one_connection(ram: Path) -> None:
    """6 kbit/s up: no chunk of 16 KiB passes there within a deadline."""

    async def scene(behind: Behind, link: EmulatedLink) -> None:
        link.limit(750, down=WIDE)
        async with behind.running():
            archive, target = behind.archive, behind.station.layout.ledger.read_bytes()
            await behind.until(lambda: archive.ledger == target, "the lines")
            assert not archive.sent, "no media before the lines"
            behind.station.run(2)
            await behind.until(lambda: len(archive.ledger) > len(target), "a new line")
            assert link.taken <= 3, "no connection was taken for dead"
            assert behind.delivery.state.tries == 0
            link.limit(None)
            await behind.until(behind.complete, "all")

    each_once(play_behind(ram, scene, seconds=4))


def test_on_a_thin_link_every_nth_segment_of_each_camera_goes_live_and_all_comes_when_it_recovers(ram: Path) -> None:
    """Two cameras with a segment a second each; the link carries the lines and a third of the video."""

    async def scene(behind: Behind, link: EmulatedLink) -> None:
        station, archive = behind.station, behind.archive

        async def record(seconds: int) -> set[int]:
            """In the time that it takes; which n was in force meanwhile."""
            every = set()
            for _ in range(seconds):
                station.run(1)
                await asyncio.sleep(1)
                every.add(behind.delivery.state.every)
            return every

        sizes = [segment.size for segment in behind.segments().values()]
        link.limit(2 * sum(sizes) / len(sizes) * 0.4 + LINES_BYTES_S, down=WIDE)
        async with behind.running() as delivery:
            state = delivery.state
            while state.every == 1:
                await record(1)
            seen = len(archive.order)
            every = {state.every} | await record(2 * state.every + 5)
            assert all(2 <= n <= 12 for n in every), every
            assert behind.status()["thinned"] in every
            live = [behind.segments()[sha256] for sha256, priority in archive.order[seen:] if priority == "u=1"]
            # What was on its way when that was found out was not chosen by it.
            assert {segment.camera for segment in live[1:]} == {"cam1", "cam2"}
            assert all(any(segment.index % n == 0 for n in every) for segment in live[1:]), live
            link.limit(None)
            await behind.until(behind.complete, "all")
            await record(2)
            await behind.until(behind.complete, "what is new")
            assert state.every == 1
            await behind.until(lambda: behind.status().get("thinned", 0) is None, "told")

    def station(folder: Path) -> SteppedStation:
        return SteppedStation(folder, cameras=("cam1", "cam2"), fps=25, gop_seconds=1)

    each_once(play_behind(ram, scene, seconds=10, station=station))
