"""What tests of the courier do: bring cards to an archive that serves or does not, and look at what came of it."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path

from archive.brought import Brought
from archive.courier import Courier
from archive.desk import open_desk
from archive.finding import FindingRow
from archive.index.index import Index
from base.durable import Disk
from tests.fakes.archive import ELECTION, RunningArchive
from tests.fakes.archive_unit import deliver, media_of
from tests.fakes.station import Station


def serves(archive: RunningArchive) -> bool:
    """Whether it runs now."""
    return hasattr(archive, "_thread") and archive._thread.is_alive()


def bring(
    archive: RunningArchive,
    *paths: Path,
    receipts: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Brought]:
    """What the courier says of these cards."""

    async def main() -> list[Brought]:
        async with open_desk(archive.config, archive.clock) as desk:
            courier = Courier(desk, operator="op", receipts=receipts, disk=Disk(), progress=progress)
            brought = [each for path in paths for each in await courier.bring(path)]
            await courier.settle(brought)
            return brought

    return asyncio.run(main())


def over_the_network(archive: RunningArchive, act: Callable[[], None]) -> None:
    """Deliver something before the courier comes."""
    started = serves(archive)
    if not started:
        archive.start()
    act()
    archive.hang_up()
    if not started:
        archive.stop()


def counts(brought: Brought) -> tuple[int, int, int, int, int, int]:
    """Lines new, known, refused; media new, known, missing."""
    lines = brought.lines_new, brought.lines_known, brought.lines_refused
    return (*lines, brought.media_new, brought.media_known, len(brought.missing))


def stored(archive: RunningArchive) -> dict[str, bytes]:
    """Its media by digest."""
    return {path.name: path.read_bytes() for path in (archive.config.data / "cas").glob("??/*")}


def findings(archive: RunningArchive) -> list[FindingRow]:
    """What it has found of units."""
    index = Index(archive.config.database, ELECTION)
    try:
        return index.findings()
    finally:
        index.close()


def armed(station: Station) -> dict[str, bytes]:
    """What may leave the unit."""
    texts = [json.loads(_payload(line)) for line in station.lines]
    named = {text["sha256"] for text in texts if text["kind"] == "segment" and text["mode"] != "UNARMED"}
    return {sha256: data for sha256, data in media_of(station).items() if sha256 in named}


def _payload(line: bytes) -> bytes:
    part = line.split(b".")[1]
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything about the files of a card."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def delivered(archive: RunningArchive, station: Station) -> None:
    """Everything, over the network."""
    deliver(archive.uplink(), station)
