"""Which media a record names, which of them may be pruned, and which are not there."""

from dataclasses import dataclass, field

from evidence.lines import Pruned, Segment
from evidence.verify.findings import Place
from evidence.verify.ranges import Ranges
from evidence.words import Mode

_LAWFUL = frozenset({"unarmed-expired", "unarmed-reserve"})
RunKey = tuple[str, str, int]
"""Session, camera and number of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A named segment that was not found."""

    segment: Segment
    boot_id: str
    at: Place


@dataclass(slots=True)
class _Run:
    stream: tuple[int, int, int, int] | None = None
    init_sha256: str | None = None
    named: Ranges = field(default_factory=Ranges)
    unarmed: Ranges = field(default_factory=Ranges)
    pruned: Ranges = field(default_factory=Ranges)
    absent: dict[int, Absence] = field(default_factory=dict)


class Named:
    """The media of a record, by run. Memory grows with runs and with what is missing, not with segments."""

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
        """A ``pruned`` line. Returns whether it may be, and the absences that it explains."""
        run = self._run((pruned.session, pruned.camera, pruned.run))
        run.pruned.add(pruned.from_index, pruned.to_index)
        explained = [index for index in run.absent if pruned.from_index <= index < pruned.to_index]
        lawful = pruned.reason in _LAWFUL and not run.unarmed.without(pruned.from_index, pruned.to_index)
        return lawful, [run.absent.pop(index) for index in explained]

    def miss(self, key: RunKey, absence: Absence) -> bool:
        """A segment is not there. Returns whether a ``pruned`` line explains it; else one may still come."""
        run = self._run(key)
        if absence.segment.index in run.pruned:
            return True
        run.absent[absence.segment.index] = absence
        return False

    def missed(self) -> list[Absence]:
        """What is not there and never was pruned, after the last line."""
        return [absence for run in self._runs.values() for absence in run.absent.values()]

    def _run(self, key: RunKey) -> _Run:
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run()
        return run
