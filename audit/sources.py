"""Finds what is to be verified: ledgers and media in folders and among files."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from base.errors import OperatorError
from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.profile import PROFILE_TYP

_PLACED_FOLDER = re.compile(r"(?:.*/)?media/([A-Za-z0-9_-]{43})/([A-Za-z0-9-]{1,32})/([0-9]{1,16})")
_PLACED_NAME = re.compile(r"([0-9]{6,16})\.m4s|init\.mp4")
_MEDIA_SUFFIXES = frozenset({".m4s", ".mp4"})
_FIRST_BOXES = frozenset({b"uuid", b"ftyp", b"styp"})
_SUFFIXES = _MEDIA_SUFFIXES | {".jws", ".pem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A media file in its place (spec/segment.md, section 2). ``index`` is None for an init segment."""

    path: Path
    session: str
    camera: str
    run: int
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was found. ``folders`` hold a ``media`` folder each. ``loose`` are media files given or found anywhere else.
    ``whole`` says that a folder with media was given, so that what is not in it is missing; else media that are not
    given are unchecked only. ``roots`` are certificates that lie about; nobody trusts them for that.
    """

    ledgers: tuple[Path, ...]
    folders: tuple[Path, ...]
    loose: tuple[Path, ...]
    roots: tuple[Path, ...]
    whole: bool


def find_sources(paths: list[Path]) -> Sources:
    """Look through ``paths``: folders of units, copies, ledgers and segments. Raises OperatorError for nothing."""
    found = _Found()
    for path in paths:
        if not path.exists():
            raise OperatorError(f"There is no {path}.", hint="Give a unit's folder, a ledger or a segment.")
        if path.is_dir():
            found.walk(path)
        elif not found.file(path):
            raise OperatorError(f"{path} is neither a ledger nor a segment.", hint="Leave it out.")
    ledgers, folders, loose, roots, whole = found.ledgers, found.folders, found.loose, found.roots, found.whole
    if not ledgers and not loose and not folders:
        raise OperatorError(
            f"Nothing to verify in {', '.join(map(str, paths))}.", hint="Give a unit's folder, a ledger or a segment."
        )
    return Sources(ledgers=tuple(ledgers), folders=tuple(folders), loose=tuple(loose), roots=tuple(roots), whole=whole)


class _Found:
    """Collects, each thing once."""

    def __init__(self) -> None:
        self.ledgers: dict[Path, None] = {}
        self.folders: dict[Path, None] = {}
        self.loose: dict[Path, None] = {}
        self.roots: dict[Path, None] = {}
        self.whole = False

    def walk(self, folder: Path) -> None:
        """Everything in a folder. Media in their places are not listed, since there are many."""
        self.whole = self.whole or (folder / "media").is_dir()
        for parent, names in _directories(folder):
            placed = _PLACED_FOLDER.fullmatch(parent.as_posix()) is not None
            for name in names:
                if Path(name).suffix not in _SUFFIXES:
                    continue
                if placed and _PLACED_NAME.fullmatch(name):
                    self.folders[parent.resolve().parents[3]] = None
                    self.whole = True
                elif (parent / name).is_file():
                    self.file(parent / name)
                    self.whole = self.whole or Path(name).suffix in _MEDIA_SUFFIXES

    def file(self, path: Path) -> bool:
        """A file, by its name, or by its first bytes where the name says nothing. False where it is none of ours."""
        with path.open("rb") as opened:
            head = opened.read(MAX_BYTES)
        if path.suffix == ".pem":
            self.roots[path] = None
        elif path.suffix in _MEDIA_SUFFIXES or head[4:8] in _FIRST_BOXES:
            self.loose[path.resolve()] = None
        elif (path.suffix == ".jws" or head.startswith(b"eyJ")) and not _is_profile(head):
            self.ledgers[path.resolve()] = None
        else:
            return False
        return True


def placed_media(folder: Path) -> Iterator[Placed]:
    """The media files that lie in their places under ``folder``, one directory at a time."""
    for parent, names in _directories(folder / "media"):
        if _PLACED_FOLDER.fullmatch(parent.as_posix()):
            for name in names:
                placed = read_place(parent / name)
                if placed is not None:
                    yield placed


def read_place(file: Path) -> Placed | None:
    """What the place of a file says that it is."""
    folder, name = _PLACED_FOLDER.fullmatch(file.parent.as_posix()), _PLACED_NAME.fullmatch(file.name)
    if folder is None or name is None:
        return None
    index = None if name[1] is None else int(name[1])
    return Placed(path=file, session=folder[1], camera=folder[2], run=int(folder[3]), index=index)


def _directories(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield Path(parent), sorted(names)


def _is_profile(head: bytes) -> bool:
    """A signed profile is a file of one line, which is no ledger's."""
    try:
        unseal(head.split(b"\n")[0], PROFILE_TYP)
    except EvidenceError:
        return False
    return True
