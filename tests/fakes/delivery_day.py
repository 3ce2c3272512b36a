"""A day of delivery: stepped recorders, their real uplinks, an emulated link for each, one real archive, one judgement.

Station time is stepped, hours in a second; the links and what uplinks do happen in real time. So troubles are scripted
by what has come of them, never by how long they last.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.delivery import Delivery
from base.durable import Disk
from evidence.receipt import read_receipt
from provisioning.authority import Authority
from tests.fakes.archive import LIMITS, RunningArchive, timeless_authority
from tests.fakes.checker import Json
from tests.fakes.delivery_site import GOP_SECONDS, STEP_NS, Site, verdict
from tests.fakes.link import EmulatedLink
from tests.fakes.station import NOON_US, SECOND, private_key

WAIT_S = 240
"""Far beyond what anything takes: machines here are shared."""
SLICE_S = 120
MINUTE_S, HOUR_S = 60, 3_600


class CountingDisk(Disk):
    """The archive's disk, which counts how often the bytes of each object have come in whole: once for each 201."""

    def __init__(self, taken: Counter[str] | None = None) -> None:
        """``taken`` is what earlier processes have counted."""
        super().__init__()
        self.taken = Counter[str]() if taken is None else taken

    def rename(self, old: Path, new: Path) -> None:
        if new.parent.parent.name == "cas":
            self.taken[new.name] += 1
        super().rename(old, new)


class DeliveryDay:
    """All of it. An async context manager; while it is entered, the archive serves and the links work."""

    def __init__(self, folder: Path, *, names: Sequence[str] = ("127.0.0.1", "localhost")) -> None:
        """``folder`` is made where it is missing; ``names`` are those in the archive's certificate."""
        self.folder = folder
        self.by = timeless_authority()
        self.disk = CountingDisk()
        self.archive = RunningArchive(folder / "archive", self.by, disk=self.disk, limits=replace(LIMITS, stall_s=2))
        certificate = self.by.certify_archive(private_key("archive").public_key(), names)
        self.archive.config.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        self.sites: list[Site] = []
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "DeliveryDay":
        self.archive.start()
        assert self.archive.error is None, self.archive.error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await asyncio.to_thread(self.archive.stop)
        assert self.archive.error is None, self.archive.error

    async def site(
        self,
        name: str = "57-002",
        *,
        utc_us: int | None = NOON_US,
        gop_seconds: int = GOP_SECONDS,
        enrolled_by: Authority | None = None,
        host: str = "127.0.0.1",
        folder: str | None = None,
    ) -> Site:
        """One more polling station with a link of its own. Its recorder is not started yet.

        A station's second unit wants another ``folder``.
        """
        link = await self._stack.enter_async_context(EmulatedLink(self.port, host=host))
        site = Site(
            self.folder / (folder or name),
            name,
            self.by,
            utc_us=utc_us,
            gop_seconds=gop_seconds,
            enrolled_by=enrolled_by,
            link=link,
        )
        self.sites.append(site)
        return site

    @property
    def port(self) -> int:
        """Where the archive listens."""
        return self.archive._port

    async def go_online(self, site: Site) -> Delivery:
        """An uplink that lives until the day ends."""
        return await self._stack.enter_async_context(site.online())

    @contextlib.asynccontextmanager
    async def archive_down(self) -> AsyncIterator[None]:
        """The archive's process ends and nobody is there; then another works on what lies there, at another port."""
        for site in self.sites:
            site.link.refuse()
        await asyncio.to_thread(self.archive.stop)
        assert self.archive.error is None, self.archive.error
        yield
        # What a process knows of folders ends with it.
        self.disk = self.archive.disk = CountingDisk(self.disk.taken)
        await asyncio.to_thread(self.archive.start)
        assert self.archive.error is None, self.archive.error
        for site in self.sites:
            site.link.target = self.port
            site.link.mend()

    async def live(self, seconds: float) -> None:
        """Let so much time pass at all stations that record, and at the archive."""
        while seconds > 0:
            part_s = min(seconds, SLICE_S)
            for site in self.sites:
                if site.records:
                    site.station.run(part_s, step_ns=STEP_NS)
                    await asyncio.sleep(0)
            self.archive.clock.advance(round(part_s * SECOND))
            seconds -= part_s

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            for site in self.sites:
                site.must_live()
            states = [(site.name, site.delivery and site.delivery.state) for site in self.sites]
            assert self.archive.error is None, self.archive.error
            assert time.monotonic() < deadline, f"{what}: {states}"
            await asyncio.sleep(0.02)

    def current(self, site: Site) -> bool:
        """Whether the archive has every line that the station has signed."""
        folder = self.archive.config.data / "ledgers" / site.name
        sizes = [path.stat().st_size for path in folder.rglob("*.jws")]
        return sizes == [site.station.layout.ledger.stat().st_size] and self.kept(site.name) == [site.ledger]

    def complete(self, site: Site) -> bool:
        """Whether the archive has all of it, and the station a receipt for each segment."""
        return self.current(site) and site.laid() == len(site.armed())

    async def until_complete(self, *sites: Site) -> None:
        """Wait for these, or for all."""
        for site in sites or self.sites:
            await self.until(lambda site=site: self.complete(site), f"{site.name} is complete")  # type: ignore[misc]

    def kept(self, name: str) -> list[bytes]:
        """The ledgers that the archive has of a station, a branch each."""
        folder = self.archive.config.data / "ledgers" / name
        return [path.read_bytes() for path in sorted(folder.rglob("*.jws"))]

    def judge(self) -> list[str]:
        """How the archive differs from the stations, and each promise that was not kept: empty on a good day."""
        differences: list[str] = []
        stored = {path.name: path for path in (self.archive.config.data / "cas").glob("??/*")}
        for site in self.sites:
            differences += [f"{site.name}: {each}" for each in self._judge(site, stored)]
        named = {sha256 for site in self.sites for sha256 in site.armed()}
        if strangers := set(stored) - named:
            differences.append(f"{len(strangers)} objects that no station has signed")
        if twice := [sha256 for sha256, times in self.disk.taken.items() if times > 1]:
            differences.append(f"{len(twice)} segments were taken twice")
        return differences + judge_journal(self.archive)

    def _judge(self, site: Site, stored: dict[str, Path]) -> list[str]:
        found: list[str] = []
        kept, armed = self.kept(site.name), site.armed()
        if kept != [site.ledger]:
            behind = site.ledger.count(b"\n") - (kept[0].count(b"\n") if kept else 0)
            same = len(kept) <= 1 and site.ledger.startswith(b"".join(kept))
            found.append(f"{behind} lines are not at the archive" if same else "the archive has another ledger")
        if absent := [sha256 for sha256 in armed if sha256 not in stored]:
            found.append(f"{len(absent)} segments are not at the archive")
        if other := [sha256 for sha256 in armed if sha256 in stored and not same_bytes(armed[sha256], stored[sha256])]:
            found.append(f"{len(other)} segments are other bytes")
        if unproven := len(armed) - len(site.receipted()):
            found.append(f"{unproven} segments have no receipt")
        if not found and not self._agrees(site):
            found.append("the verifier says something else of the archive's copy")
        if unarmed := len(site.unarmed()):
            found.append(f"{unarmed} unarmed segments stay on the unit")
        return found

    def _agrees(self, site: Site) -> bool:
        """Whether the verifier says the same of the archive's folder and of the station's disk, unarmed video aside."""
        own, kept = site.verdict(), verdict(self.archive.config.data / "ledgers" / site.name, site.station.root)
        if not site.unarmed():
            return own == kept
        gaps = [[camera["gaps"] for camera in cast("list[Json]", each["cameras"])] for each in (own, kept)]
        return gaps[0] == gaps[1] and all(own[each] == kept[each] for each in own if each not in ("cameras", "modes"))


def judge_journal(archive: RunningArchive) -> list[str]:
    """What is wrong with the receipts that were ever given: two with the same bytes, or for the same subject."""
    texts = (archive.config.data / "receipts.jws").read_text().splitlines()
    receipts = [read_receipt(text, archive.trust) for text in texts]
    subjects = Counter((each.station, each.unit, each.kind, each.seq, each.sha256, each.media) for each in receipts)
    found = [f"{len(texts) - len(set(texts))} receipts stand there twice"] if len(set(texts)) < len(texts) else []
    again = [subject for subject, times in subjects.items() if times > 1]
    return found + ([f"{len(again)} subjects have more than one receipt"] if again else [])


def same_bytes(one: Path, two: Path) -> bool:
    return one.read_bytes() == two.read_bytes()
