"""A segment on its way in: what its head announces, its draft, its line (spec/upload.md, section 3)."""

import base64
import binascii
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from archive.ingest.refusal import RefusedError
from archive.store.spool import Draft, Spool
from cmaf.content import ContentReader
from evidence.codes import MEANINGS, Code
from evidence.lines import MAX_SEGMENT_BYTES
from evidence.verify.content import read_facts
from evidence.verify.media import Expected, Fault, judge

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:$|[,;])")
_URGENCY = re.compile(r"(?:^|,)\s*u=([0-7])\s*(?:$|[,;])")
_ORDINARY_URGENCY = 3
"""Where nothing is said (RFC 9218, section 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What the head of a request says of its body."""

    sha256: str
    size_bytes: int
    urgency: int


def read_head(sha256: str, *, content_type: str, length: int | None, digest: str, priority: str) -> Announced:
    """The headers of an upload. Raises RefusedError: 400, 411, 413 or 415."""
    if not _DIGEST.fullmatch(sha256):
        raise RefusedError(400, "form", "the name is not 64 lower-case hex digits")
    if content_type != "video/mp4":
        raise RefusedError(415, "form", "Content-Type is not video/mp4")
    if length is None:
        raise RefusedError(411, "form", "Content-Length is missing")
    if length > MAX_SEGMENT_BYTES:
        raise RefusedError(413, "form", f"a segment has at most {MAX_SEGMENT_BYTES} bytes")
    if length == 0:
        raise RefusedError(400, "form", "the body is empty")
    if _read_digest(digest) != sha256:
        raise RefusedError(400, "form", "Repr-Digest is not sha-256 of the name")
    urgency = _URGENCY.search(priority)
    return Announced(sha256=sha256, size_bytes=length, urgency=int(urgency[1]) if urgency else _ORDINARY_URGENCY)


class Reading(threading.local):
    """What takes files apart, for each thread its own: it remembers the stream of the last one."""

    def __init__(self) -> None:
        self.container = ContentReader()


class Incoming:
    """A body that is becoming a draft. One thread at a time calls it; each call may block."""

    def __init__(self, spool: Spool, reading: Reading) -> None:
        self._spool, self._reading = spool, reading
        self._draft: Draft | None = None

    def write(self, blocks: Sequence[bytes]) -> Draft:
        """What has come, behind what came before. Raises OSError; then it is to be discarded."""
        if self._draft is None:
            self._draft = self._spool.begin()
        self._draft.write(blocks[0] if len(blocks) == 1 else b"".join(blocks))
        return self._draft

    def end(self, blocks: Sequence[bytes], announced: Announced, named: Sequence[Expected]) -> Draft | Fault:
        """The rest. What is wrong with the whole, and then nothing of it is left; else the draft, which is given away.

        Raises OSError; then it is to be discarded.
        """
        draft = self.write(blocks)
        fault = _judge(draft, announced, named, self._reading.container)
        if fault is not None:
            draft.discard()
        self._draft = None
        return fault or draft

    def discard(self) -> None:
        """Nothing of it is left. Idempotent."""
        if self._draft is not None:
            self._draft.discard()
            self._draft = None


def judge_size(announced: Announced, named: Sequence[Expected]) -> Fault | None:
    """What is wrong with the length, before a byte has come: no room is set aside for what no line names."""
    sizes = {expected.segment.size for expected in named}
    if announced.size_bytes in sizes:
        return None
    return Fault(code=Code.MEDIA_CHANGED, detail=f"{announced.size_bytes} bytes, the line says {min(sizes)}")


def refuse(fault: Fault) -> RefusedError:
    """The answer to bytes with a fault."""
    return RefusedError(422, fault.code, f"{MEANINGS[fault.code].sentence} {fault.detail}".strip())


def _read_digest(header: str) -> str | None:
    """The SHA-256 of a Repr-Digest header (RFC 9530) as hex digits; None where it has none."""
    found = _SHA256.search(header)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except binascii.Error:
        return None


def _judge(draft: Draft, announced: Announced, named: Sequence[Expected], container: ContentReader) -> Fault | None:
    """What is wrong with the bytes; None where they check against one of the lines that name them."""
    if (draft.sha256, draft.size_bytes) != (announced.sha256, announced.size_bytes):
        return Fault(code=Code.MEDIA_CHANGED, detail=f"{draft.size_bytes} bytes with the digest {draft.sha256}")
    with draft.view() as data:
        facts = read_facts(data, container, draft.sha256)
    first: Fault | None = None
    for expected in named:
        faults = judge(expected, facts)
        if not faults:
            return None
        first = first or faults[0]
    return first
