"""Ledger files, read line by line with bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.lines import Start, read_payload

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line without its LF; of one that is too long, as much as shows that. ``torn`` is what follows the last LF."""

    text: bytes
    end: int
    torn: bool


def read_lines(path: Path) -> Iterator[RawLine]:
    """The lines of a ledger file; ``end`` is how many bytes of the file are read with it."""
    rest = b""
    skipping = False
    end = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            parts = (rest + block).split(b"\n")
            rest = parts.pop()
            end += len(block)
            for text in parts:
                if skipping:
                    skipping = False
                else:
                    yield RawLine(text[:MAX_BYTES], end, False)
            if len(rest) > MAX_BYTES:
                if not skipping:
                    yield RawLine(rest[:MAX_BYTES], end, False)
                rest, skipping = b"", True
    if rest:
        yield RawLine(rest[:MAX_BYTES], end, True)


def read_names(path: Path) -> tuple[str, str, str] | None:
    """Election, station and unit of the first ``start`` line that can be read; nothing is checked."""
    for line in read_lines(path):
        try:
            body = read_payload(unseal(line.text).payload).body
        except EvidenceError:
            continue
        if isinstance(body, Start):
            return body.election, body.station, body.unit
    return None
