"""Which media a record names, which of them may be pruned, and which are not there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from evidence.coverage import State
from evidence.lines import Pruned, Segment
from evidence.verify.absent import Absence, Absences
from evidence.verify.findings import Place
from evidence.verify.ranges import Ranges
from evidence.verify.receipts import Held
from evidence.words import Mode

_LAWFUL = frozenset({"unarmed-expired", "unarmed-reserve"})
RunKey = tuple[str, str, int]
"""Session, camera and number of a run."""
Explained = Literal[State.HELD, State.PRUNED]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipted:
    """A ``pruned`` line whose receipt checks. ``fresh`` are those of its segments that no line before it pruned.

    ``at`` is None where the line has a finding already.
    """

    from_index: int
    to_index: int
    fresh: Ranges
    held: Held
    at: Place | None


@dataclass(slots=True)
class _Run:
    absent: Absences
    stream: tuple[int, int, int, int] | None = None
    init_sha256: str | None = None
    named: Ranges = field(default_factory=Ranges)
    unarmed: Ranges = field(default_factory=Ranges)
    pruned: Ranges = field(default_factory=Ranges)
    receipted: Ranges = field(default_factory=Ranges)
    receipts: list[_Receipted] = field(default_factory=list)


class Named:
    """The media of a record, by run. Memory grows with runs, with what is missing and with what is held by receipts,
    not with segments that are here.

    An absence may be told before or after the line that explains it. The first such line of the ledger decides.
    """

    def __init__(self) -> None:
        self._runs: dict[RunKey, _Run] = {}

    def open(self, key: RunKey, stream: tuple[int, int, int, int], init_sha256: str) -> None:
        """A ``run`` line."""
        run = self._run(key)
        run.stream, run.init_sha256 = stream, init_sha256

    def name(self, key: RunKey, segment: Segment) -> tuple[tuple[int, int, int, int] | None, str | None]:
        """A ``segment`` or ``recovered`` line; returns what is known of the run: stream and init digest."""
        run = self._run(key)
        run.named.add(segment.index, segment.index + 1)
        if segment.mode is Mode.UNARMED:
            run.unarmed.add(segment.index, segment.index + 1)
        return run.stream, run.init_sha256

    def names(self, key: RunKey, index: int) -> bool:
        """Whether a line names the segment."""
        run = self._runs.get(key)
        return run is not None and index in run.named

    def opens(self, key: RunKey) -> bool:
        """Whether a line names the run."""
        return key in self._runs

    def prune(self, pruned: Pruned) -> tuple[bool, list[Absence]]:
        """A ``pruned`` line without a receipt. Returns whether it may be, and the absences that it explains."""
        run = self._run((pruned.session, pruned.camera, pruned.run))
        run.pruned.add(pruned.from_index, pruned.to_index)
        lawful = pruned.reason in _LAWFUL and not run.unarmed.without(pruned.from_index, pruned.to_index)
        return lawful, _explained(run, run.absent.within(pruned.from_index, pruned.to_index))

    def prune_held(self, pruned: Pruned, held: Held, at: Place) -> tuple[bool, list[Absence]]:
        """A ``pruned`` line with a receipt that checks. Returns whether the record names all that it names, and the
        absences that are held; what is gone and not held, ``unheld`` tells at the end.
        """
        run = self._run((pruned.session, pruned.camera, pruned.run))
        begin, end = pruned.from_index, pruned.to_index
        known = not run.named.without(begin, end)
        fresh = Ranges()
        for first, last in run.pruned.without(begin, end):
            fresh.add(first, last)
        line = _Receipted(from_index=begin, to_index=end, fresh=fresh, held=held, at=at if known else None)
        run.receipts.append(line)
        run.receipted.add(begin, end)
        return known, _explained(run, [each for each in run.absent.within(begin, end) if each.digest in held])

    def miss(self, key: RunKey, absence: Absence) -> Explained | None:
        """A segment is not there. Returns what a ``pruned`` line says of it; where none does, one may still come."""
        run, index = self._run(key), absence.index
        if index in run.receipted and any(index in line.fresh and absence.digest in line.held for line in run.receipts):
            return State.HELD
        if index in run.pruned:
            return State.PRUNED
        run.absent.add(absence)
        return None

    def missed(self) -> Iterator[Absence]:
        """What is not there and no ``pruned`` line explains, after the last line."""
        return (absence for run in self._runs.values() for absence in run.absent)

    def unheld(self) -> list[tuple[Place, str]]:
        """The lines that pruned what is missing though their receipts do not name it: each once, with an example."""
        found: list[tuple[Place, str]] = []
        for run in self._runs.values():
            for line in run.receipts:
                gone = run.absent.within(line.from_index, line.to_index)
                if gone and line.at is not None:
                    first = min(each.index for each in gone)
                    found.append((line.at, f"the receipt does not name run {gone[0].run}, segment {first}"))
        return found

    def _run(self, key: RunKey) -> _Run:
        run = self._runs.get(key)
        if run is None:
            _, camera, number = key
            run = self._runs[key] = _Run(absent=Absences(camera, number))
        return run


def _explained(run: _Run, absences: list[Absence]) -> list[Absence]:
    for absence in absences:
        run.absent.discard(absence.index)
    return absences
