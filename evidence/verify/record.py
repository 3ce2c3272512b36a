"""What several ledgers of one unit say together: coverage, events, media and findings (spec/verify.md, section 5)."""

from dataclasses import dataclass, field

from evidence.certificate import BEGINNING_US, END_US, Certified
from evidence.codes import Code
from evidence.coverage import CameraCoverage, Crossing, Span, State
from evidence.lines import Event, Recovered, Segment
from evidence.profile import Profile
from evidence.utc import Utc
from evidence.verify.findings import Findings, Place
from evidence.verify.media import Expected, ExpectedInit, Fault
from evidence.verify.named import Absence, Named
from evidence.verify.timing import ClockSpan


@dataclass(slots=True)
class CameraTotals:
    """One camera, branches taken together."""

    coverage: CameraCoverage = field(default_factory=CameraCoverage)
    segments: int = 0
    recovered: int = 0
    frames: int = 0
    dropped_frames: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAt:
    """An ``event`` line and its place."""

    event: Event
    at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTask:
    """A media file to be checked: a segment, or a run's init segment. ``at`` is the line that names it."""

    expected: Expected | ExpectedInit
    at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAt:
    """A ``start`` line whose certificate is judged once UTC is known."""

    certified: Certified
    at: Place


class Record:
    """Collects what the verifiers of a unit's ledgers accept, and what was found of the media."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.utc = Utc()
        self.named = Named()
        self.cameras: dict[str, CameraTotals] = {}
        self.events: list[EventAt] = []
        self.starts: list[StartAt] = []
        self.clock: list[ClockSpan] = []
        self.profile: Profile | None = None
        self.names: tuple[str, str, str] | None = None
        self.lines = 0
        self.head: tuple[int, str] | None = None
        self.last: Place | None = None
        self.closed = False
        self.damaged = False
        """Whether lines are missing or refused."""
        self.set_aside: set[str] = set()

    def camera(self, name: str) -> CameraTotals:
        """The camera's totals, begun where it is new."""
        totals = self.cameras.get(name)
        if totals is None:
            totals = self.cameras[name] = CameraTotals()
        return totals

    def settle(self, task: MediaTask, faults: tuple[Fault, ...] | None) -> None:
        """What came of a task, in any order: faults of the file, none, or None where there is no file."""
        expected = task.expected
        if isinstance(expected, ExpectedInit):
            self._settle_init(expected, faults, task.at)
            return
        segment = expected.segment
        if faults is None:
            key = (expected.session, segment.camera, segment.run)
            absence = Absence(segment=segment, boot_id=expected.boot_id, at=task.at)
            if self.named.miss(key, absence):
                self._cover(segment, expected.boot_id, State.PRUNED)
            return
        for fault in faults:
            self.findings.add(fault.code, task.at, fault.detail)
        whole = State.RECOVERED if isinstance(segment, Recovered) else State.SEGMENT
        self._cover(segment, expected.boot_id, State.DAMAGED if faults else whole)

    def explain(self, absences: list[Absence]) -> None:
        """Segments that are not there because they were pruned."""
        for absence in absences:
            self._cover(absence.segment, absence.boot_id, State.PRUNED)

    def unexplained(self, camera: str, boot_id: str, span: Span | None, crossing: Crossing | None) -> None:
        """Time that neither media nor a gap claims."""
        coverage = self.camera(camera).coverage
        if span is not None:
            coverage.add(boot_id, span)
        if crossing is not None:
            coverage.cross(crossing)

    def finish(self) -> None:
        """After the last line and the last task: what is missing is missing; certificates are judged (step 9)."""
        for absence in self.named.missed():
            segment = absence.segment
            self._cover(segment, absence.boot_id, State.MISSING)
            self.findings.add(Code.MEDIA_MISSING, absence.at, f"run {segment.run}, segment {segment.index}")
        for start in self.starts:
            self._judge_time(start)
        if self.last is not None and not self.closed:
            self.findings.add(Code.OPEN_END, self.last)

    def _cover(self, segment: Segment, boot_id: str, state: State) -> None:
        totals = self.camera(segment.camera)
        if state in (State.SEGMENT, State.RECOVERED):
            others = totals.coverage.overlapping(boot_id, segment.from_ns, segment.to_ns)
            if not any(other.state in (State.SEGMENT, State.RECOVERED) for other in others):
                totals.frames += segment.frames
                totals.dropped_frames += segment.dropped_frames
            totals.segments += state is State.SEGMENT
            totals.recovered += state is State.RECOVERED
        span = Span(from_ns=segment.from_ns, to_ns=segment.to_ns, state=state, mode=segment.mode)
        totals.coverage.add(boot_id, span)

    def _settle_init(self, expected: ExpectedInit, faults: tuple[Fault, ...] | None, at: Place) -> None:
        if faults is None:
            self.findings.add(Code.INIT_MISSING, at, f"run {expected.run}")
        else:
            for fault in faults:
                self.findings.add(fault.code, at, fault.detail)

    def _judge_time(self, start: StartAt) -> None:
        """A certificate's dates against the UTC interval of the ``start`` line."""
        certified, at = start.certified, start.at
        assert at.boot_id is not None
        assert at.boot_ns is not None
        utc = self.utc.at(at.boot_id, at.boot_ns)
        least, most = utc or (BEGINNING_US, END_US)
        revoked_us = certified.revoked_us
        if revoked_us is not None and least >= revoked_us:
            self.findings.add(Code.CERT_REVOKED, at)
        elif least > certified.to_us:
            self.findings.add(Code.CERT_EXPIRED, at)
        elif most < certified.from_us:
            self.findings.add(Code.CERT_NOT_YET_VALID, at)
        elif least < certified.from_us or most > certified.to_us or (revoked_us is not None and most >= revoked_us):
            self.findings.add(Code.CERT_TIME_UNKNOWN, at, "" if utc else "UTC was never known in this boot")
