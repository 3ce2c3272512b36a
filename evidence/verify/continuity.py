"""Step 6 of spec/verify.md: a camera's record has no hole and no overlap, and its runs and segments are counted."""

from dataclasses import dataclass, field

from evidence.codes import Code
from evidence.coverage import CameraCoverage, Crossing, Span, State
from evidence.lines import Gap, Recovered, Run, Segment
from evidence.verify.findings import Findings, Place
from evidence.verify.keyring import Session

MAX_RECOVERED_NS = 30 * 10**9


@dataclass(slots=True)
class _Runs:
    """The runs of a camera in one session: the newest run, and the next index of each."""

    newest: int = -1
    next_index: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class CameraRecord:
    """Where a camera's record stands in one ledger. ``claims`` is what its lines claim, whatever the media say."""

    camera: str
    boot_id: str
    at_ns: int
    excused: bool
    claims: CameraCoverage = field(default_factory=CameraCoverage)
    runs: dict[str, _Runs] = field(default_factory=dict)
    recovered_ns: int = 0
    run_excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplained:
    """Time that neither media nor a gap claims: a span of a boot, or a crossing."""

    boot_id: str
    span: Span | None = None
    crossing: Crossing | None = None


class Continuity:
    """Judges the pieces of every camera of one ledger, in its order.

    After a break of the chain the first piece of each camera is excused: what lies between is missing, but it is not
    a second finding.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.cameras: dict[str, CameraRecord] = {}

    def started(self, session: Session, boot_ns: int, *, excused: bool) -> None:
        """A ``start`` line: the record of each camera that is new begins here."""
        for camera in self.cameras.values():
            camera.recovered_ns = 0
        for name in session.start.cameras:
            if name not in self.cameras:
                self.cameras[name] = CameraRecord(
                    camera=name, boot_id=session.start.boot_id, at_ns=boot_ns, excused=excused
                )
                self.cameras[name].run_excused = excused

    def begin(self, name: str, boot_id: str, at_ns: int) -> None:
        """What is here of a camera's record begins with a piece that begins then: nothing before it is judged."""
        camera = self.cameras.get(name)
        if camera is not None:
            self._move(camera, boot_id, at_ns)
            camera.run_excused = True

    def broken(self) -> None:
        """Lines are missing or refused here."""
        for camera in self.cameras.values():
            camera.excused = camera.run_excused = True

    def run(self, run: Run, session: Session, at: Place) -> None:
        """A ``run`` line."""
        camera = self._camera(run.camera, at)
        if camera is None:
            return
        runs = camera.runs.setdefault(session.kid, _Runs())
        if run.run != runs.newest + 1 and not camera.run_excused:
            self._findings.add(Code.INDEX_MISSING, at, f"run {run.run} after run {runs.newest}")
        runs.newest = max(runs.newest, run.run)
        runs.next_index.setdefault(run.run, 0)

    def segment(self, segment: Segment, kid: str, boot_id: str, at: Place) -> Unexplained | None:
        """A ``segment`` or ``recovered`` line of media that the session ``kid`` recorded in ``boot_id``."""
        camera = self._camera(segment.camera, at)
        if camera is None:
            return None
        recovered = isinstance(segment, Recovered)
        self._index(camera, segment, kid, recovered, at)
        if recovered:
            return self._recovered(camera, segment, boot_id, at)
        span = Span(from_ns=segment.from_ns, to_ns=segment.to_ns, state=State.SEGMENT)
        return self._piece(camera, span, boot_id, at)

    def gap(self, gap: Gap, boot_id: str, at: Place) -> Unexplained | None:
        """A ``gap`` line of a session in ``boot_id``."""
        camera = self._camera(gap.camera, at)
        if camera is None:
            return None
        if gap.from_boot is None or gap.from_boot == boot_id:
            if gap.from_ns >= gap.to_ns:
                self._findings.add(Code.OVERLAP, at, "the gap ends before it begins")
                return None
            return self._piece(camera, Span(from_ns=gap.from_ns, to_ns=gap.to_ns, state=State.GAP), boot_id, at)
        unexplained = self._reach(camera, gap.from_boot, gap.from_ns, at)
        if camera.boot_id == boot_id:  # with the head cut off: no time lies between this boot and one before it
            unexplained = None
        back = camera.boot_id == gap.from_boot and gap.from_ns < camera.at_ns
        to_ns = camera.at_ns if back else gap.from_ns + 1
        before = not camera.excused and self._covered(camera, gap.from_boot, gap.from_ns, to_ns)
        if before or self._covered(camera, boot_id, 0, gap.to_ns):
            self._findings.add(Code.GAP_OVER_SEGMENT, at)
        elif back and not camera.excused:
            self._findings.add(Code.OVERLAP, at)
        if gap.to_ns:
            camera.claims.add(boot_id, Span(from_ns=0, to_ns=gap.to_ns, state=State.GAP))
        self._move(camera, boot_id, gap.to_ns)
        return unexplained

    def closed(self, to_ns: int, boot_id: str, at: Place) -> list[tuple[str, Unexplained]]:
        """A ``close`` line: every camera's record ends there."""
        found: list[tuple[str, Unexplained]] = []
        for camera in self.cameras.values():
            where = Place(seq=at.seq, camera=camera.camera, boot_id=at.boot_id, boot_ns=at.boot_ns)
            if camera.boot_id == boot_id and camera.at_ns > to_ns and not camera.excused:
                self._findings.add(Code.HOLE, where, "the record goes on behind the end")
            elif (unexplained := self._reach(camera, boot_id, to_ns, where)) is not None:
                found.append((camera.camera, unexplained))
        return found

    def _camera(self, name: str, at: Place) -> CameraRecord | None:
        camera = self.cameras.get(name)
        if camera is None:
            self._findings.add(Code.RUN_UNKNOWN, at, f"no start line names the camera {name}")
        return camera

    def _index(self, camera: CameraRecord, segment: Segment, kid: str, recovered: bool, at: Place) -> None:
        runs = camera.runs.setdefault(kid, _Runs())
        expected = runs.next_index.get(segment.run)
        if expected is None:
            skipped = recovered and segment.run > runs.newest + 1
            runs.newest = max(runs.newest, segment.run)
            if skipped and not camera.run_excused:
                self._findings.add(Code.INDEX_MISSING, at, f"runs before run {segment.run}")
            if not camera.run_excused and not recovered:
                self._findings.add(Code.RUN_UNKNOWN, at, f"run {segment.run}")
            expected = segment.index if camera.run_excused or not recovered else 0
        if (segment.index != expected or segment.run != runs.newest) and not camera.run_excused:
            what = f"index {segment.index} of run {segment.run} where index {expected} of run {runs.newest} is next"
            self._findings.add(Code.INDEX_MISSING, at, what)
        runs.next_index[segment.run] = segment.index + 1 if camera.run_excused else max(segment.index + 1, expected)
        camera.run_excused = False

    def _recovered(self, camera: CameraRecord, segment: Segment, boot_id: str, at: Place) -> Unexplained | None:
        before = camera.recovered_ns
        camera.recovered_ns += segment.to_ns - segment.from_ns
        if before <= MAX_RECOVERED_NS < camera.recovered_ns:
            self._findings.add(Code.RECOVERED_TOO_LONG, at, f"{camera.recovered_ns / 1e9:.1f} s")
        span = Span(from_ns=segment.from_ns, to_ns=segment.to_ns, state=State.RECOVERED)
        if (camera.boot_id, camera.at_ns) == (boot_id, segment.from_ns):
            return self._piece(camera, span, boot_id, at)
        if not camera.excused:
            self._findings.add(Code.RECOVERED_NOT_CONTIGUOUS, at)
        camera.excused = True  # judged here, and not once more as a hole
        if boot_id != camera.boot_id:
            camera.claims.add(boot_id, span)
            return None
        unexplained = self._piece(camera, span, boot_id, at, judged=False)
        camera.excused = True
        return unexplained

    def _piece(
        self, camera: CameraRecord, span: Span, boot_id: str, at: Place, *, judged: bool = True
    ) -> Unexplained | None:
        """A piece within one boot: it begins where the one before ended, and shares no time with another."""
        excused = camera.excused
        unexplained = self._reach(camera, boot_id, span.from_ns, at)
        if judged and (boot_id != camera.boot_id or span.from_ns < camera.at_ns):
            self._shared(camera, boot_id, span, at)
        camera.claims.add(boot_id, span)
        if excused or boot_id != camera.boot_id:
            self._move(camera, boot_id, span.to_ns)
        else:
            self._move(camera, boot_id, max(camera.at_ns, span.to_ns))
        return unexplained

    def _shared(self, camera: CameraRecord, boot_id: str, span: Span, at: Place) -> None:
        states = {other.state for other in camera.claims.overlapping(boot_id, span.from_ns, span.to_ns)}
        if not states:
            return
        gap = span.state is State.GAP
        over = (states - {State.GAP}) if gap else (states & {State.GAP})
        self._findings.add(Code.GAP_OVER_SEGMENT if over else Code.OVERLAP, at)

    def _covered(self, camera: CameraRecord, boot_id: str, from_ns: int, to_ns: int) -> bool:
        return any(span.state is not State.GAP for span in camera.claims.overlapping(boot_id, from_ns, to_ns))

    def _reach(self, camera: CameraRecord, boot_id: str, from_ns: int, at: Place) -> Unexplained | None:
        """Come to where the next piece begins; what lies between is unexplained."""
        if boot_id == camera.boot_id:
            if from_ns <= camera.at_ns:
                return None
            span = Span(from_ns=camera.at_ns, to_ns=from_ns, state=State.UNEXPLAINED)
            if not camera.excused:
                self._findings.add(Code.HOLE, at, f"{(from_ns - camera.at_ns) / 1e9:.3f} s before the time given here")
            return Unexplained(boot_id=boot_id, span=span)
        if not camera.excused:
            self._findings.add(Code.HOLE, at, "from one start of the machine to the next")
        elif camera.claims.overlapping(boot_id, from_ns, from_ns + 1):
            return None
        crossing = Crossing(
            from_boot=camera.boot_id, from_ns=camera.at_ns, to_boot=boot_id, to_ns=from_ns, state=State.UNEXPLAINED
        )
        return Unexplained(boot_id=boot_id, crossing=crossing)

    def _move(self, camera: CameraRecord, boot_id: str, to_ns: int) -> None:
        camera.boot_id, camera.at_ns, camera.excused = boot_id, to_ns, False
