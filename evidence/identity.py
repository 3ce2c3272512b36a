"""What a segment file says of itself (spec/segment.md, section 4)."""

from dataclasses import dataclass

from evidence import base64url, jws
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.members import (
    BOOT_ID,
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
    positive,
)
from evidence.words import Mode

MAX_BYTES = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Claims of one segment; its ledger line makes them evidence. ``avcc`` is the decoder configuration record."""

    v: int = member(positive)
    election: str = member(NAME)
    station: str = member(NAME)
    unit: str = member(NAME)
    camera: str = member(NAME)
    boot_id: str = member(BOOT_ID)
    session: str = member(HASH)
    run: int = member(natural)
    index: int = member(natural)
    mode: Mode = member(one_of(Mode))
    boot_ns: int = member(natural)
    utc_us: int | None = member(nullable(integer))
    error_us: int | None = member(nullable(natural))
    width: int = member(positive)
    height: int = member(positive)
    timescale: int = member(positive)
    avcc: bytes = member(binary)


def write_identity(identity: Identity) -> bytes:
    """The payload of the identity box."""
    members = encode(identity)
    members["avcc"] = base64url.encode(identity.avcc)
    return jws.compose(members)


def read_identity(payload: bytes) -> Identity:
    """The identity in a box's payload. Raises EvidenceError with ``media-malformed`` or ``version-unknown``."""
    if len(payload) > MAX_BYTES:
        raise EvidenceError(Code.MEDIA_MALFORMED, f"the identity has {len(payload)} bytes; at most {MAX_BYTES} may be")
    try:
        identity = decode(Identity, jws.parse(payload))
    except ValueError as error:
        raise EvidenceError(Code.MEDIA_MALFORMED, f"identity: {error}") from error
    if identity.v != 1:
        raise EvidenceError(Code.VERSION_UNKNOWN, f"version {identity.v} of the identity; this reader knows 1")
    return identity
