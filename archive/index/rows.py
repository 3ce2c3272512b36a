"""What the index holds, as values. ``name`` says whose; numbers of branches are those of the ledger files."""

from dataclasses import dataclass

from archive.finding import Finding
from archive.names import UnitName
from evidence.lines import Line, Run, Segment
from evidence.receipt import Acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRow:
    """A branch of a unit's ledger. Below ``from_seq`` its lines are those of ``parent``.

    ``size_bytes`` is the length of its file; ``used`` grows with every line that the unit sends on any branch, so that
    the greatest is the branch that the unit is on.
    """

    number: int
    parent: int | None
    from_seq: int
    head_seq: int
    head_sha256: str
    size_bytes: int
    closed: bool
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A line of a branch, and where it lies in the branch's file, without its LF.

    ``utc_us`` and ``error_us`` are its stamp's where the clock was synchronised, else None.
    """

    seq: int
    sha256: str
    offset: int
    size_bytes: int
    boot_ns: int
    start: bool
    utc_us: int | None = None
    error_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A ``segment`` or ``recovered`` line: the session and boot that its media are of."""

    seq: int
    session: str
    boot_id: str
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A ``run`` line of a session."""

    session: str
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedRow:
    """Media that the unit has deleted: half-open, as in its line, with the receipt that it shows for it."""

    session: str
    camera: str
    run: int
    from_index: int
    to_index: int
    receipt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A line that names no media to be delivered: every kind but ``segment`` and ``recovered``.

    ``payload`` is what it signs, as text; ``camera`` and ``run`` are None where its kind has none.
    """

    seq: int
    kind: str
    session: str
    boot_id: str
    camera: str | None
    run: int | None
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLines:
    """Lines that a branch has grown by; ``branch`` is as it stands behind them."""

    name: UnitName
    branch: BranchRow
    lines: tuple[LineRow, ...]
    segments: tuple[SegmentRow, ...]
    runs: tuple[RunRow, ...]
    pruned: tuple[PrunedRow, ...]
    statements: tuple[StatementRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMedia:
    """A digest that the store holds, verified against lines of this unit.

    ``utc_us`` is since when, where that is known better than by the changes that it is part of.
    """

    name: UnitName
    sha256: str
    utc_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """Where a unit has recorded a digest, and whether the store holds it for the unit."""

    sha256: str
    size_bytes: int
    session: str
    camera: str
    run: int
    index: int
    stored: bool

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Session, camera, run and index."""
        return self.session, self.camera, self.run, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """A receipt: what it speaks of (``subject``), and where it lies in the journal."""

    name: UnitName
    kind: Acknowledged
    subject: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes true together; ``utc_us`` is the archive's time then, None where it has none."""

    lines: tuple[NewLines, ...] = ()
    media: tuple[NewMedia, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    utc_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """A unit as it stands. ``heard_us`` is when lines of it came last, by the archive's clock.

    ``changed`` is the number of the last commit that concerned it: it grows, over all units.
    """

    name: UnitName
    state: str
    heard_us: int | None
    changed: int


MOST_SEGMENTS = 10_000
"""Of one question: five hours of a camera. Who signs more for one range of time gets no longer an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSegment:
    """A ``segment`` or ``recovered`` line, and what the archive has of it.

    ``arrival`` numbers what is stored in the order in which it came, over all units; ``stored_us`` is when, by the
    archive's clock. ``init_sha256`` and ``run_seq`` are of its ``run`` line, ``start_seq`` of its session's ``start``.
    """

    name: UnitName
    branch: int
    seq: int
    session: str
    boot_id: str
    segment: Segment
    stored: bool
    wanted: bool
    pruned: bool
    stored_us: int | None
    arrival: int | None
    init_sha256: str | None
    run_seq: int | None
    start_seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A line that names no media to be delivered, as it was signed; ``heard_us`` is when it came."""

    branch: int
    seq: int
    session: str
    boot_id: str
    heard_us: int | None
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRow:
    """What a line says of UTC in its boot, where the clock was synchronised."""

    branch: int
    seq: int
    boot_id: str
    boot_ns: int
    utc_us: int
    error_us: int
