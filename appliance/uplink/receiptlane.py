"""The lane of the receipts: the archive's signed word for what it holds, and what it turns out to lack."""

from collections.abc import Collection

from appliance.uplink.pace import SECOND_NS
from appliance.uplink.plan import MOST_RECEIPT, Media, State, fitting_receipt, receipt_due
from appliance.uplink.receipts import read_stored
from appliance.uplink.talk import IDLE_S, Station, StuckError, Talk
from appliance.uplink.way import Rank
from evidence.errors import EvidenceError

LEAST_S = 0.01
SPENT_NS = 60 * SECOND_NS
"""How often entries are looked for whose media are gone."""


class ReceiptLane:
    """Asks for receipts in batches, checks each and lays it for the recorder."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._at = talk.at
        self._asked_ns = self._at.boot_ns() - self._at.receipt_ns
        self._spent_ns = self._at.boot_ns()

    async def turn(self) -> float:
        """One receipt, if there is enough to ask for; 0, or how many seconds there is not unless the bell rings."""
        at, talk = self._at, self._talk
        if at.boot_ns() - self._spent_ns >= SPENT_NS:
            self._spent_ns = at.boot_ns()
            await at.disk.do(clear_spent, at)
        found = await at.disk.do(at.media.unproven, talk.common_seq, MOST_RECEIPT + len(talk.sending))
        asked = [each for each in found if each.sha256 not in talk.sending][:MOST_RECEIPT]
        waited_ns = at.boot_ns() - self._asked_ns
        if not receipt_due(len(asked), waited_ns, at.receipt_ns):
            return max(at.receipt_ns - waited_ns, 0) / SECOND_NS + LEAST_S if asked else IDLE_S
        await talk.way.clear(Rank.LIVE)
        asked = asked[: fitting_receipt(talk.bytes_s())]
        self._asked_ns = at.boot_ns()
        with talk.question() as changed:
            answer = await talk.client.receipt(sorted(each.sha256 for each in asked), bytes_s=talk.bytes_s())
        lacks = {each.sha256 for each in asked} & set(answer.lacks)
        if answer.receipt is not None:
            await self._keep(answer.receipt, asked)
        elif lacks:
            has = [each.sha256 for each in asked if each.state is State.UNKNOWN and each.sha256 not in lacks]
            await at.disk.do(at.media.acknowledge, has)
            await at.disk.do(at.media.settle, lacks, -1, complete=False, but=changed | talk.sending)
            at.bell.ring()
        else:
            raise StuckError("the archive neither acknowledges media nor says what it lacks")
        return 0

    async def _keep(self, text: str, asked: Collection[Media]) -> None:
        try:
            receipt = read_stored(text, self._at.trust, self._at.whose, {each.sha256 for each in asked})
        except EvidenceError as error:
            self._at.state.receipts_refused += 1
            raise StuckError(str(error)) from error
        try:
            await self._at.disk.do(_lay, self._at, text, asked, receipt.utc_us)
        except OSError as error:
            raise StuckError(f"the archive's receipt cannot be kept: {error.strerror}") from error


def _lay(at: Station, text: str, asked: Collection[Media], utc_us: int) -> None:
    tail = at.lines.tail()
    name = at.receipts.lay(0 if tail is None else tail.head.seq, text, [each.place for each in asked])
    # Power fails here: the entry is taken up at the next start.
    at.media.receipted([each.sha256 for each in asked], name)
    at.lines.mark("receipt", utc_us)


def clear_spent(at: Station) -> None:
    """Remove the entries of which no segment lies here any more."""
    for name in at.media.spent_entries():
        at.receipts.remove(name)
        at.media.drop_entry(name)


def adopt_entries(at: Station) -> None:
    """Take up the entries that an earlier process has laid and this one does not know; remove what is none."""
    for name in at.receipts.names():
        if at.media.entry_is_known(name):
            continue
        text = at.receipts.receipt(name)
        try:
            receipt = read_stored(text or "", at.trust, at.whose, None)
        except EvidenceError:
            at.receipts.remove(name)
            continue
        at.media.receipted(receipt.media, name)
        at.lines.mark("receipt", receipt.utc_us)
        if not at.media.entry_is_known(name):
            at.receipts.remove(name)
