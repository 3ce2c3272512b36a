"""Which media a record names, which of them may be pruned, and which are not there."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from evidence.lines import Pruned, Segment
from evidence.verify.absent import Absence, Absences
from evidence.verify.digests import Digests
from evidence.verify.findings import Place
from evidence.verify.ranges import Ranges
from evidence.verify.receipts import Held
from evidence.words import Mode

_LAWFUL = frozenset({"unarmed-expired", "unarmed-reserve"})
RunKey = tuple[str, str, int]
"""Session, camera and number of a run."""


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
    number: int
    absent: Absences
    held: Absences
    stream: tuple[int, int, int, int] | None = None
    init_sha256: str | None = None
    named: Ranges = field(default_factory=Ranges)
    unarmed: Ranges = field(default_factory=Ranges)
    pruned: Ranges = field(default_factory=Ranges)
    receipted: Ranges = field(default_factory=Ranges)
    receipts: list[_Receipted] = field(default_factory=list)


class Named:
    """The media of a record, by run. Memory grows with runs, with what is missing and with what is held by receipts;
    with segments that are here only by their digests.

    An absence may be told before or after the line that explains it. The first such line of the ledger decides.
    Without ``digests`` none are kept, and nothing may be ``unsure`` at the end.
    """

    def __init__(self, *, digests: bool = True) -> None:
        self._runs: dict[RunKey, _Run] = {}
        self._digests = Digests() if digests else None

    def copy(self) -> "Named":
        """What can be finished while this one goes on; until this one changes."""
        named = Named(digests=False)
        named._digests = self._digests
        for key, run in self._runs.items():
            named._runs[key] = replace(run, absent=run.absent.copy(), held=run.held.copy())
        return named

    def open(self, key: RunKey, stream: tuple[int, int, int, int], init_sha256: str) -> None:
        """A ``run`` line."""
        run = self._run(key)
        run.stream, run.init_sha256 = stream, init_sha256

    def name(self, key: RunKey, segment: Segment) -> tuple[tuple[int, int, int, int] | None, str | None]:
        """A ``segment`` or ``recovered`` line; returns what is known of the run: stream and init digest."""
        run = self._run(key)
        run.named.add(segment.index, segment.index + 1)
        if self._digests is not None:
            self._digests.add(bytes.fromhex(segment.sha256), (run.number, segment.index))
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
        explained = run.absent.within(pruned.from_index, pruned.to_index)
        for absence in explained:
            run.absent.discard(absence)
        return lawful, explained

    def prune_held(self, pruned: Pruned, held: Held, at: Place) -> bool:
        """A ``pruned`` line with a receipt that checks. Returns whether the record names all that it names."""
        run = self._run((pruned.session, pruned.camera, pruned.run))
        begin, end = pruned.from_index, pruned.to_index
        known = not run.named.without(begin, end)
        fresh = Ranges()
        for first, last in run.pruned.without(begin, end):
            fresh.add(first, last)
        line = _Receipted(from_index=begin, to_index=end, fresh=fresh, held=held, at=at if known else None)
        run.receipts.append(line)
        run.receipted.add(begin, end)
        for absence in run.absent.within(begin, end):
            if absence.digest in held:
                run.absent.discard(absence)
                run.held.add(absence)
        return known

    def miss(self, key: RunKey, absence: Absence) -> bool:
        """A segment is not there. Returns whether it is *pruned*; if not, ``held`` and ``missed`` tell at the end."""
        run, index = self._run(key), absence.index
        if index in run.receipted and any(index in line.fresh and absence.digest in line.held for line in run.receipts):
            run.held.add(absence)
            return False
        if index in run.pruned:
            return True
        run.absent.add(absence)
        return False

    @property
    def unsure(self) -> bool:
        """Whether digests decide: lines with receipts concern media that are not here."""
        return any(run.held or (run.receipts and run.absent) for run in self._runs.values())

    def held(self) -> Iterator[Absence]:
        """After the last line, and before ``missed`` and ``unheld``: what receipts hold.

        A digest that lines name at several places is held at none of them.
        """
        held = [run for run in self._runs.values() if run.held]
        repeated = self._digests.repeated() if held and self._digests is not None else frozenset()
        for run in held:
            for absence in run.held:
                if absence.digest in repeated:
                    run.absent.add(absence)
                else:
                    yield absence

    def missed(self) -> Iterator[tuple[Absence, bool]]:
        """What is not there and nothing explains, after ``held`` has been gone through; and whether a line with a
        receipt claims to have pruned it.
        """
        return ((absence, absence.index in run.receipted) for run in self._runs.values() for absence in run.absent)

    def unheld(self) -> list[tuple[Place, str]]:
        """The lines that pruned what is missing for all that their receipts say: each once, with an example.

        A line is not to blame for what another branch names at the same place, where its receipt names its own.
        """
        told = [
            (line, line.at, run, run.absent.within(line.from_index, line.to_index))
            for run in self._runs.values()
            for line in run.receipts
            if line.at is not None
        ]
        named: dict[tuple[int, int], list[bytes]] = {}
        asked = {(run.number, each.index) for _, _, run, gone in told for each in gone}
        for place, digest in () if self._digests is None else self._digests.at(asked):
            named.setdefault(place, []).append(digest)
        found: list[tuple[Place, str]] = []
        for line, at, run, gone in told:
            for each in sorted(gone, key=lambda absence: absence.index):
                if each.digest in line.held:
                    found.append((at, f"run {each.run}, segment {each.index} has the digest of another one"))
                    break
                if not any(digest in line.held for digest in named.get((run.number, each.index), ())):
                    found.append((at, f"the receipt does not name run {each.run}, segment {each.index}"))
                    break
        return found

    def _run(self, key: RunKey) -> _Run:
        run = self._runs.get(key)
        if run is None:
            _, camera, number = key
            run = self._runs[key] = _Run(
                number=len(self._runs), absent=Absences(camera, number), held=Absences(camera, number)
            )
        return run
