"""Ledger files, read line by line with bounded memory."""

import errno
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.files import open_regular
from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.lines import Start, read_payload

_BLOCK_BYTES = 1 << 20
MAX_UNREADABLE_LINES = 65_536
"""After so many lines in a row that cannot be read, the rest of a file is not looked at (spec/verify.md, 2.1)."""


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
    with open_regular(path) as file:
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
            if skipping:
                _pass_hole(file)
    if rest:
        yield RawLine(rest[:MAX_BYTES], end, True)


def read_names(path: Path) -> tuple[str, str, str] | None:
    """Election, station and unit of the first ``start`` line that can be read; nothing is checked."""
    unreadable = 0
    for line in read_lines(path):
        try:
            body = read_payload(unseal(line.text).payload).body
        except EvidenceError:
            unreadable += 1
            if unreadable == MAX_UNREADABLE_LINES:
                break
            continue
        unreadable = 0
        if isinstance(body, Start):
            return body.election, body.station, body.unit
    return None


def _pass_hole(file: io.FileIO) -> None:
    """A sparse file takes no room and can be of any length: where it holds nothing, no line can end."""
    try:
        file.seek(file.tell(), os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole up to the end
            file.seek(0, os.SEEK_END)
