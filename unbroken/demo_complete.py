"""Is everything delivered? Asked of both sides: what the station says, and what lies in the archive's folder."""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from evidence import jws
from evidence.lines import Segment, read_payload
from evidence.words import Mode
from unbroken.demo_archive import DemoArchive
from unbroken.demo_station import DemoStation


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """What is missing by each side, in words; None where nothing is."""

    lines: int
    segments: int
    station: str | None
    archive: str | None

    @property
    def complete(self) -> bool:
        """Whether neither misses anything."""
        return self.station is None and self.archive is None

    def __str__(self) -> str:
        if self.complete:
            return (
                f"complete on both sides: {self.lines} lines and {self.segments} armed segments;"
                " the station holds their receipts, the archive the same bytes"
            )
        told = (("the station", self.station), ("the archive", self.archive))
        return "not complete: " + "; ".join(f"{side}: {text}" for side, text in told if text is not None)


def look(station: DemoStation, archive: DemoArchive) -> BothSides:
    """Hold both sides against the station's disk, whose recorder has ended. Hashes what the archive has."""
    ledger = (station.data / "ledger.jws").read_bytes()
    armed = _armed(ledger)
    return BothSides(
        lines=ledger.count(b"\n"),
        segments=len(armed),
        station=by_station(station, len(armed)),
        archive=_by_archive(station, archive, ledger, armed),
    )


def by_station(station: DemoStation, armed: int | None = None) -> str | None:
    """What the station's uplink says is missing. ``armed`` is how many receipts it should have, where that is known."""
    status: dict[str, object] = {}
    head: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError):
        status = json.loads((station.run / "uplink.json").read_bytes())
        head = json.loads((station.run / "head.json").read_bytes())
    if not status or not head:
        return "its uplink says nothing"
    if status["sent_seq"] != head["seq"]:
        return (
            f"of lines up to {head['seq']} those behind {status['sent_seq']} wait. {status['why_not'] or ''}".rstrip()
        )
    for state, what in (("waiting", "wait"), ("held", "have no receipt yet"), ("lost", "are lost")):
        if status[f"media_{state}"]:
            return f"{status[f'media_{state}']} segments {what}"
    if status["quarantined"]:
        return f"{status['quarantined']} segments were refused"
    if armed is not None and status["media_receipted"] != armed:
        return f"{status['media_receipted']} of {armed} armed segments have receipts"
    return None


def _by_archive(station: DemoStation, archive: DemoArchive, ledger: bytes, armed: set[str]) -> str | None:
    branches = sorted((archive.data / "ledgers" / station.name / station.unit).glob("*.jws"))
    if [branch.read_bytes() for branch in branches] != [ledger]:
        return f"{len(branches)} ledgers, where one like the station's was due"
    wrong = [sha256 for sha256 in armed if _sha256(archive.data / "cas" / sha256[:2] / sha256) != sha256]
    return f"{len(wrong)} segments are missing or damaged" if wrong else None


def _armed(ledger: bytes) -> set[str]:
    """Digests of the media that may leave the station."""
    bodies = [read_payload(jws.unseal(text).payload).body for text in ledger.splitlines()]
    return {body.sha256 for body in bodies if isinstance(body, Segment) and body.mode is not Mode.UNARMED}


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
