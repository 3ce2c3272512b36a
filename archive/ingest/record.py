"""One unit's ledger as the archive knows it: where lines belong, and what they change.

Nothing here writes. ``Planned`` is what the committer is to make durable; ``applied`` is told when it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.index.index import Index
from archive.index.rows import BranchRow, LineRow, NewLines
from archive.ingest.linerows import line_rows, pruned_rows, run_rows, segment_rows, statement_rows
from archive.ingest.reading import Head, Reader, Refusal, digests, peek
from archive.names import UnitName
from archive.store.ledgers import LedgerFiles, Piece
from archive.trust import Trusted
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.lines import Close, genesis


class ConflictError(Exception):
    """The first line follows no head of the unit, and no branch was announced (status 409)."""


class TooManyBranchesError(Exception):
    """The unit has as many branches as are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a request brings. ``new`` and ``piece`` are None where it brings nothing; ``head`` is whereto to answer.

    ``rest`` are the lines that do not count: the refused one and all behind it, as they came.
    """

    new: NewLines | None
    piece: Piece | None
    head: BranchRow | None
    refused: Refusal | None
    rest: tuple[bytes, ...] = ()
    reader: Reader | None = None


class UnitRecord:
    """The branches of one unit. One request at a time uses it."""

    def __init__(
        self,
        name: UnitName,
        *,
        election: str,
        trust: Trusted,
        index: Index,
        ledgers: LedgerFiles,
        most_branches: int,
    ) -> None:
        self.name = name
        self._election, self._trust = election, trust
        self._index, self._ledgers = index, ledgers
        self._most_branches = most_branches
        self.branches = {row.number: row for row in index.branches(name)}
        self._reader: tuple[str, Trust, Reader] | None = None
        """Who may speak behind the line with this digest, by the revocation lists of then."""

    @property
    def current(self) -> BranchRow | None:
        """The branch that the unit is on: the one that grew last."""
        return max(self.branches.values(), key=lambda row: row.used, default=None)

    def line_at(self, seq: int) -> LineRow | None:
        """The line that the unit's current branch has at ``seq``."""
        row = self.current
        while row is not None and seq < row.from_seq:
            row = None if row.parent is None else self.branches[row.parent]
        return None if row is None else self._index.line(self.name, row.number, seq)

    def plan(self, texts: Sequence[bytes], *, forks: bool, now_us: int | None) -> Planned:
        """Where ``texts`` belong, and which of them verify. ``forks`` where the unit announced a branch.

        Raises ConflictError, TooManyBranchesError and OtherUnitError.
        """
        if not texts:
            return Planned(new=None, piece=None, head=self.current, refused=None)
        try:
            first = peek(texts[0])
        except EvidenceError as error:
            seq = 0 if self.current is None else self.current.head_seq + 1
            refused = Refusal(seq=seq, code=error.code, message=str(error))
            return Planned(new=None, piece=None, head=self.current, refused=refused, rest=tuple(texts))
        names = digests(texts)
        # What lies behind every head is not there, and the next lines of a unit that is well do.
        newest = max((row.head_seq for row in self.branches.values()), default=-1)
        known = self._index.lines(self.name, first.seq, first.seq + len(texts)) if first.seq <= newest else {}
        there = 0
        while there < len(texts) and (first.seq + there, names[there]) in known:
            there += 1
        if there:
            owner: int | None = known[first.seq + there - 1, names[there - 1]]
        else:
            owner = self._owner(first.seq - 1, first.prev)
        if there == len(texts):
            assert owner is not None
            return Planned(new=None, piece=None, head=self._answer(owner, first.seq + there - 1), refused=None)
        before = names[there - 1] if there else first.prev
        return self._plan_new(texts[there:], owner, first.seq + there, before, forks=forks, now_us=now_us)

    def applied(self, planned: Planned) -> None:
        """What was planned has become durable."""
        if planned.new is None:
            return
        branch = planned.new.branch
        self.branches[branch.number] = branch
        usable = planned.reader is not None and planned.refused is None
        if planned.reader is not None and usable:
            self._reader = (branch.head_sha256, planned.reader.trust, planned.reader)
        else:
            self._reader = None

    def _plan_new(
        self, texts: Sequence[bytes], owner: int | None, seq: int, before: str, *, forks: bool, now_us: int | None
    ) -> Planned:
        """``texts`` are unknown from the first on, which claims ``seq``; ``owner`` has the line before it."""
        parent = None if owner is None else self.branches[owner]
        extends = parent is not None and parent.head_seq == seq - 1
        begins = parent is None and not self.branches
        if not extends and not begins:
            if not forks:
                raise ConflictError
            if len(self.branches) >= self._most_branches:
                raise TooManyBranchesError
        head = None
        if parent is not None:
            head = Head(seq=seq - 1, sha256=before, closed=extends and parent.closed)
        reader = self._reader_behind(parent, seq, before)
        good, refused = reader.read(texts, head, now_us=now_us)
        rest = tuple(texts[len(good) :])
        if not good:
            return Planned(new=None, piece=None, head=self.current, refused=refused, rest=rest)
        if extends:
            assert parent is not None
            at: int | None = parent.size_bytes
            prefix = b""
            row = parent
        else:
            at = None
            prefix = self._prefix(parent, seq)
            row = _fork(max(self.branches, default=-1) + 1, parent, seq)
        size_bytes = (at or 0) + len(prefix)
        lines = line_rows(good, size_bytes)
        row = replace(
            row,
            head_seq=lines[-1].seq,
            head_sha256=lines[-1].sha256,
            size_bytes=size_bytes + sum(line.size_bytes + 1 for line in lines),
            closed=isinstance(good[-1].line.body, Close),
            used=max((each.used for each in self.branches.values()), default=0) + 1,
        )
        data = prefix + b"".join(line.text + b"\n" for line in good)
        new = NewLines(
            name=self.name,
            branch=row,
            lines=lines,
            segments=segment_rows(good, reader),
            runs=run_rows(good),
            pruned=pruned_rows(good),
            statements=statement_rows(good),
        )
        piece = Piece(name=self.name, branch=row.number, at=at, data=data)
        return Planned(new=new, piece=piece, head=row, refused=refused, rest=rest, reader=reader)

    def _owner(self, seq: int, sha256: str) -> int | None:
        """The branch that has this line; None in front of line 0. Raises ConflictError where none has it."""
        if seq < 0:
            if sha256 == genesis(self._election, self.name.station, self.name.unit) or not self.branches:
                return None
            raise ConflictError
        for row in self.branches.values():
            if (row.head_seq, row.head_sha256) == (seq, sha256):
                return row.number
        owner = self._index.lines(self.name, seq, seq + 1).get((seq, sha256))
        if owner is None:
            raise ConflictError
        return owner

    def _answer(self, owner: int, seq: int) -> BranchRow:
        """The head to tell a unit that sent what is known: of the branch that it is on, if its line is there."""
        row = self.current
        while row is not None and row.number != owner and seq < row.from_seq:
            row = None if row.parent is None else self.branches[row.parent]
        current = self.current
        assert current is not None
        return current if row is not None and row.number == owner else self.branches[owner]

    def _reader_behind(self, parent: BranchRow | None, seq: int, before: str) -> Reader:
        kept, self._reader = self._reader, None
        trust = self._trust.now()
        if kept is not None and parent is not None and kept[:2] == (before, trust):
            return kept[2]
        starts: list[LineRow] = []
        row, to_seq = parent, seq
        while row is not None:
            starts = self._index.starts(self.name, row.number, row.from_seq, to_seq) + starts
            to_seq = row.from_seq
            row = None if row.parent is None else self.branches[row.parent]
        # The file of a branch is whole, so all of them are in it.
        texts = [
            self._ledgers.read(self.name, parent.number, line.offset, line.size_bytes)
            for line in starts
            if parent is not None
        ]
        return Reader(self.name, self._election, trust, texts)

    def _prefix(self, parent: BranchRow | None, seq: int) -> bytes:
        """The bytes of ``parent``'s file before line ``seq``."""
        if parent is None:
            return b""
        last = self._index.line(self.name, parent.number, seq - 1)
        assert last is not None
        return self._ledgers.read(self.name, parent.number, 0, last.offset + last.size_bytes + 1)


def _fork(number: int, parent: BranchRow | None, seq: int) -> BranchRow:
    return BranchRow(
        number=number,
        parent=None if parent is None else parent.number,
        from_seq=seq,
        head_seq=seq,
        head_sha256="",
        size_bytes=0,
        closed=False,
        used=0,
    )
