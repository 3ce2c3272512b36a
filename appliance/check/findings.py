"""What a check of the disk says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How closely the disk is looked at. Each level holds the ones before it."""

    PRESENCE = "presence"
    """Every file that the ledger names is there."""
    SIZE = "size"
    """It is as long as the ledger says."""
    HASH = "hash"
    """The disk gives back the bytes that were signed, read past the page cache."""
    CHAIN = "chain"
    """Everything that ``unbroken verify`` checks, signatures and continuity included."""

    def includes(self, other: "Level") -> bool:
        """Whether this level does what ``other`` does."""
        order = list(Level)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as the ledger says. ``path`` is relative to the unit's folder, ``line`` the number of the
    line in the file, from 1, where one says it.
    """

    path: str
    line: int | None
    what: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was looked at, and what was found. ``notes`` are files that no line names: they count for nothing.

    ``read_bytes`` is what was read and hashed, ``named_bytes`` what the files looked at are long; the ledger is in
    neither.
    """

    level: Level
    lines: int
    files: int
    named_bytes: int
    read_bytes: int
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
