"""What forks are that the archive holds both branches of (spec/ledger.md, section 8), between each two of a unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.finding import Finding, Oddity
from archive.index.index import Index
from archive.index.rows import BranchRow, LineRow
from archive.names import UnitName
from archive.store.ledgers import LedgerFiles
from evidence.codes import Code
from evidence.jws import unseal
from evidence.verify.forks import Branch, judge_fork

Piece = tuple[int, int, int]
"""Whose lines, from which ``seq``, to before which: a branch is pieces of those that it comes from, and its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFork:
    """Branches ``one`` and ``two`` of a unit part at ``seq``.

    ``code`` is None where the two say the same there under two signatures, and one of them ends there.
    ``goes_on`` is the branch that opens with a ``start``, where only one does.
    """

    seq: int
    one: int
    two: int
    code: Code | None
    goes_on: int | None

    def may_change(self, grown: int) -> bool:
        """Whether it can be another fork after ``grown`` has grown: a lost tail becomes an equivocation so."""
        return self.code is not Code.EQUIVOCATION and self.goes_on != grown

    def finding(self, name: UnitName, utc_us: int | None, *, count: int) -> Finding:
        """As it is kept and shown."""
        return Finding(
            name=name,
            subject=f"fork:{self.one}:{self.two}",
            code=self.code or Oddity.SIGNED_TWICE,
            detail=f"branches {self.one} and {self.two} part at line {self.seq}",
            seq=self.seq,
            utc_us=utc_us,
            count=count,
        )


def known_forks(name: UnitName, index: Index, ledgers: LedgerFiles) -> list[KnownFork]:
    """Every fork of the unit as it stands now."""
    rows = {row.number: row for row in index.branches(name)}
    return [
        fork
        for two in rows
        for one in range(two)
        if (fork := _judge(name, rows[one], rows[two], rows, index, ledgers)) is not None
    ]


class UnitForks:
    """The forks of one unit while it delivers, so that each is judged anew only where it may be another one."""

    def __init__(self, name: UnitName, index: Index, ledgers: LedgerFiles) -> None:
        self._name, self._index, self._ledgers = name, index, ledgers
        self._known = {(fork.one, fork.two): fork for fork in known_forks(name, index, ledgers)}

    def grown(self, number: int) -> list[tuple[KnownFork, bool]]:
        """What is new or another one now that a branch has grown or begun; with it, whether it is new."""
        told: list[tuple[KnownFork, bool]] = []
        rows = {row.number: row for row in self._index.branches(self._name)}
        for other in rows.keys() - {number}:
            pair = min(number, other), max(number, other)
            before = self._known.get(pair)
            if before is not None and not before.may_change(number):
                continue
            fork = _judge(self._name, rows[pair[0]], rows[pair[1]], rows, self._index, self._ledgers)
            if fork is not None:
                self._known[pair] = fork
                if before is None or (before.code, before.seq) != (fork.code, fork.seq):
                    told.append((fork, before is None))
        return told


def _judge(
    name: UnitName,
    one: BranchRow,
    two: BranchRow,
    rows: Mapping[int, BranchRow],
    index: Index,
    ledgers: LedgerFiles,
) -> KnownFork | None:
    pieces = _pieces(one, rows), _pieces(two, rows)
    seq = _parting(*pieces)
    if seq is None:
        return None
    lines = [_line(name, each, seq, index) for each in pieces]
    if None in lines:
        return None
    said = [_payload(name, row, line, ledgers) for row, line in zip((one, two), lines, strict=True)]
    if said[0] == said[1]:
        # Their digests differ, so the lines behind them name different ones, and say so.
        seq += 1
        lines = [_line(name, each, seq, index) for each in pieces]
    sides = [_side(name, each, seq, line, index) for each, line in zip(pieces, lines, strict=True)]
    if sides[0] is None or sides[1] is None:
        return KnownFork(seq=seq - 1, one=one.number, two=two.number, code=None, goes_on=None)
    opening = [row.number for row, side in zip((one, two), sides, strict=True) if side and side.opens_with_start]
    return KnownFork(
        seq=seq,
        one=one.number,
        two=two.number,
        code=judge_fork(sides[0], sides[1]),
        goes_on=opening[0] if len(opening) == 1 else None,
    )


def _pieces(row: BranchRow, rows: Mapping[int, BranchRow]) -> list[Piece]:
    pieces: list[Piece] = []
    at: BranchRow | None = row
    to_seq = row.head_seq + 1
    while at is not None:
        pieces.insert(0, (at.number, at.from_seq, to_seq))
        to_seq = at.from_seq
        at = None if at.parent is None else rows[at.parent]
    return pieces


def _parting(one: list[Piece], two: list[Piece]) -> int | None:
    """The first ``seq`` at which two branches have different lines; None where one begins the other."""
    for mine, theirs in zip(one, two, strict=False):
        if mine[:2] != theirs[:2]:
            return mine[1]
        if mine[2] != theirs[2]:
            return min(mine[2], theirs[2])
    return None


def _line(name: UnitName, pieces: list[Piece], seq: int, index: Index) -> LineRow | None:
    owner = next((number for number, from_seq, to_seq in pieces if from_seq <= seq < to_seq), None)
    return None if owner is None else index.line(name, owner, seq)


def _payload(name: UnitName, row: BranchRow, line: LineRow | None, ledgers: LedgerFiles) -> bytes:
    """What a line says. The file of a branch is whole, so it has the lines of those that it comes from."""
    assert line is not None
    return unseal(ledgers.read(name, row.number, line.offset, line.size_bytes)).payload


def _side(name: UnitName, pieces: list[Piece], seq: int, line: LineRow | None, index: Index) -> Branch | None:
    """What a branch holds from ``seq`` on; None where it has no line there."""
    if line is None:
        return None
    spans = [
        span
        for number, from_seq, to_seq in pieces
        if to_seq > seq and (span := index.span(name, number, max(from_seq, seq), to_seq)) is not None
    ]
    return Branch(
        opens_with_start=line.start,
        holds_start=any(start for _, _, start in spans),
        span_ns=max(most for _, most, _ in spans) - min(least for least, _, _ in spans),
    )
