"""What the archive has found of a unit that does not count, or that somebody must look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from archive.names import UnitName
from evidence.codes import MEANINGS, Code


class Oddity(StrEnum):
    """What a verifier has no code for: it is found where units and archive meet."""

    WRONG_ELECTION = "wrong-election"
    WRONG_STATION = "wrong-station"
    WRONG_UNIT = "wrong-unit"
    WRONG_ROLE = "wrong-role"
    UNKNOWN_PEER = "unknown-peer"
    TOO_MANY_BRANCHES = "too-many-branches"
    SIGNED_TWICE = "signed-twice"
    LOST_BY_ARCHIVE = "lost-by-archive"


FindingCode = Code | Oddity
_SENTENCES = {
    Oddity.WRONG_ELECTION: "Lines or a certificate of another election were brought.",
    Oddity.WRONG_STATION: "Lines of another station were brought.",
    Oddity.WRONG_UNIT: "Lines of another unit were brought.",
    Oddity.WRONG_ROLE: "A certificate that is no uplink's was used to connect.",
    Oddity.UNKNOWN_PEER: "Somebody without a certificate of the election has tried to connect.",
    Oddity.TOO_MANY_BRANCHES: "A unit has sent more histories than are kept as branches.",
    Oddity.SIGNED_TWICE: "A unit has signed one line twice; both say the same.",
    Oddity.LOST_BY_ARCHIVE: "The archive has lost media that it had taken in.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found once more. ``name`` is None where it is no unit's.

    Findings of a unit with one ``subject`` are one. ``code`` and ``detail`` of the latest stand: a fork becomes another
    one where an abandoned branch grows. ``count`` is how often it was found this time, 0 where it is only seen anew.
    ``evidence`` is the digest of the lines that were kept aside for it.
    """

    name: UnitName | None
    subject: str
    code: FindingCode
    detail: str
    seq: int | None = None
    utc_us: int | None = None
    count: int = 1
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding as it stands: found ``count`` times, from ``first_us`` to ``last_us`` (None: the time was unknown)."""

    name: UnitName | None
    subject: str
    code: FindingCode
    detail: str
    seq: int | None
    first_us: int | None
    last_us: int | None
    count: int
    evidence: str | None


def lost_by_archive(name: UnitName, sha256: str, utc_us: int | None) -> Finding:
    """Media that were taken in and are not there, or are other bytes now."""
    code = Oddity.LOST_BY_ARCHIVE
    return Finding(name=name, subject=f"{code}:{sha256}", code=code, detail=sha256, utc_us=utc_us)


def read_code(text: str) -> FindingCode:
    """The code with this name. Raises ValueError."""
    try:
        return Oddity(text)
    except ValueError:
        return Code(text)


def sentence(code: FindingCode) -> str:
    """What a code means, for people."""
    return _SENTENCES[code] if isinstance(code, Oddity) else MEANINGS[code].sentence


def describe_finding(row: FindingRow) -> str:
    """One line for a person."""
    seq = "" if row.seq is None else f", line {row.seq}"
    times = "once" if row.count == 1 else f"{row.count:,} times"
    return f"{row.name or 'no unit'}: {row.code}{seq}, {times}, last {_moment(row.last_us)}: {printable(row.detail)}"


def as_json(election: str, rows: Sequence[FindingRow]) -> dict[str, object]:
    """``unbroken archive findings --json``: docs/reference/archive.md has the members."""
    return {
        "schema": "unbroken-findings-1",
        "election": election,
        "findings": [
            {
                "station": None if row.name is None else row.name.station,
                "unit": None if row.name is None else row.name.unit,
                "code": row.code.value,
                "meaning": sentence(row.code),
                "seq": row.seq,
                "first_us": row.first_us,
                "last_us": row.last_us,
                "count": row.count,
                "detail": row.detail,
                "evidence": row.evidence,
            }
            for row in rows
        ],
    }


def printable(text: str) -> str:
    """What came from outside does nothing to a terminal, and can be written to it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _moment(utc_us: int | None) -> str:
    if utc_us is None:
        return "at an unknown time"
    return f"{datetime.fromtimestamp(utc_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
