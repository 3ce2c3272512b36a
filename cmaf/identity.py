"""The identity box: what a segment file says of itself, in its first box (spec/segment.md, section 4)."""

from typing import Final

from cmaf.boxes import HEADER_BYTES, box, box_end
from cmaf.errors import MediaError

IDENTITY_UUID: Final = bytes.fromhex("8b6231613f9c54fbbc2367a5f473c8e2")
"""Extended type (ISO/IEC 14496-12, 4.2): UUID version 5 of https://unbroken.example/identity/1."""

MAX_BOX_BYTES: Final = 65_536
"""No identity box is longer, header included."""

_PAYLOAD_AT = HEADER_BYTES + len(IDENTITY_UUID)


def identity_box(payload: bytes) -> bytes:
    """A ``uuid`` box around ``payload``, which is opaque here. Raises MediaError if it is empty or too long."""
    if not 1 <= len(payload) <= MAX_BOX_BYTES - _PAYLOAD_AT:
        raise MediaError(f"identity box: payload of {len(payload)} bytes")
    return box(b"uuid", IDENTITY_UUID, payload)


def find_identity(data: memoryview) -> tuple[bytes, int]:
    """The payload of the identity box that ``data`` begins with, and where the box ends. Raises MediaError."""
    end = box_end(data, 0, b"uuid", min(len(data), MAX_BOX_BYTES))
    if data[HEADER_BYTES:_PAYLOAD_AT] != IDENTITY_UUID:
        raise MediaError("byte 8: not the identity box's extended type")
    if end <= _PAYLOAD_AT:
        raise MediaError("byte 0: empty identity box")
    return bytes(data[_PAYLOAD_AT:end]), end
