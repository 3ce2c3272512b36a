"""Reading the ledger back at start: what stands, what a power cut left unfinished, what is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from appliance.ledger.state import LedgerState
from evidence import jws
from evidence.errors import EvidenceError
from evidence.lines import Line, Start, line_hash, read_payload

COMMIT_NS = 1_000_000_000
"""Lines of one commit are made within this time of each other."""


@dataclass(frozen=True, slots=True)
class _Text:
    """Bytes up to the next LF, or as many as a line may have; ``line`` is None where they are none."""

    size: int
    hash: str
    line: Line | None


def replay(file: BinaryIO, known: LedgerState | None = None) -> LedgerState:
    """Read a ledger and follow its chain, from the line on that ``known`` (a snapshot of this ledger) ends with.

    Signatures are not checked: that is the verifier's work, and starting must not wait for it.

    A power cut leaves of the last commit any part, in any order. So bytes that are no line, and all behind them, are
    *torn* if all of it can be of one commit: it was never durable. Where later lines follow, the ledger is *damaged*
    there, and the record goes on behind it (spec/verify.md, section 2:
    one damage is one finding).
    """
    state = known or LedgerState()
    size_bytes = file.seek(0, 2)
    at, broken = state.size_bytes, False
    while True:
        stopped = _follow(state, file, at, broken)
        broken = broken and stopped == at
        at = stopped
        if at == size_bytes or _unfinished(file, at):
            state.torn_bytes = size_bytes - state.size_bytes
            return state
        if broken:
            file.seek(at)
            at += next(_texts(file)).size
        else:
            broken = True
            state.damages += 1


def _follow(state: LedgerState, file: BinaryIO, at: int, broken: bool) -> int:
    """Apply lines while they follow; the offset of the first that does not, or of the end.

    After damage (``broken``) the first line need only be later than what came before it.
    """
    file.seek(at)
    for text in _texts(file):
        line = text.line
        if line is None or line.seq < state.next_seq:
            return at
        if not broken and (line.seq != state.next_seq or (state.prev and line.prev != state.prev)):
            return at
        try:
            state.apply(line)
        except EvidenceError:
            return at
        broken = False
        at += text.size
        state.next_seq, state.prev, state.size_bytes = line.seq + 1, text.hash, at
    return at


def _unfinished(file: BinaryIO, at: int) -> bool:
    """Whether all lines from ``at`` on can be of one commit."""
    file.seek(at)
    first: Line | None = None
    for text in _texts(file):
        line = text.line
        if line is None:
            continue
        if first is None:
            first = line
        elif isinstance(line.body, Start) or line.stamp.boot_ns - first.stamp.boot_ns > COMMIT_NS:
            return False
    return True


def _texts(file: BinaryIO) -> Iterator[_Text]:
    while text := file.readline(jws.MAX_BYTES):
        yield _Text(len(text), *_read(text))


def _read(text: bytes) -> tuple[str, Line | None]:
    if not text.endswith(b"\n"):
        return "", None
    text = text[:-1]
    try:
        return line_hash(text), read_payload(jws.unseal(text).payload)
    except EvidenceError:
        return "", None
