"""What the index holds, as values. ``name`` says whose; numbers of branches are those of the ledger files."""

from dataclasses import dataclass

from archive.finding import Finding
from archive.names import UnitName
from evidence.lines import Run, Segment
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
    """A line of a branch, and where it lies in the branch's file, without its LF."""

    seq: int
    sha256: str
    offset: int
    size_bytes: int
    boot_ns: int
    start: bool


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
class NewLines:
    """Lines that a branch has grown by; ``branch`` is as it stands behind them."""

    name: UnitName
    branch: BranchRow
    lines: tuple[LineRow, ...]
    segments: tuple[SegmentRow, ...]
    runs: tuple[RunRow, ...]
    pruned: tuple[PrunedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMedia:
    """A digest that the store holds, verified against lines of this unit."""

    name: UnitName
    sha256: str


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
    """What becomes true together."""

    lines: tuple[NewLines, ...] = ()
    media: tuple[NewMedia, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()
    findings: tuple[Finding, ...] = ()
