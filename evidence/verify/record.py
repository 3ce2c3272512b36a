"""What several ledgers of one unit say together: coverage, events, media and findings (spec/verify.md, section 5)."""

from copy import copy
from dataclasses import dataclass, field, replace

from evidence.certificate import BEGINNING_US, END_US, Certified
from evidence.codes import Code
from evidence.coverage import CameraCoverage, Crossing, Span, State
from evidence.lines import Event, Recovered, Segment
from evidence.profile import Profile
from evidence.utc import Utc
from evidence.verify.absent import Absence, absence_of
from evidence.verify.findings import Findings, Place
from evidence.verify.media import Expected, ExpectedInit, Fault
from evidence.verify.named import Named
from evidence.verify.part import Clip
from evidence.verify.timing import ClockSpan
from evidence.words import Mode


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


@dataclass(slots=True, kw_only=True)
class SessionAt:
    """A session whose certificate is judged once UTC is known: its ``start`` line, and its last line so far."""

    certified: Certified
    at: Place
    last: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileAt:
    """A profile whose certificate is judged once UTC is known, and the line that brought it."""

    certified: Certified
    at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootAt:
    """The machine started anew: the last line before, and the ``start`` line after."""

    before: Place
    at: Place


class Record:
    """Collects what the verifiers of a unit's ledgers accept, and what was found of the media.

    ``archived`` says that all of it is an archive's copy, which UNARMED media never go to; ``digests`` as in ``Named``.
    """

    def __init__(self, *, archived: bool = False, digests: bool = True) -> None:
        self.archived = archived
        self.findings = Findings()
        self.utc = Utc()
        self.named = Named(digests=digests)
        self.cameras: dict[str, CameraTotals] = {}
        self.events: list[EventAt] = []
        self.sessions: dict[str, SessionAt] = {}
        self.profiles: list[ProfileAt] = []
        self.reboots: list[RebootAt] = []
        self.clock: list[ClockSpan] = []
        self.profile: Profile | None = None
        self.names: tuple[str, str, str] | None = None
        self.lines = 0
        self.head: tuple[int, str] | None = None
        self.last: Place | None = None
        self.closed = False
        self.damaged = False
        """Whether lines are missing or refused."""
        self.clip: Clip | None = None
        """Where the record is a clip: what it holds."""
        self.set_aside: set[str] = set()
        self._absent_inits: list[MediaTask] = []
        self._proven_inits: set[tuple[str, str, int, str | None]] = set()
        """Session, camera, run and digest of each init segment that a good segment gives."""

    def copy(self) -> "Record":
        """What can be finished while this one goes on: it holds what was accepted so far, until this one changes."""
        record = copy(self)
        record.findings, record.named = self.findings.copy(), self.named.copy()
        record.cameras = {name: replace(each, coverage=each.coverage.copy()) for name, each in self.cameras.items()}
        record.clock = list(self.clock)
        return record

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
            self._settle_init(task, faults)
            return
        segment = expected.segment
        if faults is None:
            key = (expected.session, segment.camera, segment.run)
            absence = absence_of(segment, expected.boot_id, task.at)
            if self.named.miss(key, absence):
                self.pruned([absence])
            return
        for fault in faults:
            self.findings.add(fault.code, task.at, fault.detail)
        if not faults:
            self._proven_inits.add((expected.session, segment.camera, segment.run, expected.init_sha256))
        whole = State.RECOVERED if isinstance(segment, Recovered) else State.SEGMENT
        self._cover(segment, expected.boot_id, State.DAMAGED if faults else whole)

    def awaited(self, expected: Expected) -> None:
        """A segment that is known to be on its way: missing so far, and no finding. ``settle`` it when it has come."""
        self._cover(expected.segment, expected.boot_id, State.MISSING)

    def withheld(self, expected: Expected) -> None:
        """A segment that the archive has and shows later: neither missing nor a finding. ``settle`` it when it does."""
        self._cover(expected.segment, expected.boot_id, State.WITHHELD)

    def pruned(self, absences: list[Absence]) -> None:
        """Segments that are not there because they were pruned, without a receipt."""
        for absence in absences:
            self._lack(absence, State.PRUNED)

    def unexplained(self, camera: str, boot_id: str, span: Span | None, crossing: Crossing | None) -> None:
        """Time that neither media nor a gap claims."""
        coverage = self.camera(camera).coverage
        if span is not None:
            coverage.add(boot_id, span)
        if crossing is not None:
            coverage.cross(crossing)

    def finish(self) -> None:
        """After the last line and the last task: what is held is held, what is missing is missing; certificates are
        judged (step 9).
        """
        for absence in self.named.held():
            self._lack(absence, State.HELD)
        for absence, claimed in self.named.missed():
            stays = self.archived and absence.mode is Mode.UNARMED and not claimed
            self._lack(absence, State.AT_UNIT if stays else State.MISSING)
            code = Code.UNARMED_AT_UNIT if stays else Code.MEDIA_MISSING
            self.findings.add(code, absence.at, f"run {absence.run}, segment {absence.index}")
        for task in self._absent_inits:
            self._judge_init(task)
        for at, detail in () if self.damaged else self.named.unheld():
            self.findings.add(Code.PRUNED_UNLAWFULLY, at, detail)
        for session in self.sessions.values():
            self._judge_session(session)
        for profile in self.profiles:
            self._judge_profile(profile)
        for reboot in self.reboots:
            self._judge_reboot(reboot)
        if self.last is not None and not self.closed and self.clip is None:
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

    def _lack(self, absence: Absence, state: State) -> None:
        span = Span(from_ns=absence.from_ns, to_ns=absence.to_ns, state=state, mode=absence.mode)
        self.camera(absence.camera).coverage.add(absence.boot_id, span)

    def _settle_init(self, task: MediaTask, faults: tuple[Fault, ...] | None) -> None:
        if faults is None:
            self._absent_inits.append(task)
        else:
            for fault in faults:
                self.findings.add(fault.code, task.at, fault.detail)

    def _judge_init(self, task: MediaTask) -> None:
        """An init segment that is not here is none the less proven by a good segment, which it is rebuilt from."""
        expected = task.expected
        assert isinstance(expected, ExpectedInit)
        if (expected.session, expected.camera, expected.run, expected.sha256) not in self._proven_inits:
            self.findings.add(Code.INIT_MISSING, task.at, f"run {expected.run}")

    def _judge_session(self, session: SessionAt) -> None:
        """A certificate's dates against the UTC interval of the ``start`` line, and revocation up to the last line."""
        certified, at = session.certified, session.at
        revoked_us = END_US + 1 if certified.revoked_us is None else certified.revoked_us
        least, most = self._utc(at)
        last_least, last_most = self._utc(session.last)
        if least >= revoked_us:
            self.findings.add(Code.CERT_REVOKED, at)
        elif least > certified.to_us:
            self.findings.add(Code.CERT_EXPIRED, at)
        elif most < certified.from_us:
            self.findings.add(Code.CERT_NOT_YET_VALID, at)
        elif last_least >= revoked_us:
            self.findings.add(Code.CERT_REVOKED, session.last, "the session went on after that")
        elif least < certified.from_us or most > certified.to_us or max(most, last_most) >= revoked_us:
            known = self.utc.at(at.boot_id or "", at.boot_ns or 0)
            self.findings.add(Code.CERT_TIME_UNKNOWN, at, "" if known else "UTC was never known in this boot")

    def _judge_profile(self, profile: ProfileAt) -> None:
        """A profile taken in after its signer's certificate was revoked or had expired arms nobody."""
        certified, at = profile.certified, profile.at
        least, most = self._utc(at)
        if certified.revoked_us is not None and least >= certified.revoked_us:
            self.findings.add(Code.PROFILE_REFUSED, at, "its signer's certificate had been revoked")
        elif least > certified.to_us or most < certified.from_us:
            self.findings.add(Code.PROFILE_REFUSED, at, "its signer's certificate was not valid then")
        elif certified.revoked_us is not None and most >= certified.revoked_us:
            self.findings.add(Code.CERT_TIME_UNKNOWN, at, "the profile's signer was revoked")

    def _judge_reboot(self, reboot: RebootAt) -> None:
        """A machine starts after it stopped."""
        before, at = reboot.before, reboot.at
        ended = self.utc.at(before.boot_id or "", before.boot_ns or 0)
        began = self.utc.at(at.boot_id or "", 0)
        if ended is not None and began is not None and began[1] < ended[0]:
            detail = f"the machine started {(ended[0] - began[1]) / 1e6:.3f} s before its last line of the start before"
            self.findings.add(Code.CLOCK_CONTRADICTION, at, detail)

    def _utc(self, at: Place) -> tuple[int, int]:
        """UTC of a line, within what a certificate can name."""
        known = self.utc.at(at.boot_id or "", at.boot_ns or 0)
        if known is None:
            return BEGINNING_US, END_US
        return max(known[0], BEGINNING_US), min(known[1], END_US)
