"""Step 10 of spec/verify.md: where two ledgers of one unit part, and what that is (spec/ledger.md, section 8)."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evidence.codes import Code

MAX_TAIL_NS = 60 * 10**9
_DIGEST_BYTES = 16
_START = 1


class History:
    """The good lines of a ledger: 33 bytes for each. Kept only where several ledgers of a unit are compared.

    Every ``seq`` comes once. Lines come in the order of the file, and are put in the order of ``seq`` once, when first
    asked about: a moved line in its place would cost time in proportion to all lines behind it.
    """

    def __init__(self) -> None:
        self._seqs = array("q")
        self._boot_ns = array("q")
        self._flags = bytearray()
        self._digests = bytearray()
        self._sorted = True

    def add(self, seq: int, payload_digest: bytes, boot_ns: int, *, start: bool) -> None:
        """The next line of the file that counts, moved or not."""
        if self._seqs and seq < self._seqs[-1]:
            self._sorted = False
        self._seqs.append(seq)
        self._boot_ns.append(boot_ns)
        self._flags.append(_START if start else 0)
        self._digests += payload_digest[:_DIGEST_BYTES]

    def holds(self, seq: int, payload_digest: bytes) -> bool:
        """Whether the line with this number says the same."""
        self._sort()
        at = bisect_left(self._seqs, seq)
        if at == len(self._seqs) or self._seqs[at] != seq:
            return False
        return self._digest(at) == payload_digest[:_DIGEST_BYTES]

    def fork(self, other: "History") -> int | None:
        """The first ``seq`` for which the two hold different payloads; None where neither contradicts the other."""
        self._sort()
        other._sort()
        mine = theirs = self._shared(other)
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
        self._sort()
        at = bisect_left(self._seqs, seq)
        times = self._boot_ns[at:]
        return Branch(
            opens_with_start=bool(self._flags[at] & _START),
            holds_start=any(self._flags[at:]),
            span_ns=max(times) - min(times),
        )

    def _shared(self, other: "History") -> int:
        """How many lines from the first on are the same in both, in whole steps of halving: fast, not exact."""
        shared, step = 0, min(len(self._seqs), len(other._seqs))
        while step:
            begin, end = shared, shared + step
            same = self._seqs[begin:end] == other._seqs[begin:end] and (
                self._digests[begin * _DIGEST_BYTES : end * _DIGEST_BYTES]
                == other._digests[begin * _DIGEST_BYTES : end * _DIGEST_BYTES]
            )
            if same:
                shared = end
            step = min(step // 2, min(len(self._seqs), len(other._seqs)) - shared)
        return shared

    def _sort(self) -> None:
        if self._sorted:
            return
        order = sorted(range(len(self._seqs)), key=self._seqs.__getitem__)
        self._digests = bytearray().join(self._digest(at) for at in order)
        self._seqs = array("q", (self._seqs[at] for at in order))
        self._boot_ns = array("q", (self._boot_ns[at] for at in order))
        self._flags = bytearray(self._flags[at] for at in order)
        self._sorted = True

    def _digest(self, at: int) -> bytes:
        return bytes(self._digests[at * _DIGEST_BYTES : (at + 1) * _DIGEST_BYTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One continuation of a fork. ``span_ns`` is boot time from first to last line, if it holds no start."""

    opens_with_start: bool
    holds_start: bool
    span_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two ledgers part at ``seq``. ``abandoned`` is the number of the one that nobody went on with, if one is."""

    seq: int
    code: Code
    abandoned: int | None


def judge_forks(histories: Sequence[History]) -> list[Fork]:
    """Where each two ledgers part. Every two, since of three branches any two may be unlawful together."""
    forks: list[Fork] = []
    for (i, one), (j, two) in combinations(enumerate(histories), 2):
        seq = one.fork(two)
        if seq is not None:
            left, right = one.branch(seq), two.branch(seq)
            code = judge_fork(left, right)
            abandoned = None if code is Code.EQUIVOCATION else (j if left.opens_with_start else i)
            forks.append(Fork(seq=seq, code=code, abandoned=abandoned))
    return forks


def judge_fork(one: Branch, two: Branch) -> Code:
    """``tail-lost``, ``rolled-back`` or ``equivocation``."""
    for opening, other in ((one, two), (two, one)):
        if opening.opens_with_start and not other.holds_start:
            return Code.TAIL_LOST if other.span_ns <= MAX_TAIL_NS else Code.ROLLED_BACK
    return Code.EQUIVOCATION
