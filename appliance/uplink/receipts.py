"""The archive's receipts: checked before they are kept, and laid where the recorder takes them from.

An entry is a JSON object with ``receipt`` and ``places`` in a file of its own; names sort oldest first. The recorder
remembers the newest name that it has dealt with, so a new name is greater than every one before it, also after the
uplink has lost everything it knew: it begins with the ``seq`` of the durable head.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.durable import Disk
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.receipt import Acknowledged, Receipt, read_receipt

ENTRY_BYTES = 64 << 10
Place = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The record that receipts are held against."""

    election: str
    station: str
    unit: str


def read_stored(text: str, trust: Trust, whose: Whose, asked: Collection[str] | None) -> Receipt:
    """A *stored* receipt, for all of ``asked`` and nothing else where that is given.

    Raises EvidenceError with ``receipt-refused``: whoever gave it is not to be believed.
    """
    receipt = _read(text, trust, whose, Acknowledged.STORED)
    if asked is not None and set(receipt.media) != set(asked):
        raise EvidenceError(Code.RECEIPT_REFUSED, "the receipt is for other media than were asked for")
    return receipt


def read_logged(text: str, trust: Trust, whose: Whose, seq: int, sha256: str) -> Receipt:
    """A *logged* receipt for the line ``seq``. Raises EvidenceError with ``receipt-refused``."""
    receipt = _read(text, trust, whose, Acknowledged.LOGGED)
    if (receipt.seq, receipt.sha256) != (seq, sha256):
        raise EvidenceError(Code.RECEIPT_REFUSED, "the receipt is for another line than the archive's head")
    return receipt


def _read(text: str, trust: Trust, whose: Whose, kind: Acknowledged) -> Receipt:
    if not trust.roots:
        raise EvidenceError(Code.RECEIPT_REFUSED, "no election root is known to check the receipt with")
    receipt = read_receipt(text, trust)
    if receipt.kind is not kind:
        raise EvidenceError(Code.RECEIPT_REFUSED, f"the receipt is {receipt.kind}, not {kind}")
    if (receipt.election, receipt.station, receipt.unit) != (whose.election, whose.station, whose.unit):
        raise EvidenceError(Code.RECEIPT_REFUSED, "the receipt is another unit's")
    return receipt


class ReceiptFolder:
    """The entries. One thread calls it; nobody else writes there."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Raises OSError where there can be no such folder."""
        self._folder = folder
        self._disk = disk
        disk.make_directory(folder)

    def names(self) -> list[str]:
        """All entries, oldest first."""
        return sorted(path.name for path in self._folder.iterdir() if path.suffix == ".json")

    def lay(self, head_seq: int, receipt: str, places: Sequence[Place]) -> str:
        """A new entry, durable on return; its name. Raises OSError, as where the disk is full."""
        name = next_name(head_seq, self.names())
        members = {"receipt": receipt, "places": [list(place) for place in sorted(places)]}
        self._disk.put(self._folder / name, json.dumps(members, separators=(",", ":")).encode())
        return name

    def receipt(self, name: str) -> str | None:
        """The receipt of an entry, not checked; None where it is no entry."""
        try:
            with (self._folder / name).open("rb") as file:
                members = json.loads(file.read(ENTRY_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        text = members.get("receipt") if isinstance(members, dict) else None
        return text if isinstance(text, str) else None

    def remove(self, name: str) -> None:
        """Take an entry away."""
        self._disk.remove(self._folder / name)


def next_name(head_seq: int, names: Sequence[str]) -> str:
    """A name behind all of ``names``."""
    first = f"{head_seq:012d}-{0:06d}.json"
    last = max(names, default="")
    if last < first:
        return first
    begin, _, number = last.removesuffix(".json").rpartition("-")
    if begin.isdecimal() and number.isdecimal():
        return f"{begin}-{int(number) + 1:06d}.json"
    # Not a name of ours: behind it all the same.
    return f"{last.removesuffix('.json')}~{first}"
