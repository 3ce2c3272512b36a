"""The archive's receipts: checked before they are kept (base/receiptfolder.py)."""

from collections.abc import Collection
from dataclasses import dataclass

from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.receipt import Acknowledged, Receipt, read_receipt


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
