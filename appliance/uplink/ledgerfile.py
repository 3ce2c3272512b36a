"""The recorder's ledger as another process may read it: up to the durable head, not a byte further (invariant 3)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evidence import jws
from evidence.errors import EvidenceError
from evidence.lines import Line, line_hash, read_payload
from evidence.members import HASH, decode, member, natural

HEAD_BYTES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableHead:
    """The newest line that a power cut can no longer take, and the length of the ledger with it."""

    seq: int = member(natural)
    sha256: str = member(HASH)
    size_bytes: int = member(natural)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    """A line, its digest, and where it lies: from ``begin_bytes`` to before ``end_bytes``, its LF with it."""

    seq: int
    sha256: str
    begin_bytes: int
    end_bytes: int
    line: Line


def read_head(path: Path) -> DurableHead | None:
    """What the recorder has published; None where it has not, or where that is not to be read."""
    try:
        with path.open("rb") as file:
            members = json.loads(file.read(HEAD_BYTES))
        return decode(DurableHead, members) if isinstance(members, dict) else None
    except (OSError, ValueError, RecursionError):
        return None


def read_lines(file: BinaryIO, begin_bytes: int, end_bytes: int) -> Iterator[PlacedLine]:
    """The lines between two offsets. What is no line is passed over: whether that matters is for the archive to say."""
    file.seek(begin_bytes)
    at = begin_bytes
    while at < end_bytes and (text := file.readline(min(jws.MAX_BYTES, end_bytes - at))):
        at += len(text)
        if text.endswith(b"\n"):
            try:
                line = read_payload(jws.unseal(text[:-1]).payload)
            except EvidenceError:
                continue
            yield PlacedLine(
                seq=line.seq, sha256=line_hash(text[:-1]), begin_bytes=at - len(text), end_bytes=at, line=line
            )


def stands(file: BinaryIO, begin_bytes: int, end_bytes: int, sha256: str) -> bool:
    """Whether the line with that digest still lies there."""
    file.seek(begin_bytes)
    text = file.read(end_bytes - begin_bytes)
    return text.endswith(b"\n") and line_hash(text[:-1]) == sha256
