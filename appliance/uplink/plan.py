"""What is sent next, given what is known. Rules only: no clock, no network, no database.

Lines go first, always. Of the media the newest committed segment of each camera is live (of every n-th, where the link
is thin: thinning.py); the rest is backfill, in the order of the policy. Whatever the archive has acknowledged once and
lacks again comes after what it never had.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """In which order what is missing goes up."""

    COUNTING_FIRST = "counting-first"
    OLDEST_FIRST = "oldest-first"


class State(StrEnum):
    """What is known of one segment at the archive."""

    UNKNOWN = "unknown"
    """Nobody has asked yet, or an answer was lost."""
    WAITING = "waiting"
    """The archive lacks it."""
    HELD = "held"
    """The archive says that it has it."""
    RECEIPTED = "receipted"
    """The archive has signed that it has it."""
    REFUSED = "refused"
    """Held back until a person has looked at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A segment that a durable line names."""

    sha256: str
    seq: int
    session: str
    camera: str
    run: int
    index: int
    size: int
    counting: bool
    """Whether the votes were being counted."""
    state: State
    acknowledged: int
    """How often the archive has said that it had it."""

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Session, camera, run and index."""
        return self.session, self.camera, self.run, self.index


LEAST_BATCH_BYTES = 1
"""One line."""
FIRST_BATCH_BYTES = 64 << 10
GREETING_BYTES = 1_500
"""What a connection costs on the way up until its first question is answered."""
BATCH_S = 4.0
"""A batch of lines takes about so long where the link carries no more; then nothing stands long behind it."""
_GROWTH = 8
MOST_BATCH_BYTES = 1 << 20
MOST_LINES = 2_048
MOST_RECEIPT = 128
MOST_LACKS = 512
LEAST_LACKS = 8
LACKS_S = 0.5
DIGEST_BYTES = 67
"""Of a segment, where it is asked for or named."""
RECEIPT_NS = 10_000_000_000
"""How long what is held waits for others to share a receipt with."""
ASK_NS = 30_000_000_000
"""An idle connection is asked for the archive's head this often: that shows whether it still lives."""
MOST_ACKNOWLEDGED = 5
"""An archive that has had a segment so often and has none is not sent it again without a person."""


def live(newest: Iterable[Media], busy: Collection[str], sent: Mapping[str, int]) -> Media | None:
    """Which of the newest segments of the cameras goes now; ``busy`` are digests being sent or passed over.

    ``sent`` has the newest line of each camera of which a segment went live: the one that has waited longest is next.
    """
    ready = [each for each in newest if each.state is State.WAITING and each.sha256 not in busy]
    return min(ready, key=lambda each: (sent.get(each.camera, -1), -each.seq), default=None)


def backfill(waiting: Iterable[Media], newest: Iterable[Media], busy: Collection[str], policy: Policy) -> Media | None:
    """Which segment goes in the room that live leaves. Those in ``newest`` are live and not touched."""
    others = {each.sha256 for each in newest}
    ready = [
        each
        for each in waiting
        if each.state is State.WAITING and each.sha256 not in busy and each.sha256 not in others
    ]
    return min(ready, key=lambda each: _rank(each, policy), default=None)


def _rank(media: Media, policy: Policy) -> tuple[int, bool, int]:
    late = policy is Policy.COUNTING_FIRST and not media.counting
    return media.acknowledged, late, media.seq


def first_batch_bytes(greeting_s: float) -> int:
    """How much of the ledger goes in the first request of a connection that took so long until its first answer."""
    return min(FIRST_BATCH_BYTES, _carried(GREETING_BYTES, greeting_s))


def batch_bytes(before: int, size_bytes: int, took_s: float) -> int:
    """How much of the ledger goes in one request, after ``size_bytes`` of at most ``before`` took so long: more while
    the link carries it, less where a batch takes long.
    """
    fits = min(_carried(size_bytes, took_s), size_bytes * _GROWTH)
    return min(MOST_BATCH_BYTES, fits if took_s > BATCH_S else max(before, fits))


def _carried(size_bytes: int, took_s: float) -> int:
    """How much passes in the time of a batch."""
    return max(LEAST_BATCH_BYTES, int(size_bytes * BATCH_S / max(took_s, 0.001)))


def fitting_lacks(bytes_s: int | None, *, more: bool) -> int:
    """How many missing media an answer is to tell on a link that carries so much: none while ``more`` lines go up
    first, since the last of them brings the list, and else what passes in a moment.
    """
    if more:
        return 0
    return MOST_LACKS if bytes_s is None else min(MOST_LACKS, max(LEAST_LACKS, int(bytes_s * LACKS_S) // DIGEST_BYTES))


def fitting_receipt(bytes_s: int | None) -> int:
    """For how much media a receipt is asked on a link that carries so much: that takes no longer than a batch."""
    return MOST_RECEIPT if bytes_s is None else min(MOST_RECEIPT, max(1, int(bytes_s * BATCH_S) // DIGEST_BYTES))


def receipt_due(held: int, waited_ns: int, patience_ns: int = RECEIPT_NS) -> bool:
    """Whether a receipt is asked for: for a full one at once, else after a while."""
    return held >= MOST_RECEIPT or (held > 0 and waited_ns >= patience_ns)


def verdicts(
    known: Sequence[Media], lacks: Collection[str], *, complete: bool, but: Collection[str]
) -> dict[str, State]:
    """New states of ``known`` (all that the archive can have heard of) by the list of what it lacks.

    ``complete`` says that the list names all. ``but`` are digests whose state changed since the question was asked.
    """
    changed: dict[str, State] = {}
    for media in known:
        if media.sha256 in but or media.state is State.REFUSED:
            continue
        if media.sha256 in lacks:
            state = State.REFUSED if media.acknowledged >= MOST_ACKNOWLEDGED else State.WAITING
        elif complete and media.state in (State.UNKNOWN, State.WAITING):
            state = State.HELD
        else:
            continue
        if state is not media.state:
            changed[media.sha256] = state
    return changed


def newest_common(ours: int, theirs: int) -> "CommonLine":
    """The search for the newest line that both sides have (spec/upload.md, section 5)."""
    return CommonLine(low=-1, high=min(ours, theirs))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonLine:
    """All lines up to ``low`` are common, none behind ``high`` is. Where one is common, all before it are."""

    low: int
    high: int

    @property
    def ask(self) -> int | None:
        """The line to compare next; None where ``low`` is the answer (-1: none is common)."""
        return None if self.low >= self.high else (self.low + self.high + 1) // 2

    def told(self, seq: int, *, same: bool) -> "CommonLine":
        """What is known after line ``seq`` has been compared."""
        return CommonLine(low=seq, high=self.high) if same else CommonLine(low=self.low, high=seq - 1)
