"""What a fork is that the archive holds both branches of (spec/ledger.md, section 8)."""

from dataclasses import dataclass

from archive.index.index import Index
from archive.index.rows import BranchRow
from archive.names import UnitName
from archive.store.ledgers import LedgerFiles
from evidence.codes import Code
from evidence.jws import unseal
from evidence.verify.forks import Branch, judge_fork


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFork:
    """Branch ``child`` leaves ``parent`` at ``seq``.

    ``code`` is None where the two say the same there under two signatures.
    """

    seq: int
    parent: int
    child: int
    code: Code | None


def known_forks(name: UnitName, index: Index, ledgers: LedgerFiles) -> list[KnownFork]:
    """Every fork of the unit as it stands now: a lost tail becomes an equivocation where the abandoned branch grows."""
    rows = {row.number: row for row in index.branches(name)}
    forks: list[KnownFork] = []
    for row in rows.values():
        parent = _left(row, rows)
        if parent is not None:
            code = _judge(name, parent, row, index, ledgers)
            forks.append(KnownFork(seq=row.from_seq, parent=parent.number, child=row.number, code=code))
    return forks


def _left(row: BranchRow, rows: dict[int, BranchRow]) -> BranchRow | None:
    """The branch that ``row`` contradicts: its parent, or branch 0 where it has another line 0."""
    if row.parent is not None:
        return rows[row.parent]
    return rows[0] if row.number else None


def _judge(name: UnitName, parent: BranchRow, child: BranchRow, index: Index, ledgers: LedgerFiles) -> Code | None:
    seq = child.from_seq
    one, two = index.line(name, parent.number, seq), index.line(name, child.number, seq)
    if one is None or two is None:
        return None
    texts = [
        ledgers.read(name, branch.number, line.offset, line.size_bytes)
        for branch, line in ((parent, one), (child, two))
    ]
    if unseal(texts[0]).payload == unseal(texts[1]).payload:
        return None
    sides: list[Branch] = []
    for branch, line in ((parent, one), (child, two)):
        span_ns, holds_start = index.span(name, branch.number, seq)
        sides.append(Branch(opens_with_start=line.start, holds_start=holds_start, span_ns=span_ns))
    return judge_fork(*sides)
