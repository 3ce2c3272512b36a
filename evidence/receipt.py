"""What the archive signs when it has taken something in (spec/receipt.md)."""

from dataclasses import dataclass
from enum import StrEnum

from evidence import base64url, jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import PublicKey, Signer
from evidence.members import (
    DIGEST,
    HASH,
    NAME,
    binary,
    decode,
    encode,
    integer,
    member,
    natural,
    nullable,
    one_of,
    optional,
    tuple_of,
)

RECEIPT_TYP = "unbroken-receipt-1"
MAX_BYTES = 16_384
MAX_MEDIA = 128


class Acknowledged(StrEnum):
    """What a receipt speaks of."""

    LOGGED = "logged"
    STORED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Section 2. ``seq`` and ``sha256`` belong to LOGGED, ``media`` to STORED."""

    kind: Acknowledged = member(one_of(Acknowledged))
    election: str = member(NAME)
    station: str = member(NAME)
    unit: str = member(NAME)
    archive: str = member(NAME)
    utc_us: int = member(integer)
    certs: tuple[bytes, ...] = member(tuple_of(binary, 1, 4))
    seq: int | None = optional(nullable(natural), None)
    sha256: str | None = optional(nullable(HASH), None)
    media: tuple[str, ...] = optional(tuple_of(DIGEST, 1, MAX_MEDIA), ())


def write_receipt(receipt: Receipt, signer: Signer) -> str:
    """``receipt`` signed, as text without LF. Raises ValueError where it is none that a reader would take."""
    _check(receipt)
    members = encode(receipt)
    members["certs"] = [base64url.encode(der) for der in receipt.certs]
    if receipt.media:
        members["media"] = list(receipt.media)
    text = jws.seal(jws.compose(members), signer, RECEIPT_TYP)
    if len(text) > MAX_BYTES:
        raise ValueError(f"a receipt of {len(text)} bytes")
    return text.decode()


def read_receipt(text: str, trust: Trust) -> Receipt:
    """Steps 1 to 4 of section 4; whose it is (step 5) is for the caller. Raises EvidenceError, ``receipt-refused``."""
    try:
        if len(text) > MAX_BYTES:
            raise ValueError("it is too long")
        token = jws.unseal(text.removesuffix("\n").encode("ascii"), RECEIPT_TYP)
        receipt = decode(Receipt, jws.parse(token.payload))
        _check(receipt)
        certified = trust.check(receipt.certs)
        if (certified.subject.role, certified.subject.election) != ("receipt", receipt.election):
            raise ValueError("its key is not a receipt key of its election")
        if not certified.from_us <= receipt.utc_us <= certified.to_us:
            raise ValueError("its key was not valid at the time that it names")
        if certified.revoked_us is not None and receipt.utc_us >= certified.revoked_us:
            raise ValueError("its key had been revoked")
        if certified.kid != token.kid or not PublicKey(certified.point).verifies(token.signed, token.signature):
            raise ValueError("its signature does not check")
    except ValueError as error:
        raise EvidenceError(Code.RECEIPT_REFUSED, f"the receipt is refused: {error}") from error
    return receipt


def _check(receipt: Receipt) -> None:
    logged = receipt.seq is not None and receipt.sha256 is not None and not receipt.media
    stored = receipt.seq is None and receipt.sha256 is None and bool(receipt.media)
    if not (logged if receipt.kind is Acknowledged.LOGGED else stored):
        raise ValueError(f"a receipt of the kind {receipt.kind} has other members")
    if list(receipt.media) != sorted(set(receipt.media)):
        raise ValueError("its media are not in order, each once")
