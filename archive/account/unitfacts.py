"""One unit's facts, from what its newest lines say and which of their media are here."""

from archive.account.state import UnitFacts
from archive.index.latest import CameraLatest, UnitLatest
from archive.index.rows import Statement
from evidence.lines import Close, Event, Gap, Start
from evidence.words import Mode

COVERED, RESTORED = "view-covered", "view-restored"
"""The events that say that something covers a camera's view, and that it is clear again."""
_IN_FLIGHT = 4
"""Segments of a camera that may be on their way though all is well."""
_FULL = 0.7
"""Of every n-th segment, n at least 2, fewer are here; of a live camera nearly all."""


class UnitMemory:
    """What must be remembered of a unit from one look at the index to the next."""

    def __init__(self) -> None:
        self._cameras: tuple[str, ...] = ()
        self._boot: str | None = None
        self._gaps: dict[str, _OpenGap] = {}
        self._covered: dict[str | None, int | None] = {}
        self._closed_us: int | None = None
        self._recorded_us: int | None = None
        self._arrived_us: int | None = None
        self._mode: Mode | None = None

    def facts(self, latest: UnitLatest) -> UnitFacts:
        """Take in what is new, and say what is true now."""
        for statement in latest.statements:
            if statement.branch == latest.branch:
                self._tell(statement)
        newest = max(latest.cameras, key=lambda each: each.seq, default=None)
        here_us = None
        thin = False
        self._arrived_us = max(latest.arrived_us or 0, self._arrived_us or 0) or None
        if newest is not None:
            self._mode = newest.mode
            same = [each for each in latest.cameras if (each.boot_id, each.mode) == (newest.boot_id, newest.mode)]
            here_ns = max((each.here_ns for each in same if each.here_ns is not None), default=None)
            recorded_us = self._dated(latest, newest.boot_id, max(each.to_ns for each in same))
            self._recorded_us = recorded_us or self._recorded_us
            if here_ns is not None and recorded_us is not None:
                here_us = self._dated(latest, newest.boot_id, here_ns)
            thin = any(each.here < _FULL * (each.named - _IN_FLIGHT) for each in same)
        return UnitFacts(
            heard_us=latest.heard_us,
            arrived_us=self._arrived_us,
            recorded_us=self._recorded_us,
            here_us=here_us,
            mode=self._mode,
            thin=thin,
            lacks=latest.lacks,
            closed=latest.closed,
            closed_us=self._closed_us,
            gap_us=self._gap_us(latest.cameras),
            head=(latest.branch, latest.head_seq),
            gap=max(((gap.seq, gap.cause) for gap in self._gaps.values()), default=None),
            cameras=len(self._cameras) or None,
            covered_us=min((us for us in self._covered.values() if us is not None), default=None),
        )

    def _tell(self, statement: Statement) -> None:
        body, at_us = statement.line.body, _dated(statement)
        if isinstance(body, Start):
            self._boot = statement.boot_id
            self._cameras = body.cameras
        elif isinstance(body, Gap):
            self._gaps[body.camera] = self._widened(statement, body)
        elif isinstance(body, Event) and body.event == COVERED:
            self._covered.setdefault(body.camera, at_us)
        elif isinstance(body, Event) and body.event == RESTORED:
            self._covered.pop(body.camera, None)
        elif isinstance(body, Close):
            self._closed_us = statement.heard_us or at_us

    def _widened(self, statement: Statement, gap: Gap) -> "_OpenGap":
        before = self._gaps.get(gap.camera)
        stamp = statement.line.stamp
        at_us = _dated(statement)
        if before is not None and before.end == (gap.from_boot or statement.boot_id, gap.from_ns):
            since_us = before.since_us
        elif gap.from_boot is not None and gap.from_boot != statement.boot_id:
            since_us = self._recorded_us or (None if at_us is None else at_us - stamp.boot_ns // 1_000)
        else:
            since_us = None if at_us is None else at_us - (stamp.boot_ns - gap.from_ns) // 1_000
        return _OpenGap(statement.line.seq, since_us, (statement.boot_id, gap.to_ns), gap.cause.value)

    def _gap_us(self, cameras: tuple[CameraLatest, ...]) -> int | None:
        """Since when no camera has had a picture; None where one has, or where nobody knows."""
        newest: dict[str, int] = {}
        for each in cameras:
            newest[each.camera] = max(each.seq, newest.get(each.camera, -1))
        since: list[int] = []
        for camera in self._cameras:
            gap = self._gaps.get(camera)
            if gap is None or gap.seq < newest.get(camera, -1) or gap.since_us is None:
                return None
            since.append(gap.since_us)
        return max(since, default=None)

    def _dated(self, latest: UnitLatest, boot_id: str, boot_ns: int) -> int | None:
        """UTC of a boot time by the newest line; None where that is of another boot, or nobody knows the time."""
        at_us = latest.heard_us if latest.utc_us is None else latest.utc_us
        if at_us is None or boot_ns > latest.boot_ns + 1_000_000_000 or self._boot not in (None, boot_id):
            return None
        return at_us - (latest.boot_ns - boot_ns) // 1_000


class _OpenGap:
    """The newest gap of a camera: its newest line, since when, up to where, and why."""

    __slots__ = ("cause", "end", "seq", "since_us")

    def __init__(self, seq: int, since_us: int | None, end: tuple[str, int], cause: str) -> None:
        self.seq, self.since_us, self.end, self.cause = seq, since_us, end, cause


def _dated(statement: Statement) -> int | None:
    """When a line was made: by its own synchronised clock, else when the archive heard it."""
    stamp = statement.line.stamp
    return statement.heard_us if stamp.error_us is None else stamp.utc_us
