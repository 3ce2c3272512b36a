"""A recorded station, its real uplink in this process, and an archive: run together until something is true."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.config import StationConfig, UplinkConfig
from appliance.delivery import Delivery
from appliance.uplink.plan import Policy
from base.clock import Clock, SystemClock
from evidence import jws
from evidence.lines import Line, Segment, read_payload
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.station import private_key
from tests.fakes.stepped import SteppedStation

WAIT_S = 60


def write_key(folder: Path, authority: Authority, *, station: str = "57-002", unit: str = "u1") -> tuple[Path, Path]:
    """An uplink's certificate and key as files."""
    folder.mkdir(parents=True, exist_ok=True)
    key = private_key(f"uplink-{station}-{unit}")
    certificate, secret = folder / "uplink.pem", folder / "uplink.key"
    certificate.write_bytes(authority.certify_uplink(key.public_key(), station, unit).public_bytes(Encoding.PEM))
    secret.write_bytes(_pem(key))
    return certificate, secret


class Delivering:
    """A stepped station and what its uplink needs; ``running`` is one uplink process's life."""

    def __init__(self, folder: Path, station: SteppedStation, archive: ArchivePeer) -> None:
        self.station, self.archive = station, archive
        # Where the stepped recorder looks for receipts.
        self.folder = station.config.data.parent
        station.config.trust.write_bytes(station.root)
        certificate, key = write_key(folder / "keys", station.authority)
        self.uplink = UplinkConfig(
            url="https://127.0.0.1:1",
            certificate=certificate,
            key=key,
            data=self.folder,
            policy=Policy.COUNTING_FIRST,
            rate_kbit=None,
            backfill_kbit=None,
        )
        self.clock: Clock = SystemClock()
        self.answer_s = 20.0
        self.waits: list[float] = []
        """What the uplink has wanted to wait between tries."""
        self.delivery: Delivery

    @property
    def config(self) -> StationConfig:
        url = self.archive.url if self.archive.port else self.uplink.url
        return replace(self.station.config, uplink=replace(self.uplink, url=url), receipts=self.uplink.receipts)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Delivery]:
        """The uplink works while the context is open; then it is gone from one instruction to the next."""
        self.delivery = Delivery(
            self.config,
            self.clock,
            chance=random.Random(7),
            pause=self._pause,
            answer_s=self.answer_s,
            receipt_ns=200_000_000,
        )
        work = asyncio.create_task(self.delivery.run())
        try:
            yield self.delivery
            if work.done():
                work.result()
        finally:
            work.cancel()
            await asyncio.wait({work})
            self.delivery.close()

    async def _pause(self, seconds: float) -> None:
        """It waits, but not for so long."""
        self.waits.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.delivery.state}, {self.archive.log[-20:]}"
            await asyncio.sleep(0.01)

    async def deliver(self) -> None:
        """One uplink's life, until all is at the archive and receipted."""
        async with self.running():
            await self.until(self.complete, "all is at the archive")
            await self.until(self.receipted, "all is receipted")

    def segments(self) -> dict[str, Segment]:
        """The armed segments that the ledger names and that lie here, by digest."""
        found: dict[str, Segment] = {}
        for line in lines_of(self.station):
            body = line.body
            if isinstance(body, Segment) and body.mode is not Mode.UNARMED:
                found[body.sha256] = body
        return found

    def complete(self) -> bool:
        """Whether the archive has the ledger and all armed media, byte for byte."""
        ledger = self.station.layout.ledger.read_bytes()
        return self.archive.ledger == ledger and set(self.segments()) <= set(self.archive.media)

    def entries(self) -> list[dict[str, object]]:
        """The entries laid for the recorder, oldest first."""
        folder = self.uplink.receipts
        return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]

    def receipted(self) -> bool:
        """Whether every armed segment has its place in an entry."""
        places = [place for entry in self.entries() for place in _places(entry)]
        return len({tuple(place) for place in places}) == len(self.segments())

    def status(self) -> dict[str, object]:
        """The status file; empty where there is none yet."""
        path = self.station.config.run / "uplink.json"
        told: dict[str, object] = json.loads(path.read_bytes()) if path.exists() else {}
        return told


Scene = Callable[[Delivering, ArchivePeer], Awaitable[None]]


def play(
    folder: Path, scene: Scene, *, seconds: int = 16, station: Callable[[Path], SteppedStation] = SteppedStation
) -> tuple[Delivering, ArchivePeer]:
    """``scene`` with an archive that listens and a station that was armed after two segments and still runs."""
    (folder / "unit").mkdir()
    unit = station(folder / "unit")
    unit.start()
    unit.run(4)
    unit.arm()
    unit.run(seconds)

    async def all_of_it() -> tuple[Delivering, ArchivePeer]:
        async with ArchivePeer(unit.authority, folder / "archive") as archive:
            delivering = Delivering(folder, unit, archive)
            await scene(delivering, archive)
            return delivering, archive

    return asyncio.run(all_of_it())


async def deliver(delivering: Delivering, archive: ArchivePeer) -> None:
    """The shortest scene."""
    await delivering.deliver()


def each_once(archive: ArchivePeer) -> None:
    """No segment has come in twice."""
    assert set(archive.sent.values()) == {1}, archive.sent


def lines_of(station: SteppedStation) -> list[Line]:
    """All lines of the station's ledger."""
    texts = station.layout.ledger.read_bytes().split(b"\n")[:-1]
    return [read_payload(jws.unseal(text).payload) for text in texts]


def _places(entry: dict[str, object]) -> list[list[object]]:
    places = entry["places"]
    assert isinstance(places, list)
    return places


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
