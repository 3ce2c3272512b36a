"""The lane of the ledger: whatever is durable goes up at once, before any video."""

from pathlib import Path

from appliance.uplink.agreement import Agreement, agree
from appliance.uplink.answers import LinesAnswer
from appliance.uplink.linebook import Stretch
from appliance.uplink.pace import SECOND_NS
from appliance.uplink.plan import ASK_NS, LEAST_BATCH_BYTES, batch_bytes
from appliance.uplink.receipts import read_logged
from appliance.uplink.talk import IDLE_S, StuckError, Talk
from evidence.errors import EvidenceError

LOGGED_NS = 60 * SECOND_NS
"""How often the archive's word for its head is checked; it proves what time it is."""


class LineLane:
    """Sends lines, in batches that grow while the link carries them."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._at = talk.at
        self._batch_bytes = LEAST_BATCH_BYTES
        self._asked_ns = self._at.boot_ns()
        self._logged_ns: int | None = None

    async def agree(self) -> None:
        """Find out which lines and media the archive has. Raises PeerError."""
        with self._talk.question() as changed:
            answer = await self._ask()
        agreed = await agree(self._talk.client, self._at.disk, self._at.lines, answer.head)
        await self._stand(agreed)
        await self._at.disk.do(self._at.media.doubt_behind, self._talk.common_seq)
        await self._take_in(answer, changed)

    async def turn(self) -> float:
        """The next batch; where there is none, now and then the question whether all is as before.

        0, or how many seconds there is nothing to do unless the bell rings.
        """
        talk = self._talk
        if talk.in_doubt or not await self._still_has_common():
            await self.agree()
        stretch = await self._at.disk.do(self._at.lines.stretch, talk.agreed.next_seq, self._batch_bytes)
        if stretch is None:
            if self._at.boot_ns() - self._asked_ns >= ASK_NS:
                with talk.question() as changed:
                    answer = await self._ask()
                if answer.head == talk.agreed.common:
                    await self._take_in(answer, changed)
                elif not talk.agreed.branch:
                    talk.in_doubt = True
                    return 0
            return IDLE_S
        await self._send(stretch)
        return 0

    async def _send(self, stretch: Stretch) -> None:
        talk, size_bytes = self._talk, self._batch_bytes
        try:
            data = await self._at.disk.do(_read, self._at.ledger, stretch)
        except OSError as error:
            raise StuckError(f"the ledger cannot be read: {error.strerror}") from error
        self._batch_bytes = batch_bytes(size_bytes, worked=False)
        branch = talk.agreed.next_seq if talk.agreed.branch else None
        with talk.question() as changed, talk.urgently():
            answer = await talk.client.lines(data, branch=branch)
            self._asked_ns = self._at.boot_ns()
        if answer.head == stretch.head:
            self._batch_bytes = batch_bytes(size_bytes, worked=True)
            self._at.state.tries = 0
            await self._stand(Agreement(common=stretch.head, branch=False))
        elif answer.refused is None:
            agreed = await agree(talk.client, self._at.disk, self._at.lines, answer.head)
            if agreed == talk.agreed:
                raise StuckError("the archive takes no line and refuses none")
            await self._stand(agreed)
        await self._take_in(answer, changed)
        if answer.refused is not None:
            talk.in_doubt = True
            told = answer.refused
            raise StuckError(f"the archive refuses line {told.seq}: {told.code}: {told.message}")

    async def _stand(self, agreed: Agreement) -> None:
        self._talk.agreed, self._talk.in_doubt = agreed, False
        self._at.state.sent = agreed.common

    async def _ask(self) -> LinesAnswer:
        answer = await self._talk.client.lines()
        self._asked_ns = self._at.boot_ns()
        return answer

    async def _still_has_common(self) -> bool:
        """Whether our own ledger has not lost what was agreed on."""
        common = self._talk.agreed.common
        if common is None:
            return True
        line = await self._at.disk.do(self._at.lines.line, common.seq)
        return line is not None and line.head == common

    async def _take_in(self, answer: LinesAnswer, changed: set[str]) -> None:
        await self._talk.settle(answer, changed)
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


def _read(ledger: Path, stretch: Stretch) -> bytes:
    with ledger.open("rb") as file:
        file.seek(stretch.begin_bytes)
        return file.read(stretch.end_bytes - stretch.begin_bytes)
