"""A ledger's lines without their signatures, with bounded memory, as they stood when reading began."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.lines import Line, read_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedLine:
    """The ``number``-th line of the file, from 1. ``line`` is None where it cannot be read, and ``reason`` says why.
    ``kid`` names the key that it says it is signed with: the session, but for a ``start`` line. ``size`` is its length
    in the file.
    """

    number: int
    size: int
    kid: str
    line: Line | None
    reason: str = ""


def whole_lines(path: Path, begin: int, end: int, first: int = 1) -> Iterator[NumberedLine]:
    """The lines between two offsets of the file. What follows the last LF before ``end`` is being written, or torn: no
    line yet. Raises OSError.
    """
    with path.open("rb") as file:
        file.seek(begin)
        number = first
        while (text := _next_line(file, end)) is not None:
            yield _read(number, file.tell() - begin, text)
            begin = file.tell()
            number += 1


def _next_line(file: BinaryIO, end: int) -> bytes | None:
    """The next line without its LF, or None at the end; of one that is too long, as much as shows that."""
    text = file.readline(min(MAX_BYTES, end - file.tell()))
    rest = text
    while rest and not rest.endswith(b"\n"):
        rest = file.readline(min(MAX_BYTES, end - file.tell()))
    return text.removesuffix(b"\n") if rest else None


def _read(number: int, size: int, text: bytes) -> NumberedLine:
    try:
        token = unseal(text)
        return NumberedLine(number=number, size=size, kid=token.kid, line=read_payload(token.payload))
    except EvidenceError as error:
        return NumberedLine(number=number, size=size, kid="", line=None, reason=str(error))
