"""What the ledger on this disk says so far: the state that a new session continues from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evidence import jws
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.lines import (
    Close,
    Config,
    Event,
    Gap,
    Line,
    Pruned,
    Recovered,
    Run,
    Segment,
    Stamp,
    Start,
    line_hash,
    read_payload,
)
from evidence.words import Mode, Phase


@dataclass(slots=True, kw_only=True)
class CameraState:
    """Where the record of one camera stands: up to ``covered_ns`` of ``boot_id``."""

    boot_id: str
    covered_ns: int
    run: int = -1
    index: int = -1
    """Of the newest segment of the newest session, with its run; -1 before the first."""
    fps_by_run: dict[int, int] = field(default_factory=dict)
    """Of the newest session."""


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
    """All that a new session needs of the lines before it. ``size_bytes`` is the length without a torn tail."""

    size_bytes: int = 0
    torn_bytes: int = 0
    next_seq: int = 0
    prev: str = ""
    start: Start | None = None
    sessions: set[str] = field(default_factory=set)
    last_stamp: Stamp | None = None
    orderly: bool = False
    closed: bool = False
    mode: Mode = Mode.UNARMED
    profile: str | None = None
    masks: dict[str, str] = field(default_factory=dict)
    """Digest of the mask that the newest config line gives, by camera."""
    phases: list[Phase] = field(default_factory=list)
    cameras: dict[str, CameraState] = field(default_factory=dict)
    unarmed: list[KeptSegment] = field(default_factory=list)
    last_pruned: list[Pruned] = field(default_factory=list)

    def apply(self, line: Line) -> None:
        """Take the next line into account."""
        self.last_stamp = line.stamp
        self.orderly = False
        match line.body:
            case Start() as start:
                self._begin_session(start, line.stamp)
            case Run(camera=camera, run=run, fps=fps):
                state = self.cameras[camera]
                state.run, state.index = run, -1
                state.fps_by_run[run] = fps
            case Recovered() as found:
                state = self.cameras[found.camera]
                state.covered_ns = found.to_ns
                self._keep_unarmed(found, found.session)
            case Segment() as segment:
                state = self.cameras[segment.camera]
                state.covered_ns, state.index = segment.to_ns, segment.index
                assert self.start is not None
                self._keep_unarmed(segment, self.start.kid)
            case Gap() as gap:
                state = self.cameras[gap.camera]
                assert self.start is not None
                state.boot_id, state.covered_ns = self.start.boot_id, gap.to_ns
            case Event(event="armed", data=data):
                self.mode = Mode(str(data.get("mode")))
            case Event(event="stopped"):
                self.orderly = True
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

    def _begin_session(self, start: Start, stamp: Stamp) -> None:
        self.start = start
        self.sessions.add(start.kid)
        for camera in start.cameras:
            state = self.cameras.setdefault(camera, CameraState(boot_id=start.boot_id, covered_ns=stamp.boot_ns))
            state.run = state.index = -1
            state.fps_by_run = {}

    def _keep_unarmed(self, segment: Segment, session: str) -> None:
        if segment.mode is Mode.UNARMED:
            self.unarmed.append(
                KeptSegment(
                    camera=segment.camera,
                    session=session,
                    run=segment.run,
                    index=segment.index,
                    length_ns=segment.to_ns - segment.from_ns,
                )
            )

    def _forget(self, pruned: Pruned) -> None:
        gone = range(pruned.from_index, pruned.to_index)
        self.unarmed = [
            kept
            for kept in self.unarmed
            if (kept.camera, kept.session, kept.run) != (pruned.camera, pruned.session, pruned.run)
            or kept.index not in gone
        ]
        self.last_pruned = [*self.last_pruned[-15:], pruned]


def replay(path: Path) -> LedgerState:
    """Read the ledger at ``path`` and follow its chain. A torn tail is measured, not taken.

    Signatures are not checked: that is the verifier's work, and starting must not wait for it. Raises EvidenceError
    where the chain of a complete line is broken, so that nothing is ever appended to a damaged ledger.
    """
    state = LedgerState()
    for text, complete in _lines(path):
        if not complete:
            state.torn_bytes = len(text)
            break
        line = read_payload(jws.unseal(text).payload)
        if line.seq != state.next_seq or (state.prev and line.prev != state.prev):
            raise EvidenceError(Code.PREV_MISMATCH, f"{path}: line {line.seq} does not follow the line before it")
        state.apply(line)
        state.next_seq, state.prev = line.seq + 1, line_hash(text)
        state.size_bytes += len(text) + 1
    return state


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The lines without their LF, and whether each had one."""
    with path.open("rb") as file:
        while text := file.readline(jws.MAX_BYTES + 1):
            yield text.removesuffix(b"\n"), text.endswith(b"\n")
