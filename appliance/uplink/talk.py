"""What the lanes of one connection share: what both sides have agreed on, what is being sent, who has the way."""

import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.uplink.agreement import Agreement
from appliance.uplink.answers import LinesAnswer
from appliance.uplink.bell import Bell, DiskThread
from appliance.uplink.client import ArchiveClient
from appliance.uplink.linebook import LineBook
from appliance.uplink.mediabook import MediaBook
from appliance.uplink.pace import Carried, Ceiling
from appliance.uplink.plan import Policy
from appliance.uplink.receipts import Whose
from appliance.uplink.status import LinkState
from appliance.uplink.way import Way
from base.receiptfolder import ReceiptFolder
from evidence.certificate import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What stays from one connection to the next. All that blocks is done by ``disk``."""

    disk: DiskThread
    lines: LineBook
    media: MediaBook
    receipts: ReceiptFolder
    ledger: Path
    segment: Callable[[str, str, int, int], Path]
    """Where a segment lies: session, camera, run, index."""
    trust: Trust
    whose: Whose
    policy: Policy
    made_bytes_s: Callable[[], int | None]
    """How fast armed video is made; None while nobody can tell."""
    ceiling: Ceiling
    backfill_ceiling: Ceiling
    boot_ns: Callable[[], int]
    chance: random.Random
    pause: Callable[[float], Awaitable[None]]
    """Sleep so many seconds."""
    receipt_ns: int
    """How long what is held waits for others to share a receipt with."""
    state: LinkState
    bell: Bell
    """Rings when the state of media has changed. Whom it wakes asks the disk's thread, which costs most of all here."""
    news: Bell
    """Rings when there are new lines, or doubt of what the archive has."""


IDLE_S = 5.0
"""A lane that nothing wakes looks again after so long."""


class StuckError(Exception):
    """A lane cannot go on for now; the others can."""


class Talk:
    """The state of one connection, on the loop's thread."""

    def __init__(self, station: Station, client: ArchiveClient) -> None:
        self.at = station
        self.client = client
        self.agreed = Agreement(common=None, branch=False)
        self.in_doubt = False
        """The archive may have other lines than agreed on."""
        self.sending: set[str] = set()
        self.passed_over: set[str] = set()
        """Segments that were not taken on this connection, for no fault of theirs that is known."""
        self.way = Way()
        self.carried = Carried(station.boot_ns)
        """What the link gives to media."""
        self.lines_bytes_s: int | None = None
        """What it gives to lines, by the newest exchange; None where that was too short to tell."""
        self.went_live: dict[str, int] = {}
        """The newest line of each camera of which a segment went live."""
        self._questions: list[set[str]] = []

    def bytes_s(self) -> int | None:
        """What the link carries, as far as that is known."""
        return self.carried.bytes_s() or self.lines_bytes_s

    @contextlib.contextmanager
    def question(self) -> Iterator[set[str]]:
        """The digests whose state changes before the answer is there: it does not change them back."""
        changed = set[str]()
        self._questions.append(changed)
        try:
            yield changed
        finally:
            # By identity: two that have heard of nothing yet are equal.
            self._questions = [each for each in self._questions if each is not changed]

    def has_changed(self, sha256: str) -> None:
        """The state of a segment is another one now than the archive knew when it was asked."""
        for changed in self._questions:
            changed.add(sha256)

    @property
    def common_seq(self) -> int:
        """The newest line that both have; -1 where there is none."""
        return self.agreed.next_seq - 1

    async def settle(self, answer: LinesAnswer, changed: set[str], *, complete: bool) -> None:
        """Take in what an answer says of media, ``complete`` where it names all that are missing; wake all lanes."""
        up_to = self.common_seq if answer.head == self.agreed.common else -1
        but = changed | self.sending
        await self.at.disk.do(self.at.media.settle, answer.lacks, up_to, complete=complete, but=but)
        self.at.bell.ring()
