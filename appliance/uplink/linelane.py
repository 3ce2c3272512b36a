"""The lane of the ledger: whatever is durable goes up at once, before any video."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.uplink.agreement import Agreement, agree
from appliance.uplink.answers import BusyError, LinesAnswer
from appliance.uplink.linebook import LineBook, Stretch
from appliance.uplink.pace import SECOND_NS
from appliance.uplink.plan import (
    ASK_NS,
    GREETING_BYTES,
    LEAST_BATCH_BYTES,
    MOST_LACKS,
    batch_bytes,
    first_batch_bytes,
    fitting_lacks,
)
from appliance.uplink.receipts import read_logged
from appliance.uplink.talk import IDLE_S, StuckError, Talk
from appliance.uplink.way import Rank
from evidence.errors import EvidenceError

LOGGED_NS = 60 * SECOND_NS
"""How often the archive's word for its head is checked; it proves what time it is."""
TELLING_S = 0.5
"""A shorter request tells more of the way there and back than of the link."""
SLOW_S = 2.0
"""Where a request takes so long the link has room for nothing beside lines, until one has carried the newest."""
THIN_BYTES_S = 4_000
"""Below that one batch goes after the other."""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Lines on their way. ``more`` lines are to follow; at most ``most`` missing media are to be told."""

    stretch: Stretch
    more: bool
    most: int
    changed: set[str] = field(default_factory=set)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nothing of it waits on this machine any more."""
    answer: "asyncio.Task[LinesAnswer]" = field(init=False)


class LineLane:
    """Sends lines, in batches that grow while the link carries them."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._at = talk.at
        self._batch_bytes = LEAST_BATCH_BYTES
        self._asked_ns = self._at.boot_ns()
        self._logged_ns: int | None = None
        self._alone: Callable[[], None] | None = None
        """Gives back the way, where the link is slow and lines keep it from one request to the next."""

    async def agree(self) -> None:
        """Find out which lines and media the archive has. Raises PeerError."""
        began_ns = self._at.boot_ns()
        with self._talk.question() as changed:
            answer = await self._ask()
        self._batch_bytes = first_batch_bytes(self._judge(GREETING_BYTES, began_ns))
        agreed = await agree(self._talk.client, self._at.disk, self._at.lines, answer.head)
        await self._stand(agreed)
        await self._at.disk.do(self._at.media.doubt_behind, self._talk.common_seq)
        await self._take_in(answer, changed)

    async def turn(self) -> float:
        """The next batch; where there is none, now and then the question whether all is as before.

        0, or how many seconds there is nothing to do unless the bell rings.
        """
        talk = self._talk
        stands, stretch, more = await self._at.disk.do(_next, self._at.lines, talk.agreed, self._batch_bytes)
        if talk.in_doubt or not stands:
            await self.agree()
            return 0
        if stretch is None:
            self._leave()
            if self._at.boot_ns() - self._asked_ns >= ASK_NS:
                with talk.question() as changed:
                    answer = await self._ask()
                if answer.head == talk.agreed.common:
                    await self._take_in(answer, changed)
                elif not talk.agreed.branch:
                    talk.in_doubt = True
                    return 0
            return IDLE_S
        try:
            await self._send(stretch, more=more)
        except (BusyError, StuckError):
            self._leave()
            raise
        return 0

    async def _send(self, stretch: Stretch, *, more: bool) -> None:
        """Send ``stretch``, and what follows as soon as it has left this machine: while the archive verifies one batch
        the next is on its way, all but its end, so that it never comes first. What was sent behind a batch that is not
        taken counts for nothing.
        """
        batch: _Batch | None = self._begin(stretch, more=more)
        while batch is not None:
            ahead: _Batch | None = None
            try:
                ahead = await self._begin_behind(batch)
                taken = await self._take(batch, await batch.answer)
            except BaseException:
                await _give_up(batch, ahead)
                raise
            if not taken:
                await _give_up(ahead)
                return
            batch = ahead

    def _begin(self, stretch: Stretch, *, more: bool, behind: "_Batch | None" = None) -> "_Batch":
        batch = _Batch(stretch=stretch, more=more, most=fitting_lacks(self._talk.lines_bytes_s, more=more))
        batch.answer = asyncio.create_task(self._post(batch, behind))
        return batch

    async def _begin_behind(self, batch: "_Batch") -> "_Batch | None":
        """What follows ``batch``, begun once that has left; None where nothing does, or its answer comes first."""
        carried = self._talk.lines_bytes_s
        # On the thinnest links another connection costs more than it brings.
        if not batch.more or self._talk.agreed.branch or (carried is not None and carried < THIN_BYTES_S):
            return None
        left = asyncio.create_task(batch.left.wait())
        try:
            await asyncio.wait({left, batch.answer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
        if batch.answer.done():
            return None
        agreed = Agreement(common=batch.stretch.head, branch=False)
        _, stretch, more = await self._at.disk.do(_next, self._at.lines, agreed, self._batch_bytes)
        return None if stretch is None else self._begin(stretch, more=more, behind=batch)

    async def _post(self, batch: "_Batch", behind: "_Batch | None") -> LinesAnswer:
        talk, stretch, begun_bytes = self._talk, batch.stretch, 0

        async def before(size_bytes: int) -> None:
            nonlocal begun_bytes
            begun_bytes += size_bytes
            if behind is not None and begun_bytes == len(data):
                await asyncio.wait({behind.answer})

        try:
            data = await self._at.disk.do(_read, self._at.ledger, stretch)
        except OSError as error:
            raise StuckError(f"the ledger cannot be read: {error.strerror}") from error
        branch = talk.agreed.next_seq if talk.agreed.branch else None
        began_ns = self._at.boot_ns()
        with talk.question() as batch.changed, talk.way.taken(Rank.LINES) as leave:

            def left() -> None:
                leave()
                batch.left.set()

            answer = await talk.client.lines(
                data,
                branch=branch,
                most_lacks=batch.most,
                before=before,
                bytes_s=talk.lines_bytes_s,
                sent=left,
            )
            self._asked_ns = self._at.boot_ns()
            took_s = self._judge(len(data), began_ns, more=batch.more)
            self._batch_bytes = batch_bytes(self._batch_bytes, len(data), took_s)
        return answer

    async def _take(self, batch: "_Batch", answer: LinesAnswer) -> bool:
        """Whether the archive has all of ``batch`` now. Raises StuckError where it refuses a line."""
        talk, head = self._talk, batch.stretch.head
        if answer.head == head:
            self._at.state.tries = 0
            await self._stand(Agreement(common=head, branch=False))
        elif answer.refused is None:
            agreed = await agree(talk.client, self._at.disk, self._at.lines, answer.head)
            if agreed == talk.agreed:
                raise StuckError("the archive takes no line and refuses none")
            await self._stand(agreed)
            await self._at.disk.do(self._at.media.doubt_behind, talk.common_seq)
        await self._take_in(answer, batch.changed, batch.most)
        if answer.refused is not None:
            talk.in_doubt = True
            told = answer.refused
            raise StuckError(f"the archive refuses line {told.seq}: {told.code}: {told.message}")
        return answer.head == head

    def _judge(self, size_bytes: int, began_ns: int, *, more: bool = True) -> float:
        """Learn from a request how slow the link is; how many seconds it took. ``more``: there may be more to send."""
        took_s = max(self._at.boot_ns() - began_ns, 1) / SECOND_NS
        self._talk.lines_bytes_s = max(int(size_bytes / took_s), 1) if took_s >= TELLING_S else None
        self._talk.client.expect(took_s)
        if took_s <= SLOW_S or not more:
            self._leave()
        elif self._alone is None:
            self._alone = self._talk.way.take(Rank.LINES)
        return took_s

    def _leave(self) -> None:
        if self._alone is not None:
            self._alone()
            self._alone = None

    async def _stand(self, agreed: Agreement) -> None:
        self._talk.agreed, self._talk.in_doubt = agreed, False
        self._at.state.sent = agreed.common

    async def _ask(self) -> LinesAnswer:
        answer = await self._talk.client.lines()
        self._asked_ns = self._at.boot_ns()
        return answer

    async def _take_in(self, answer: LinesAnswer, changed: set[str], most: int = MOST_LACKS) -> None:
        """``most`` is how many missing media it may have told."""
        await self._talk.settle(answer, changed, complete=len(answer.lacks) < most)
        now_ns, head = self._at.boot_ns(), answer.head
        if answer.receipt is None or head is None or head != self._talk.agreed.common:
            return
        if self._logged_ns is not None and now_ns - self._logged_ns < LOGGED_NS:
            return
        self._logged_ns = now_ns
        try:
            receipt = read_logged(answer.receipt, self._at.trust, self._at.whose, head.seq, head.sha256)
        except EvidenceError as error:
            self._at.state.receipts_refused += 1
            self._at.state.notes["logged"] = str(error)
        else:
            self._at.state.notes.pop("logged", None)
            await self._at.disk.do(self._at.lines.mark, "receipt", receipt.utc_us)


def _next(lines: LineBook, agreed: Agreement, limit_bytes: int) -> tuple[bool, Stretch | None, bool]:
    """Whether our own ledger has not lost what was agreed on, the next lines to send, and whether there are more."""
    common = agreed.common
    line = None if common is None else lines.line(common.seq)
    stands = common is None or (line is not None and line.head == common)
    stretch, tail = lines.stretch(agreed.next_seq, limit_bytes) if stands else None, lines.tail()
    return stands, stretch, tail is not None and stretch is not None and stretch.head != tail.head


async def _give_up(*batches: _Batch | None) -> None:
    """End what is on its way; nobody waits for its answers any more."""
    tasks = {batch.answer for batch in batches if batch is not None}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)


def _read(ledger: Path, stretch: Stretch) -> bytes:
    with ledger.open("rb") as file:
        file.seek(stretch.begin_bytes)
        return file.read(stretch.end_bytes - stretch.begin_bytes)
