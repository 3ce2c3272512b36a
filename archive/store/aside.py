"""Evidence that does not count: lines that were refused, as they came, with a note of why.

``STATION/UNIT/DIGEST.lines`` holds lines with their LF and is named by its SHA-256; beside it ``DIGEST.CODE.json`` says
what was wrong. The folder is that of the unit whose certificate brought them. A line is kept once for each unit: who
sends it again and again fills nothing. A note without lines does not exist; lines without a note were answered to
nobody.
"""

import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.finding import FindingCode, read_code
from archive.names import UnitName
from base.durable import Disk
from evidence import jws
from evidence.members import DIGEST, decode, encode, integer, member, natural, nullable, text

MOST_LINES = 16_384
"""Of one unit; more are counted only. An uplink whose lines are refused sends one batch of them again and again."""
MOST_UNIT_BYTES = 16 << 20
MOST_BYTES = 1 << 30
"""Of all units."""
MOST_REASON = 1_000
_REMEMBERED_UNITS = 16
_SHORT = 16
_NOTE = re.compile(r"([0-9a-f]{64})\.([a-z0-9-]{1,48})\.json")
_LINES = re.compile(r"[0-9a-f]{64}\.lines")
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Why lines lie aside. ``by`` is the SHA-256 of the certificate that brought them."""

    subject: str = member(text(128))
    seq: int | None = member(nullable(natural))
    reason: str = member(text(MOST_REASON))
    by: str = member(DIGEST)
    utc_us: int | None = member(nullable(integer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Lines without LF, to be kept with a note."""

    texts: tuple[bytes, ...]
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A note that lies there, and the digest of its lines."""

    name: UnitName
    code: FindingCode
    digest: str
    note: Note


class _Unit:
    """What of a unit lies there: the file that each line is in, and how much that is."""

    def __init__(self) -> None:
        self.lines: dict[bytes, str] = {}
        self.size_bytes = 0
        self.full = False


class AsideFiles:
    """The folder. One thread calls it."""

    def __init__(self, disk: Disk, folder: Path, *, most_bytes: int = MOST_BYTES, most_lines: int = MOST_LINES) -> None:
        self._disk, self._folder = disk, folder
        self._most_bytes, self._most_lines = most_bytes, most_lines
        disk.make_directory(folder)
        self._size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self._units: OrderedDict[UnitName, _Unit] = OrderedDict()

    def keep(self, name: UnitName, code: FindingCode, aside: Aside) -> str | None:
        """The digest under which the first of the lines lies, durable on return; None where there is no room.

        Idempotent. An OSError is final.
        """
        unit = self._unit(name)
        new = [line for line in dict.fromkeys(aside.texts) if _short(line) not in unit.lines]
        note = json.dumps(encode(aside.note), indent=1).encode() + b"\n"
        if new and not self._write(name, unit, new, len(note)):
            return None
        # Where the first came before, it lies elsewhere than those that are new; each file has its note.
        places = [unit.lines[_short(line)] for line in (aside.texts[0], *new[:1])]
        for digest in dict.fromkeys(places):
            if not self._note(name, unit, self._folder / name.station / name.unit / f"{digest}.{code}.json", note):
                return None
        # COMMIT: the lines are evidence of something.
        return places[0]

    def kept(self) -> Iterator[Kept]:
        """All notes whose lines lie there, by unit. One that cannot be read is told and passed over."""
        for path in sorted(self._folder.glob("*/*/*.json")):
            match = _NOTE.fullmatch(path.name)
            if match is None or not path.with_name(f"{match[1]}.lines").is_file():
                continue
            name = UnitName(station=path.parts[-3], unit=path.parts[-2])
            try:
                note = decode(Note, jws.parse(path.read_bytes()))
                yield Kept(name=name, code=read_code(match[2]), digest=match[1], note=note)
            except (OSError, ValueError) as error:
                _log.error("a note cannot be read", extra={"fields": {"path": str(path), "error": str(error)}})

    def damaged(self) -> Iterator[Path]:
        """Lines that are not what their name says."""
        for path in sorted(self._folder.glob("*/*/*.lines")):
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
                yield path

    def _note(self, name: UnitName, unit: _Unit, path: Path, data: bytes) -> bool:
        """Whether it lies there; the first one stays."""
        if path.exists():
            # A process that died here before may have left a name that is not durable yet.
            self._disk.sync_directory(path.parent)
            return True
        if not self._room(name, unit, 0, len(data)):
            return False
        self._disk.put(path, data)
        self._count(unit, len(data))
        return True

    def _room(self, name: UnitName, unit: _Unit, lines: int, size_bytes: int) -> bool:
        there = (
            len(unit.lines) + lines <= self._most_lines
            and unit.size_bytes + size_bytes <= MOST_UNIT_BYTES
            and self._size_bytes + size_bytes <= self._most_bytes
        )
        if not there and not unit.full:
            _log.error("there is no room for evidence", extra={"fields": {"unit": str(name), "lines": lines}})
            unit.full = True  # said once
        return there

    def _write(self, name: UnitName, unit: _Unit, new: Sequence[bytes], note_bytes: int) -> bool:
        data = b"".join(line + b"\n" for line in new)
        if not self._room(name, unit, len(new), len(data) + note_bytes):
            return False
        digest = hashlib.sha256(data).hexdigest()
        path = self._folder / name.station / name.unit / f"{digest}.lines"
        self._disk.make_directory(path.parent)
        self._disk.put(path, data)
        # Here the lines are durable, and nothing says yet what they are.
        for line in new:
            unit.lines[_short(line)] = digest
        self._count(unit, len(data))
        return True

    def _unit(self, name: UnitName) -> _Unit:
        if name not in self._units:
            self._units[name] = self._look(name)
            if len(self._units) > _REMEMBERED_UNITS:
                self._units.popitem(last=False)
        self._units.move_to_end(name)
        return self._units[name]

    def _look(self, name: UnitName) -> _Unit:
        unit = _Unit()
        folder = self._folder / name.station / name.unit
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            unit.size_bytes += path.stat().st_size
            if not _LINES.fullmatch(path.name):
                continue
            # As the disk itself has them: memory may remember what a failed sync has lost.
            with self._disk.reread(path) as file:
                data = file.read()
            if hashlib.sha256(data).hexdigest() == path.stem:
                for line in data.split(b"\n")[:-1]:
                    unit.lines.setdefault(_short(line), path.stem)
        return unit

    def _count(self, unit: _Unit, size_bytes: int) -> None:
        unit.size_bytes += size_bytes
        self._size_bytes += size_bytes


def _short(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()[:_SHORT]
