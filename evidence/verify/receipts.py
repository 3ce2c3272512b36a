"""Receipts in ``pruned`` lines: which media the archive's signed word holds (spec/receipt.md, section 4 and 5)."""

from bisect import bisect_left
from dataclasses import dataclass

from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.lines import Start
from evidence.receipt import read_receipt
from evidence.verify.findings import Findings, Place

RECEIPTED = "receipted"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The media that a receipt names: 32 bytes for each, in ascending order. Of a *logged* receipt, none."""

    digests: bytes

    def __contains__(self, digest: bytes) -> bool:
        count = len(self.digests) // _DIGEST_BYTES
        at = bisect_left(range(count), digest, key=self._digest)
        return at < count and self._digest(at) == digest

    def _digest(self, at: int) -> bytes:
        return self.digests[at * _DIGEST_BYTES : (at + 1) * _DIGEST_BYTES]


class Receipts:
    """Reads the receipts of one ledger. Neighbouring lines mostly carry the same one, so the last is remembered."""

    def __init__(self, findings: Findings, trust: Trust) -> None:
        self._findings, self._trust = findings, trust
        self._last: tuple[str, Start, Held] | None = None

    def held(self, receipt: str, start: Start, at: Place) -> Held | None:
        """What a receipt in a line of ``start``'s session names; None, and a finding, where it is refused."""
        if self._last is not None and self._last[:2] == (receipt, start):
            return self._last[2]
        try:
            read = read_receipt(receipt, self._trust)
            names = (read.election, read.station, read.unit)
            if names != (start.election, start.station, start.unit):
                whose = "election {}, station {}, unit {}".format(*names)
                raise EvidenceError(Code.RECEIPT_REFUSED, f"the receipt is refused: it is for {whose}")
        except EvidenceError as error:
            self._findings.add(Code.RECEIPT_REFUSED, at, str(error))
            return None
        held = Held(digests=b"".join(map(bytes.fromhex, read.media)))
        self._last = (receipt, start, held)
        return held
