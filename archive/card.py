"""A unit's card, or a copy of it, as a courier finds it: whose it is, its lines, its media. It is only read.

Everything here may be torn, damaged, missing or made to deceive; what is not readable is said and passed by.
"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.ingest.reading import peek
from archive.names import UnitName
from base.direct import DirectFile
from evidence import jws
from evidence.errors import EvidenceError
from evidence.lines import Start, line_hash
from evidence.members import NAME

MOST_LINES = 2_048
MOST_BYTES = 1 << 20
"""Of one batch, as of one request (spec/upload.md, section 2)."""
_IDENTITY_BYTES = 1 << 16
_LEDGER, _IDENTITY, _GUESTS, _BRANCHES = "ledger.jws", "unit.json", "guests", "branches"


class CardError(Exception):
    """A file that is there and cannot be read, or is no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One unit's folder. ``ledgers`` holds its ledger, and branches where a salvage has found any."""

    folder: Path
    ledgers: tuple[Path, ...]

    def media(self, session: str, camera: str, run: int, index: int) -> Path:
        """Where a segment lies (spec/segment.md, section 2)."""
        return self.folder / "media" / session / camera / str(run) / f"{index:06d}.m4s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines without LF, each following the one before. ``joined``: the first follows the batch before it."""

    from_seq: int
    texts: tuple[bytes, ...]
    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes that are no line. ``torn``: an unfinished last line, as every power cut may leave one."""

    offset: int
    reason: str
    torn: bool = False


def find_records(path: Path) -> tuple[list[Record], list[str]]:
    """Every record in a folder, guests' among them, in the order of names; and what could not be looked into."""
    found: list[Record] = []
    unread: list[str] = []
    for where, folders, files in os.walk(path, onerror=lambda error: unread.append(str(error))):
        folders.sort()
        folder = Path(where)
        if _LEDGER in files or _IDENTITY in files:
            branches = sorted((folder / _BRANCHES).glob("*.jws")) if _BRANCHES in folders else []
            # The unit's own comes last: the archive takes the branch that grew last for the one that a unit is on.
            ledgers = [*branches, folder / _LEDGER] if _LEDGER in files else branches
            found.append(Record(folder=folder, ledgers=tuple(ledgers)))
            folders[:] = [each for each in folders if each == _GUESTS]
    return found, unread


def whose(record: Record) -> UnitName | None:
    """The unit, as its first readable ``start`` says, else its ``unit.json``. None where neither does.

    Nothing of that is believed: lines are taken in only where they verify for this unit.
    """
    for ledger in record.ledgers:
        for found in read_batches(ledger):
            bodies = (peek(text).body for text in found.texts) if isinstance(found, Batch) else ()
            for body in bodies:
                if isinstance(body, Start):
                    return UnitName(station=body.station, unit=body.unit)
    try:
        members = json.loads(read_file(record.folder / _IDENTITY, _IDENTITY_BYTES))
        return UnitName(station=NAME(members["station"]), unit=NAME(members["unit"]))
    except (OSError, CardError, ValueError, TypeError, KeyError, RecursionError):
        return None


def read_batches(ledger: Path) -> Iterator[Batch | Damage]:
    """The lines of a ledger, in its order, and what is none. Raises nothing."""
    try:
        yield from _join(_lines(ledger))
    except CardError as error:
        yield Damage(offset=0, reason=str(error))
    except OSError as error:
        yield Damage(offset=0, reason=f"it cannot be read: {error.strerror or error}")


def read_file(path: Path, most_bytes: int) -> bytes:
    """A file's first bytes as the disk itself holds them. Raises FileNotFoundError, NotADirectoryError, CardError."""
    try:
        with _open(path) as file:
            data = bytearray()
            while len(data) < most_bytes and (some := file.read(most_bytes - len(data))):
                data += some
            if file.unreadable_bytes:
                raise CardError(f"{file.unreadable_bytes} bytes of it are unreadable")
            return bytes(data)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise CardError(f"it cannot be read: {error.strerror or error}") from error


def _open(path: Path) -> DirectFile:
    """A plain file. A card may hold a pipe or a device under any name; opening those could wait for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CardError("it is no plain file")
        return DirectFile(Path(f"/proc/self/fd/{descriptor}"))
    finally:
        os.close(descriptor)


def _lines(ledger: Path) -> Iterator[tuple[int, bytes]]:
    """Each line with its LF, and where it begins. Too long ones come in pieces that are longer than any line.

    Raises OSError and CardError; for blocks that cannot be read at the end, until then they are zeros.
    """
    rest = b""
    offset = 0
    with _open(ledger) as file:
        while some := file.read(MOST_BYTES):
            *whole, rest = (rest + some).split(b"\n")
            for text in whole:
                yield offset, text + b"\n"
                offset += len(text) + 1
            if len(rest) > jws.MAX_BYTES:
                yield offset, rest
                offset += len(rest)
                rest = b""
        if rest:
            yield offset, rest
        if file.unreadable_bytes:
            raise CardError(f"{file.unreadable_bytes} bytes of it are unreadable")


def _join(lines: Iterator[tuple[int, bytes]]) -> Iterator[Batch | Damage]:
    """Lines that follow each other, as many as fit."""
    texts: list[bytes] = []
    first, next_seq, before, size_bytes = 0, -1, "", 0
    joined = False
    for offset, raw in lines:
        text = raw.removesuffix(b"\n")
        fault: Damage | None = None
        try:
            line = peek(text)
            if text == raw:
                fault = Damage(offset=offset, reason="an unfinished last line", torn=True)
        except EvidenceError as error:
            torn = text == raw and len(raw) <= jws.MAX_BYTES
            fault, line = Damage(offset=offset, reason=f"no line: {error}", torn=torn), None
        follows = line is not None and (line.seq, line.prev) == (next_seq, before)
        full = len(texts) >= MOST_LINES or size_bytes + len(text) + 1 > MOST_BYTES
        if texts and (fault is not None or not follows or full):
            yield Batch(from_seq=first, texts=tuple(texts), joined=joined)
            texts, size_bytes = [], 0
        if fault is not None or line is None:
            assert fault is not None
            yield fault
            next_seq = -1
            continue
        if not texts:
            first, joined = line.seq, follows
        texts.append(text)
        size_bytes += len(text) + 1
        next_seq, before = line.seq + 1, line_hash(text)
    if texts:
        yield Batch(from_seq=first, texts=tuple(texts), joined=joined)
