"""One unit's branches, judged by the verifier's own rules from what the index holds, and judged on as they grow."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.account.replay import Replay
from archive.index.reading import IndexReader
from archive.index.rows import BranchRow, HeldSegment, Statement
from archive.index.told import ToldLine, read_told
from archive.names import UnitName
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.lines import Pruned
from evidence.verify.findings import Place
from evidence.verify.forks import Fork, History, judge_forks
from evidence.verify.media import Expected
from evidence.verify.ranges import Ranges
from evidence.verify.record import MediaTask, Record
from evidence.verify.verifier import Verifier
from evidence.words import Mode

_SINGLY = 64
"""Up to so many rows are asked for one by one; beyond, all behind the first of them at once."""


class Published(Protocol):
    """Who knows what is public: ``archive.publish.publications.Publications``."""

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> Collection[int]:
        """The segments of a branch's own lines in ``[from_seq, to_seq)`` that anybody can fetch."""

    def withheld(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> Collection[int]:
        """Those of them that are stored and held back."""


@dataclass(slots=True, kw_only=True)
class _Branch:
    number: int
    verifier: Verifier
    replay: Replay
    history: History
    head_seq: int
    events: int = 0
    """How many of the record's events are of it."""


class Judging:
    """Holds the verifiers of a unit, in the order in which ``unbroken verify`` would take its ledgers.

    Memory does not grow with the segments that are here; it does by 35 bytes for each line where there are several
    branches, and by 200 for each segment that stays at the unit. One thread.
    """

    def __init__(
        self,
        reader: IndexReader,
        name: UnitName,
        branches: Sequence[BranchRow],
        *,
        publications: Published | None,
        trust: Trust,
        until_seq: int | None = None,
        digests: bool = False,
    ) -> None:
        """Reads all that the index has of the branches. ``until_seq`` is where an equivocation begins; ``digests`` are
        kept where media are gone from the unit and not here, for which they decide. Raises OSError.
        """
        self._reader, self._name, self._publications = reader, name, publications
        self._until, self._digests = until_seq, digests
        self.record = Record(archived=True, digests=digests)
        self._branches: list[_Branch] = []
        self._awaited: dict[int, Ranges] = {row.number: Ranges() for row in branches}
        """Of each branch, its own lines whose media are on their way."""
        self._waiting: dict[int, Ranges] = {row.number: Ranges() for row in branches}
        """Of those, what is here and held back."""
        self._doubtful = False
        """Whether lines have come that may have pruned what was thought to be on its way."""
        histories: list[History] = []
        rows = {row.number: row for row in branches}
        statements: dict[int, dict[int, Statement]] = {}
        for each in reader.statements(name):
            statements.setdefault(each.branch, {})[each.seq] = each
        for row in _in_order(branches):
            history = History()
            several = len(branches) > 1
            verifier = Verifier(
                trust,
                self.record,
                history=history if several else None,
                known=tuple(histories),
                until_seq=until_seq,
                remembered=1,
            )
            branch = _Branch(
                number=row.number,
                verifier=verifier,
                replay=Replay(trust, compared=several),
                history=history,
                head_seq=row.head_seq,
            )
            self._branches.append(branch)
            histories.append(history)
            for part, to_seq in _parts(row, rows):
                lines = read_told(reader, name, part.number, part.from_seq, to_seq)
                self._feed(branch, part.number, lines, statements.get(part.number, {}), part.from_seq, to_seq)

    def follows(self, branches: Sequence[BranchRow]) -> bool:
        """Whether these are the same branches, further on: then ``grow`` is enough."""
        order = [(each.number, each.head_seq) for each in self._branches]
        now = [(row.number, row.head_seq) for row in _in_order(branches)]
        return len(order) == len(now) and all(
            one == two and was <= is_now for (one, was), (two, is_now) in zip(order, now, strict=True)
        )

    def grow(self, branches: Sequence[BranchRow]) -> bool:
        """Take in lines and media that have come since. Returns whether there were any. Raises OSError."""
        heads = {row.number: row.head_seq for row in branches}
        arrived = [self._arrive(number, heads[number] + 1) for number in self._awaited]
        grown = [self._grow(branch, heads[branch.number]) for branch in self._branches]
        return any(arrived) or any(grown)

    def stands(self) -> bool:
        """Whether all that was judged still is as it was; if not, it must be judged from the beginning."""
        unsure = not self._digests and self.record.named.unsure
        return not unsure and self.equivocation() == self._until and not (self._doubtful and self._lost_some())

    def equivocation(self) -> int | None:
        """The first line from which on the unit has signed two histories, if it has."""
        return min((fork.seq for fork in self._forks() if fork.code is Code.EQUIVOCATION), default=None)

    def finished(self) -> Record:
        """What an auditor's verifier would hold at its end, from the lines so far; without what is on its way as a
        finding. This goes on.
        """
        record = self.record.copy()
        for branch in self._branches:
            branch.verifier.finish(record)
        forks = self._forks()
        for seq, code in sorted({(fork.seq, fork.code) for fork in forks}):
            record.findings.add(code, Place(seq=seq))
        abandoned = {fork.abandoned for fork in forks}
        closed = {number for number, branch in enumerate(self._branches) if branch.verifier.closed}
        record.closed = bool(closed - abandoned)
        record.finish()
        return record

    @property
    def awaits(self) -> bool:
        """Whether some of the media are on their way."""
        return any(_least(awaited) is not None for awaited in self._awaited.values())

    def _forks(self) -> list[Fork]:
        several = len(self._branches) > 1
        return judge_forks([branch.history for branch in self._branches]) if several else []

    def _grow(self, branch: _Branch, head_seq: int) -> bool:
        """New lines of a branch."""
        reader, name, next_seq = self._reader, self._name, branch.head_seq + 1
        if head_seq < next_seq:
            return False
        lines = list(read_told(reader, name, branch.number, next_seq, head_seq + 1))
        others = [line.seq for line in lines if line.segment is None]
        if len(others) <= _SINGLY:
            found = [reader.statement(name, branch.number, seq) for seq in others]
        else:
            found = [each for each in reader.statements(name) if each.branch == branch.number]
        statements = {each.seq: each for each in found if each is not None}
        self._feed(branch, branch.number, lines, statements, next_seq, head_seq + 1)
        branch.head_seq = head_seq
        return True

    def _arrive(self, number: int, to_seq: int) -> bool:
        """What was on its way and is there. Returns whether there is any."""
        reader, name, awaited = self._reader, self._name, self._awaited[number]
        least = _least(awaited)
        if least is None:
            return False
        if self._publications is None:
            arrived = [held for held in reader.segments_after(name, number, least - 1) if held.stored]
        else:
            seqs = sorted(seq for seq in self._public(number, least, to_seq) if seq in awaited)
            if len(seqs) <= _SINGLY:
                found = [reader.segment(name, number, seq) for seq in seqs]
                arrived = [held for held in found if held is not None]
            else:
                wanted = set(seqs)
                arrived = [held for held in reader.segments_after(name, number, seqs[0] - 1) if held.seq in wanted]
        arrived = [held for held in arrived if held.seq in awaited]
        for held in arrived:
            self.record.settle(_task(held), ())
            awaited.discard(held.seq)
            self._waiting[number].discard(held.seq)
        return self._held_back_since(number, least, to_seq) or bool(arrived)

    def _held_back_since(self, number: int, least: int, to_seq: int) -> bool:
        """What was on its way and has come to be held back. Returns whether there is any."""
        awaited, waiting = self._awaited[number], self._waiting[number]
        found = False
        for seq in sorted(self._held_back(number, least, to_seq)):
            held = self._reader.segment(self._name, number, seq) if seq in awaited and seq not in waiting else None
            if held is not None:
                expected = _task(held).expected
                assert isinstance(expected, Expected)
                self.record.withheld(expected)
                waiting.add(seq, seq + 1)
                found = True
        return found

    def _feed(
        self,
        branch: _Branch,
        number: int,
        lines: Iterable[ToldLine],
        statements: Mapping[int, Statement],
        from_seq: int,
        to_seq: int,
    ) -> None:
        """The next lines of a ledger, which are the branch ``number``'s own."""
        replay, verifier, record = branch.replay, branch.verifier, self.record
        public = self._public(number, from_seq, to_seq)
        held_back = self._held_back(number, from_seq, to_seq)
        before = len(record.events)
        for line in lines:
            statement = statements.get(line.seq)
            if statement is None:
                opened = replay.segment(line)
            else:
                opened = replay.statement(line, statement)
                self._doubtful |= isinstance(statement.line.body, Pruned)
            for task in verifier.take(opened, True):
                self._settle(number, task, line, public, held_back)
        # As if each ledger had been read to its end before the next.
        new = record.events[before:]
        del record.events[before:]
        at = sum(each.events for each in self._branches[: self._branches.index(branch) + 1])
        record.events[at:at] = new
        branch.events += len(new)

    def _settle(
        self, number: int, task: MediaTask, line: ToldLine, public: Collection[int], held_back: Collection[int]
    ) -> None:
        """What is to be said of the media that a line names; an init segment has none in the index."""
        if line.segment is None or line.segment.mode is Mode.UNARMED:
            self.record.settle(task, None)
        elif line.seq in public if self._publications is not None else line.stored:
            self.record.settle(task, ())
        elif isinstance(task.expected, Expected) and line.seq in held_back:
            self.record.withheld(task.expected)
            for some in (self._awaited, self._waiting):
                some[number].add(line.seq, line.seq + 1)
        elif isinstance(task.expected, Expected) and (line.stored or line.wanted):
            self.record.awaited(task.expected)
            self._awaited[number].add(line.seq, line.seq + 1)
        else:
            self.record.settle(task, None)

    def _public(self, number: int, from_seq: int, to_seq: int) -> Collection[int]:
        if self._publications is None:
            return ()
        return self._publications.published(self._name, number, from_seq, to_seq)

    def _held_back(self, number: int, from_seq: int, to_seq: int) -> Collection[int]:
        if self._publications is None:
            return ()
        return self._publications.withheld(self._name, number, from_seq, to_seq)

    def _lost_some(self) -> bool:
        """Whether what was on its way is not to be had any more."""
        self._doubtful = False
        for number, awaited in self._awaited.items():
            least = _least(awaited)
            if least is None:
                continue
            for held in self._reader.segments_after(self._name, number, least - 1):
                if held.seq in awaited and not (held.stored or held.wanted):
                    return True
        return False


def judge(
    reader: IndexReader,
    name: UnitName,
    branches: Sequence[BranchRow],
    *,
    publications: Published | None,
    trust: Trust,
) -> Judging:
    """All of a unit from the beginning. Raises OSError."""
    judging = Judging(reader, name, branches, publications=publications, trust=trust)
    since = judging.equivocation()
    if since is not None:
        judging = Judging(reader, name, branches, publications=publications, trust=trust, until_seq=since)
    if not judging.record.named.unsure:
        return judging
    return Judging(reader, name, branches, publications=publications, trust=trust, until_seq=since, digests=True)


def _least(awaited: Ranges) -> int | None:
    return next((begin for begin, _ in awaited), None)


def _in_order(branches: Sequence[BranchRow]) -> list[BranchRow]:
    """As ``unbroken verify`` takes them: the longest file first."""
    return sorted(branches, key=lambda row: -row.size_bytes)


def _parts(row: BranchRow, rows: Mapping[int, BranchRow]) -> list[tuple[BranchRow, int]]:
    """The branches whose own lines a ledger consists of, each up to the line before the second number; in order."""
    parts: list[tuple[BranchRow, int]] = []
    part, to_seq = row, row.head_seq + 1
    while True:
        parts.append((part, to_seq))
        if part.parent is None:
            return parts[::-1]
        part, to_seq = rows[part.parent], min(to_seq, part.from_seq)


def _task(held: HeldSegment) -> MediaTask:
    expected = Expected(
        election="",
        station=held.name.station,
        unit=held.name.unit,
        boot_id=held.boot_id,
        session=held.session,
        segment=held.segment,
        stream=None,
        init_sha256=held.init_sha256,
    )
    return MediaTask(expected=expected, at=Place(seq=held.seq, camera=held.segment.camera))
