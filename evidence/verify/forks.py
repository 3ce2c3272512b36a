"""Step 10 of spec/verify.md: where two ledgers of one unit part, and what that is (spec/ledger.md, section 8)."""

from array import array
from bisect import bisect_left
from dataclasses import dataclass

from evidence.codes import Code

MAX_TAIL_NS = 60 * 10**9
_DIGEST_BYTES = 16
_START = 1


class History:
    """The good lines of a ledger: 33 bytes for each. Kept only where several ledgers of a unit are compared."""

    def __init__(self) -> None:
        self._seqs = array("q")
        self._boot_ns = array("q")
        self._flags = bytearray()
        self._digests = bytearray()

    def add(self, seq: int, payload_digest: bytes, boot_ns: int, *, start: bool) -> None:
        """The next line. Lines out of order are passed over; a fork shows in the lines around them, too."""
        if self._seqs and seq <= self._seqs[-1]:
            return
        self._seqs.append(seq)
        self._boot_ns.append(boot_ns)
        self._flags.append(_START if start else 0)
        self._digests += payload_digest[:_DIGEST_BYTES]

    def holds(self, seq: int, payload_digest: bytes) -> bool:
        """Whether the line with this number says the same."""
        at = bisect_left(self._seqs, seq)
        if at == len(self._seqs) or self._seqs[at] != seq:
            return False
        return self._digest(at) == payload_digest[:_DIGEST_BYTES]

    def fork(self, other: "History") -> int | None:
        """The first ``seq`` for which the two hold different payloads; None where neither contradicts the other."""
        mine = theirs = 0
        while mine < len(self._seqs) and theirs < len(other._seqs):
            if self._seqs[mine] < other._seqs[theirs]:
                mine += 1
            elif self._seqs[mine] > other._seqs[theirs]:
                theirs += 1
            elif self._digest(mine) != other._digest(theirs):
                return self._seqs[mine]
            else:
                mine, theirs = mine + 1, theirs + 1
        return None

    def branch(self, seq: int) -> "Branch":
        """What the ledger holds from ``seq`` on."""
        at = bisect_left(self._seqs, seq)
        times = self._boot_ns[at:]
        return Branch(
            opens_with_start=bool(self._flags[at] & _START),
            holds_start=any(self._flags[at:]),
            span_ns=max(times) - min(times),
        )

    def _digest(self, at: int) -> bytes:
        return bytes(self._digests[at * _DIGEST_BYTES : (at + 1) * _DIGEST_BYTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One continuation of a fork. ``span_ns`` is boot time from first to last line, if it holds no start."""

    opens_with_start: bool
    holds_start: bool
    span_ns: int


def judge_fork(one: Branch, two: Branch) -> Code:
    """``tail-lost``, ``rolled-back`` or ``equivocation``."""
    for opening, other in ((one, two), (two, one)):
        if opening.opens_with_start and not other.holds_start:
            return Code.TAIL_LOST if other.span_ns <= MAX_TAIL_NS else Code.ROLLED_BACK
    return Code.EQUIVOCATION
