"""What the ledger on this disk says so far: the state that a new session continues from."""

from dataclasses import dataclass, field
from typing import Protocol

from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.lines import Close, Config, Event, Gap, Line, Pruned, Recovered, Run, Segment, Stamp, Start
from evidence.words import Mode, Phase

ENDINGS = ("stopped", "process-restart", "reboot")
"""Events that are the last line of a session (spec/ledger.md, section 4.6)."""
_PRUNED_REMEMBERED = 64


class Head(Protocol):
    """The end of a ledger."""

    @property
    def seq(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


@dataclass(slots=True, kw_only=True)
class CameraState:
    """Where the record of one camera stands: up to ``covered_ns`` of ``boot_id``, as ``session`` left it.

    That may be an earlier session than the newest ``start``: a start whose lines did not all reach the disk has not
    yet taken the camera over, and what the session before left behind can still be found.
    """

    session: str
    boot_id: str
    covered_ns: int
    run: int = -1
    index: int = -1
    """Of the newest segment of ``session``, with its run; -1 before the first."""
    fps_by_run: dict[int, int] = field(default_factory=dict)
    """The frame rate of each run of ``session``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSegment:
    """An UNARMED segment that may be pruned: where it lies and how long it is."""

    camera: str
    session: str
    run: int
    index: int
    length_ns: int


@dataclass(slots=True, kw_only=True)
class LedgerState:
    """All that a new session needs of the lines before it. ``size_bytes`` is the length up to the last good line.

    ``torn_bytes`` lie behind it: what a power cut left of the last commit. ``damages`` counts the places before it
    where lines are missing, altered or unreadable.
    """

    size_bytes: int = 0
    torn_bytes: int = 0
    damages: int = 0
    next_seq: int = 0
    prev: str = ""
    start: Start | None = None
    session: str = ""
    """Name of the newest session."""
    sessions: set[str] = field(default_factory=set)
    last_stamp: Stamp | None = None
    ending: str = ""
    """What the newest line says of the end of its session: one of the events that are a session's last, or nothing."""
    restarts: int = 0
    """Sessions in a row that ended to begin anew and got no picture from the cameras for which the newest did."""
    restarted_for: list[str] = field(default_factory=list)
    """Those cameras; none where that was not told."""
    under_voltage: bool = False
    too_hot: bool = False
    closed: bool = False
    mode: Mode = Mode.UNARMED
    profile: str | None = None
    masks: dict[str, str] = field(default_factory=dict)
    """Digest of the mask that the newest config line gives, by camera."""
    phases: list[Phase] = field(default_factory=list)
    cameras: dict[str, CameraState] = field(default_factory=dict)
    unarmed: dict[tuple[str, str, int, int], KeptSegment] = field(default_factory=dict)
    """UNARMED segments by camera, session, run and index, in the order of recording."""
    last_pruned: list[Pruned] = field(default_factory=list)

    def apply(self, line: Line) -> None:
        """Take the next line into account. Raises EvidenceError where it cannot belong to this record."""
        self.last_stamp = line.stamp
        self.ending = ""
        match line.body:
            case Start() as start:
                self._begin_session(start, line.stamp)
            case Run(camera=camera, run=run, fps=fps):
                state = self._taken_over(camera)
                state.run, state.index = run, -1
                state.fps_by_run[run] = fps
            case Recovered() as found:
                state = self._camera(found.camera)
                state.covered_ns, state.run, state.index = found.to_ns, found.run, found.index
                self._keep_unarmed(found, found.session)
            case Segment() as segment:
                state = self._taken_over(segment.camera)
                state.covered_ns, state.run, state.index = segment.to_ns, segment.run, segment.index
                self._keep_unarmed(segment, self.session)
                if not self.restarted_for or segment.camera in self.restarted_for:
                    self.restarts = 0
            case Gap() as gap:
                state = self._taken_over(gap.camera)
                state.covered_ns = gap.to_ns
            case Event(event="armed", data=data):
                if data.get("mode") not in (Mode.TEST, Mode.LIVE):
                    raise EvidenceError(Code.MODE_MISMATCH, "an event arms no known mode")
                self.mode = Mode(str(data["mode"]))
            case Event(event=name, data=data) if name in ENDINGS:
                self.ending = name
                if name != "stopped":
                    self.restarts += 1
                    self.restarted_for = [camera for camera in str(data.get("silent") or "").split(", ") if camera]
            case Event(event="power", data=data):
                self.under_voltage = data.get("under_voltage") == 1
            case Event(event="thermal", data=data):
                self.too_hot = data.get("too_hot") == 1
            case Event(event=name) if name in list(Phase):
                self.phases.append(Phase(name))
            case Config(what="profile", profile=profile):
                self.profile = profile
            case Config(what="mask", camera=str(camera), sha256=str(digest)):
                self.masks[camera] = digest
            case Pruned() as pruned:
                self._forget(pruned)
            case Close():
                self.closed = True
            case _:
                pass

    def reached(self, head: Head | None) -> None:
        """The ledger ends with ``head`` now; its lines have been applied."""
        if head is not None:
            self.next_seq, self.prev, self.size_bytes = head.seq + 1, head.sha256, head.size_bytes

    def _begin_session(self, start: Start, stamp: Stamp) -> None:
        self.start, self.session = start, start.kid
        self.under_voltage = self.too_hot = False
        self.sessions.add(self.session)
        for camera in start.cameras:
            if camera not in self.cameras:
                self.cameras[camera] = CameraState(
                    session=self.session, boot_id=start.boot_id, covered_ns=stamp.boot_ns
                )

    def _camera(self, name: str) -> CameraState:
        if name not in self.cameras:
            raise EvidenceError(Code.RUN_UNKNOWN, f"no start line names the camera {name}")
        return self.cameras[name]

    def _taken_over(self, name: str) -> CameraState:
        """The camera, in the hands of the newest session."""
        state = self._camera(name)
        if state.session != self.session and self.start is not None:
            state.session, state.boot_id = self.session, self.start.boot_id
            state.run = state.index = -1
            state.fps_by_run = {}
        return state

    def _keep_unarmed(self, segment: Segment, session: str) -> None:
        if segment.mode is Mode.UNARMED:
            self.unarmed[segment.camera, session, segment.run, segment.index] = KeptSegment(
                camera=segment.camera,
                session=session,
                run=segment.run,
                index=segment.index,
                length_ns=segment.to_ns - segment.from_ns,
            )

    def _forget(self, pruned: Pruned) -> None:
        for index in range(pruned.from_index, pruned.to_index):
            self.unarmed.pop((pruned.camera, pruned.session, pruned.run, index), None)
        self.last_pruned = [*self.last_pruned[1 - _PRUNED_REMEMBERED :], pruned]
