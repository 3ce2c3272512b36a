"""The rules of verification for one ledger file, line by line (spec/verify.md, section 2). No input, no output.

opened = verifier.open(line)                     steps 1 and 2
good = check_signatures([opened.check])          step 3, in any process
tasks = verifier.take(opened, good)              steps 4 to 7
record.settle(task, judge(task.expected, facts)) step 8, in any order
verifier.finish(); record.finish()               step 9
"""

import hashlib
from collections.abc import Sequence

from evidence.certificate import Trust
from evidence.codes import Code
from evidence.coverage import Crossing, Span, State
from evidence.lines import (
    Body,
    Close,
    Config,
    Event,
    Gap,
    Line,
    Pruned,
    Recovered,
    Run,
    Segment,
    Start,
    Unknown,
)
from evidence.verify.arming import Arming
from evidence.verify.chain import REMEMBERED_LINES, Chain, Standing
from evidence.verify.continuity import Continuity, Unexplained
from evidence.verify.findings import Place
from evidence.verify.forks import History
from evidence.verify.keyring import Keyring, Opened, Session
from evidence.verify.media import Expected, ExpectedInit
from evidence.verify.part import Part
from evidence.verify.receipts import RECEIPTED, Receipts
from evidence.verify.record import EventAt, MediaTask, ProfileAt, RebootAt, Record, SessionAt
from evidence.verify.timing import Timing

_NO_TASKS: tuple[MediaTask, ...] = ()


class Verifier:
    """Judges one ledger into ``record``. Memory does not grow with the number of good lines.

    ``history`` is filled where ledgers of one unit are compared, and ``known`` are those of the ledgers that were
    judged before: their lines count once. ``until_seq`` is where an equivocation begins: lines from there on keep
    their place in the chain, and nothing that they report is attributed. ``part`` says that only a part of the record
    is here, and which. Where the lines were in order once, ``remembered`` can be 1: so many are known if repeated.
    """

    def __init__(
        self,
        trust: Trust,
        record: Record,
        *,
        history: History | None = None,
        known: Sequence[History] = (),
        until_seq: int | None = None,
        part: Part | None = None,
        remembered: int = REMEMBERED_LINES,
    ) -> None:
        self._record = record
        self._keyring = Keyring(trust)
        self._part = part
        self._begun = part is None
        since = None if part is None else part.first_seq
        self._chain = Chain(record.findings, since=since, remembered=remembered)
        self._timing = Timing(record.findings, record.utc)
        self._continuity = Continuity(record.findings)
        self._arming = Arming(record.findings, trust)
        self._receipts = Receipts(record.findings, trust)
        self._history, self._known, self._until = history, known, until_seq
        self._boots: dict[str, int] = {}
        self._sessions: dict[str, tuple[str, int]] = {}
        """Boot and beginning of each session."""
        self.lines = 0
        self._last: Place | None = None

    @property
    def closed(self) -> bool:
        """Whether a ``close`` line ends the ledger."""
        return self._chain.closed

    def open(self, text: bytes) -> Opened:
        """Steps 1 and 2 for the next line of the file, given without its LF. Signatures may be checked in batches."""
        return self._keyring.open(text)

    def take(self, opened: Opened, good: bool) -> Sequence[MediaTask]:
        """The rest for a line, in the order of the file. ``good`` is what step 3 said; returns the media to check."""
        line = opened.line
        if opened.session is None or not good:
            at = Place(seq=line.seq if line else None, boot_ns=line.stamp.boot_ns if line else None)
            if at.seq is None and self._chain.head is not None:
                at = Place(seq=self._chain.head[0] + 1)
            code = opened.refusal if opened.session is None else Code.SIGNATURE_WRONG
            if code is not None:
                self._record.findings.add(code, at, opened.detail)
            self._chain.refuse(opened, at)
            return _NO_TASKS
        assert line is not None
        return self._take_good(opened, line, opened.session)

    def torn_tail(self) -> None:
        """The file does not end with LF; what stands behind the last one is no line."""
        self._record.findings.add(Code.TORN_TAIL, self._last or Place())

    def finish(self, record: Record | None = None) -> None:
        """After the last line of the file. Where it still grows: after the newest, for ``record``, which is a copy of
        the one that is judged into.
        """
        record, head = record or self._record, self._chain.head
        self._chain.finish(record.findings)
        claimed = self._keyring.claimed
        if record.names is None and claimed is not None:
            record.names = (claimed.election, claimed.station, claimed.unit)
        if head is not None and (record.head is None or head[0] > record.head[0]):
            record.head, record.last = head, self._last
        record.closed = record.closed or (self._chain.closed and self._part is None)
        record.damaged = record.damaged or self._chain.damaged
        record.profile = record.profile or self._arming.profile
        record.clock += self._timing.clock

    def _take_good(self, opened: Opened, line: Line, session: Session) -> Sequence[MediaTask]:
        body, boot_id = line.body, session.start.boot_id
        camera = getattr(body, "camera", None)
        at = Place(seq=line.seq, camera=camera, boot_id=boot_id, boot_ns=line.stamp.boot_ns)
        standing = self._chain.place(opened, line, at if camera is None else _without_camera(at))
        if standing is Standing.IGNORED:
            return _NO_TASKS
        if standing is not Standing.FOLLOWS:
            self._continuity.broken()
            self._arming.broken()
        new = self._is_new(opened, line)
        before = self._last
        self._boots.setdefault(boot_id, len(self._boots))
        self._last = at if camera is None else _without_camera(at)
        if self._until is not None and line.seq >= self._until:
            return self._unattributed(body, session)
        self.lines += 1
        self._record.lines += new
        self._record.findings.muted = not new
        self._timing.judge(line, session.kid, boot_id, standing, self._last, observed=new)
        if isinstance(body, Start) and before is not None and standing is not Standing.MOVED:
            self._restart(before, at, new=new)
        tasks = self._judge(body, opened, session, standing, at, new=new)
        if new and session.kid in self._record.sessions and standing is not Standing.MOVED:
            self._record.sessions[session.kid].last = self._last
        self._record.findings.muted = False
        return tasks

    def _is_new(self, opened: Opened, line: Line) -> bool:
        """Whether no other ledger of the unit brought this line already."""
        if self._history is None:
            return True
        digest = hashlib.sha256(opened.payload).digest()
        start = isinstance(line.body, Start)
        self._history.add(line.seq, digest, line.stamp.boot_ns, start=start)
        return not any(history.holds(line.seq, digest) for history in self._known)

    def _judge(
        self, body: Body, opened: Opened, session: Session, standing: Standing, at: Place, *, new: bool
    ) -> Sequence[MediaTask]:
        record, boot = self._record, self._boots[session.start.boot_id]
        if self._part is not None and not self._part.concerns(body, at.seq or 0):
            return _NO_TASKS
        match body:
            case Segment():
                return self._segment(body, session, standing, at, new=new)
            case Gap():
                self._gap(body, session, at, new=new)
            case Run():
                return self._run(body, session, at, new=new)
            case Event():
                self._arming.event(body, standing, boot, at)
                if new:
                    record.events.append(EventAt(event=body, at=at))
                    path = body.data.get("path")
                    if body.event == "set-aside" and isinstance(path, str):
                        record.set_aside.add(path)
            case Start():
                self._sessions[session.kid] = (body.boot_id, at.boot_ns or 0)
                self._continuity.started(session, at.boot_ns or 0, excused=standing is not Standing.FOLLOWS)
                record.names = record.names or (body.election, body.station, body.unit)
                for camera in body.cameras:
                    if self._part is None or camera == self._part.camera:
                        record.camera(camera)
                if new and opened.certified is not None:
                    record.sessions[session.kid] = SessionAt(certified=opened.certified, at=at, last=at)
            case Config():
                certified = self._arming.config(body, session.start.election, at)
                if new and certified is not None:
                    record.profiles.append(ProfileAt(certified=certified, at=at))
            case Pruned():
                self._pruned(body, session, at, new=new)
            case Close():
                for camera, found in self._continuity.closed(body.to_ns, session.start.boot_id, at):
                    self._unexplained(camera, found, new=new)
            case Unknown():
                record.findings.add(Code.KIND_UNKNOWN, at, body.kind)
            case _:
                pass
        return _NO_TASKS

    def _restart(self, before: Place, at: Place, *, new: bool) -> None:
        """A ``start`` line: a start of the machine does not come back once another has begun."""
        if at.boot_id == before.boot_id:
            return
        if any(at.boot_id == boot_id for boot_id, _ in self._sessions.values()):
            self._record.findings.add(Code.TIME_BACKWARDS, at, "an earlier start of the machine goes on")
        elif new:
            self._record.reboots.append(RebootAt(before=before, at=at))

    def _segment(
        self, segment: Segment, session: Session, standing: Standing, at: Place, *, new: bool
    ) -> Sequence[MediaTask]:
        kid, boot_id = session.kid, session.start.boot_id
        if isinstance(segment, Recovered):
            kid = segment.session
            if kid == session.kid or kid not in self._sessions:
                if not self._chain.damaged or kid == session.kid or self._part is not None:
                    self._record.findings.add(Code.RECOVERED_NOT_CONTIGUOUS, at, "no earlier session recorded it")
                return _NO_TASKS
            boot_id, _ = self._sessions[kid]
        own_boot, started_ns = self._sessions.get(session.kid, (session.start.boot_id, 0))
        if standing is not Standing.MOVED:
            self._timing.within_session(segment, started_ns=started_ns, same_boot=boot_id == own_boot, at=at)
        if not self._begun:
            self._begun = True
            self._continuity.begin(segment.camera, boot_id, segment.from_ns)
            self._arming.broken()
        found = self._continuity.segment(segment, kid, boot_id, at)
        self._unexplained(segment.camera, found, new=new)
        self._arming.segment(segment, standing, self._boots[boot_id], at)
        stream, init_sha256 = self._record.named.name((kid, segment.camera, segment.run), segment)
        if not new:
            return _NO_TASKS
        start = session.start
        expected = Expected(
            election=start.election,
            station=start.station,
            unit=start.unit,
            boot_id=boot_id,
            session=kid,
            segment=segment,
            stream=stream,
            init_sha256=init_sha256,
        )
        return (MediaTask(expected=expected, at=at),)

    def _run(self, run: Run, session: Session, at: Place, *, new: bool) -> Sequence[MediaTask]:
        self._continuity.run(run, session, at)
        stream = (run.width, run.height, run.timescale, run.fps)
        self._record.named.open((session.kid, run.camera, run.run), stream, run.init_sha256)
        if not new:
            return _NO_TASKS
        expected = ExpectedInit(session=session.kid, camera=run.camera, run=run.run, sha256=run.init_sha256)
        return (MediaTask(expected=expected, at=at),)

    def _gap(self, gap: Gap, session: Session, at: Place, *, new: bool) -> None:
        boot_id = session.start.boot_id
        self._unexplained(gap.camera, self._continuity.gap(gap, boot_id, at), new=new)
        if not new or gap.camera not in self._continuity.cameras:
            return
        coverage = self._record.camera(gap.camera).coverage
        if gap.from_boot is not None and gap.from_boot != boot_id:
            coverage.cross(
                Crossing(
                    from_boot=gap.from_boot,
                    from_ns=gap.from_ns,
                    to_boot=boot_id,
                    to_ns=gap.to_ns,
                    state=State.GAP,
                    cause=gap.cause,
                    evidence=gap.evidence,
                )
            )
        elif gap.from_ns < gap.to_ns:
            span = Span(from_ns=gap.from_ns, to_ns=gap.to_ns, state=State.GAP, cause=gap.cause, evidence=gap.evidence)
            coverage.add(boot_id, span)

    def _pruned(self, pruned: Pruned, session: Session, at: Place, *, new: bool) -> None:
        """A line of several ledgers counts once; one whose receipt is refused explains nothing."""
        if not new:
            return
        if pruned.reason == RECEIPTED and pruned.receipt is not None:
            held = self._receipts.held(pruned.receipt, session.start, at)
            if held is None:
                return
            lawful = self._record.named.prune_held(pruned, held, at)
        else:
            lawful, explained = self._record.named.prune(pruned)
            self._record.pruned(explained)
        if not lawful and not self._chain.damaged:
            self._record.findings.add(Code.PRUNED_UNLAWFULLY, at)

    def _unexplained(self, camera: str, found: Unexplained | None, *, new: bool) -> None:
        if found is not None and new:
            self._record.unexplained(camera, found.boot_id, found.span, found.crossing)

    def _unattributed(self, body: Body, session: Session) -> Sequence[MediaTask]:
        """Behind an equivocation: media are known by name, and that is all."""
        if isinstance(body, Segment):
            kid = body.session if isinstance(body, Recovered) else session.kid
            self._record.named.name((kid, body.camera, body.run), body)
        return _NO_TASKS


def _without_camera(at: Place) -> Place:
    return Place(seq=at.seq, boot_id=at.boot_id, boot_ns=at.boot_ns)
