"""The receipts that go with a clip's segments, found in the journal near the time at which they were given."""

from collections.abc import Callable, Sequence
from pathlib import Path

from archive.index.rows import HeldSegment, ReceiptRow
from evidence.errors import EvidenceError
from evidence.jws import parse, unseal
from evidence.receipt import RECEIPT_TYP, Acknowledged

_LATER_US = 900_000_000
"""So long after media came to the archive a receipt for them is looked for; a unit asks within seconds."""
_EARLIER_US = 60_000_000
"""By so much the archive's clock may have been set back in between."""
_MOST_READ = 4_096
"""Receipts read for one clip; what has none by then goes without."""


def receipts_for(rows: Sequence[HeldSegment], receipts: Sequence[ReceiptRow], journal: Path) -> dict[str, bytes]:
    """*Stored* receipts by the digests of ``rows`` that they name. ``receipts`` are the unit's, in the order in which
    they were given. What cannot be read is as if it were not there: a clip proves itself without it.
    """
    wanted = {row.segment.sha256 for row in rows}
    stored = [row for row in receipts if row.kind is Acknowledged.STORED]
    came_us = sorted(row.stored_us for row in rows if row.stored_us is not None)
    if not stored or not came_us:
        return {}
    found: dict[str, bytes] = {}
    try:
        with journal.open("rb") as file:

            def read(row: ReceiptRow) -> tuple[bytes, int, Sequence[str]]:
                file.seek(row.offset)
                return _read(file.read(row.size_bytes))

            for row in stored[_first_at(stored, came_us[0] - _EARLIER_US, lambda each: read(each)[1]) :][:_MOST_READ]:
                text, utc_us, media = read(row)
                found.update(dict.fromkeys(wanted.intersection(media), text))
                if len(found) == len(wanted) or utc_us > came_us[-1] + _LATER_US:
                    break
    except OSError:
        return found
    return found


def _first_at(rows: Sequence[ReceiptRow], utc_us: int, time_of: Callable[[ReceiptRow], int]) -> int:
    """The place of the first one that was given at a time or later."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if time_of(rows[middle]) < utc_us:
            low = middle + 1
        else:
            high = middle
    return low


def _read(text: bytes) -> tuple[bytes, int, Sequence[str]]:
    """A receipt, when it was given, and which media it names; nothing of it is checked here."""
    try:
        members = parse(unseal(text, RECEIPT_TYP).payload)
    except EvidenceError:
        return text, 0, ()
    utc_us, media = members.get("utc_us"), members.get("media")
    return (
        text,
        utc_us if isinstance(utc_us, int) else 0,
        [each for each in media if isinstance(each, str)] if isinstance(media, list) else (),
    )
