"""What a proof box holds: ledger lines and receipts, as they were signed (spec/clip.md, section 3).

One box precedes each segment and proves it by itself, as far as that goes: a clip may be cut wherever one begins.
"""

from dataclasses import dataclass

from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.lines import Line, read_payload
from evidence.receipt import RECEIPT_TYP

MAX_TEXTS = 4_096
"""Lines and receipts in one box; what is more is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The texts of a box, each without its LF. ``lines`` are whatever is not a receipt, in the order of the box."""

    lines: tuple[bytes, ...]
    receipts: tuple[bytes, ...] = ()


def write_proof(proof: Proof) -> bytes:
    """The payload of a box: the lines, then the receipts, each with an LF."""
    return b"".join(text + b"\n" for text in (*proof.lines, *proof.receipts))


def read_proof(payload: bytes) -> Proof:
    """The proof in a box, whatever it is worth: nothing is checked here."""
    lines: list[bytes] = []
    receipts: list[bytes] = []
    for text in payload.split(b"\n", MAX_TEXTS)[:MAX_TEXTS]:
        if text:
            (receipts if _is_receipt(text) else lines).append(text[:MAX_BYTES])
    return Proof(lines=tuple(lines), receipts=tuple(receipts))


def peek_line(text: bytes) -> Line | None:
    """What a line says, whoever signed it; None where it cannot be read."""
    try:
        return read_payload(unseal(text).payload)
    except EvidenceError:
        return None


def _is_receipt(text: bytes) -> bool:
    try:
        unseal(text, RECEIPT_TYP)
    except EvidenceError:
        return False
    return True
