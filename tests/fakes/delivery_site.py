"""One polling station of a day of delivery: a stepped recorder, its real uplink, and the link to the archive."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from appliance.config import StationConfig, UplinkConfig
from appliance.delivery import Delivery
from appliance.uplink.plan import Policy
from audit.verify import verify
from base.clock import Clock, SystemClock
from evidence import jws
from evidence.certificate import Trust
from evidence.lines import Body, Recovered, Segment, Start, read_payload
from evidence.receipt import Acknowledged, read_receipt
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.checker import Json
from tests.fakes.delivering import write_key
from tests.fakes.link import EmulatedLink
from tests.fakes.station import NOON_US, SECOND
from tests.fakes.stepped import QuickDisk, SteppedStation

ANSWER_S = 2.0
GOP_SECONDS, STEP_NS = 12, 4 * SECOND
"""As long as the bridge's queue allows: a day of segments that are few, and no hole in it."""
NOTES = {"unarmed-at-unit"}
"""What the verifier notes of the archive's copy only."""
Place = tuple[str, str, int, int]


class Site:
    """One polling station: recorder, uplink and the link between it and the archive. ``online`` is an uplink's life."""

    def __init__(
        self,
        folder: Path,
        name: str,
        by: Authority,
        *,
        utc_us: int | None = NOON_US,
        gop_seconds: int = GOP_SECONDS,
        enrolled_by: Authority | None = None,
        link: EmulatedLink,
    ) -> None:
        folder.mkdir()
        self.name, self.link = name, link
        self.station = SteppedStation(
            folder,
            fps=2,
            gop_seconds=gop_seconds,
            mode=Mode.LIVE,
            utc_us=utc_us,
            disk=QuickDisk,
            station=name,
            by=by,
        )
        self.station.config.trust.write_bytes(by.root_pem)
        certificate, key = write_key(folder / "keys", enrolled_by or by, station=name)
        self.uplink = UplinkConfig(
            url="",
            certificate=certificate,
            key=key,
            data=folder,
            policy=Policy.OLDEST_FIRST,
            rate_kbit=None,
            backfill_kbit=None,
        )
        self.url: str | None = None
        """Where the uplink looks for the archive, unless at the link's own address."""
        self.clock: Clock = SystemClock()
        """The uplink's."""
        self.answer_s = ANSWER_S
        self.records = False
        self.delivery: Delivery | None = None
        self._work: asyncio.Task[None] | None = None
        self._laid: dict[str, int] = {}
        self._found: dict[Mode, dict[str, Path]] = {mode: {} for mode in Mode}
        self._read_bytes, self._session = 0, ""

    @property
    def config(self) -> StationConfig:
        url = self.url or f"https://{self.link.host}:{self.link.port}"
        return replace(self.station.config, uplink=replace(self.uplink, url=url))

    def begin(self) -> None:
        """The recorder starts, and two people arm it at once."""
        self.station.start()
        self.station.arm(Mode.LIVE)
        self.records = True

    def begin_unarmed(self) -> None:
        """The recorder starts, and nobody comes."""
        self.station.start()
        self.records = True

    @contextlib.asynccontextmanager
    async def online(self) -> AsyncIterator[Delivery]:
        """One uplink process's life; it ends from one instruction to the next."""
        delivery = self.delivery = Delivery(
            self.config,
            self.clock,
            chance=random.Random(self.name),
            pause=_briefly,
            answer_s=self.answer_s,
            receipt_ns=SECOND // 5,
        )
        work = self._work = asyncio.create_task(delivery.run())
        try:
            yield delivery
            self.must_live()
        finally:
            work.cancel()
            await asyncio.wait({work})
            self.delivery = self._work = None
            delivery.close()

    def must_live(self) -> None:
        """Raises what its uplink has ended with, if it has."""
        if self._work is not None and self._work.done():
            self._work.result()

    @property
    def ledger(self) -> bytes:
        return self.station.layout.ledger.read_bytes()

    def armed(self) -> dict[str, Path]:
        """Its segments that count as LIVE, by digest, and where they lie."""
        return self._segments(Mode.LIVE)

    def unarmed(self) -> dict[str, Path]:
        """Those that were recorded before anybody armed it: they stay on the unit."""
        return self._segments(Mode.UNARMED)

    def laid(self) -> int:
        """How many segments the receipts speak of that lie beside the recorder, unchecked: ``judge`` checks them."""
        for path in self.uplink.receipts.glob("*.json"):
            if path.name not in self._laid:
                self._laid[path.name] = len(json.loads(path.read_bytes())["places"])
        return sum(self._laid.values())

    def _segments(self, mode: Mode) -> dict[str, Path]:
        """What the lines say, each read once: the ledger grows and does not change."""
        with self.station.layout.ledger.open("rb") as file:
            file.seek(self._read_bytes)
            for text in file:
                self._take(read_payload(jws.unseal(text.removesuffix(b"\n")).payload).body)
            self._read_bytes = file.tell()
        return self._found[mode]

    def _take(self, body: Body) -> None:
        if isinstance(body, Start):
            self._session = body.kid
        if isinstance(body, Segment | Recovered):
            of = body.session if isinstance(body, Recovered) else self._session
            path = self.station.layout.segment(of, body.camera, body.run, body.index)
            self._found[body.mode][body.sha256] = path

    def receipted(self) -> set[Place]:
        """The segments for which a receipt that verifies lies beside the recorder."""
        trust, places = Trust.from_pem(self.station.root), set[Place]()
        for path in sorted(self.uplink.receipts.glob("*.json")):
            entry = json.loads(path.read_bytes())
            receipt = read_receipt(entry["receipt"], trust)
            assert (receipt.kind, receipt.station) == (Acknowledged.STORED, self.name)
            assert len(receipt.media) == len(entry["places"])
            places |= {cast("Place", tuple(place)) for place in entry["places"]}
        return places

    def verdict(self) -> Json:
        """What the verifier says of the station's own disk."""
        return verdict(self.station.config.data, self.station.root)


def verdict(data: Path, root: bytes) -> Json:
    """The verifier's answer for the one record in a folder, without NOTES."""
    answer = verify([data], trust=Trust.from_pem(root))
    (record,) = cast("Sequence[Json]", answer["records"])
    findings = cast("Sequence[Json]", record["findings"])
    return {**record, "findings": [each for each in findings if each["code"] not in NOTES]}


async def _briefly(seconds: float) -> None:
    """It waits, but not for so long."""
    await asyncio.sleep(min(seconds, 0.01))
