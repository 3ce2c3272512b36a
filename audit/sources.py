"""Finds what is to be verified: ledgers and media in folders and among files."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.clips import is_clip
from audit.files import open_regular, printable
from base.errors import OperatorError
from evidence.errors import EvidenceError
from evidence.jws import MAX_BYTES, unseal
from evidence.profile import PROFILE_TYP
from evidence.receipt import RECEIPT_TYP

_PLACED_FOLDER = re.compile(r"(?:.*/)?media/([A-Za-z0-9_-]{43})/([A-Za-z0-9-]{1,32})/([0-9]{1,16})")
_PLACED_NAME = re.compile(r"([0-9]{6,16})\.m4s|init\.mp4")
_PLACED_PARTS = tuple(re.compile(part) for part in (r"[A-Za-z0-9_-]{43}", r"[A-Za-z0-9-]{1,32}", r"[0-9]{1,16}"))
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
    given are unchecked only. ``roots`` are certificates that lie about; nobody trusts them for that. ``without_ledger``
    are the folders that were given and hold media only. ``stores`` hold an archive's media by digest, of all stations:
    the ledgers say which are asked for. ``archived`` are the ledgers that lie in an archive's folder, or in what was
    fetched from its public site. ``clips`` bring
    their own lines.
    """

    ledgers: tuple[Path, ...]
    folders: tuple[Path, ...]
    loose: tuple[Path, ...]
    roots: tuple[Path, ...]
    whole: bool
    stores: tuple[Path, ...] = ()
    archived: frozenset[Path] = frozenset()
    without_ledger: tuple["WithoutLedger", ...] = ()
    clips: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutLedger:
    """A folder that was given and holds no ledger: its media, as in ``Sources``."""

    path: Path
    folders: tuple[Path, ...]
    loose: tuple[Path, ...]


def find_sources(paths: list[Path]) -> Sources:
    """Look through ``paths``: folders of units, copies, ledgers and segments.

    Raises OperatorError where one of them brings nothing, or cannot be read to its last folder: what nobody looked at
    must not pass for verified.
    """
    parts: list[_Found] = []
    for path in paths:
        try:
            parts.append(_find(path))
        except OSError as error:
            raise OperatorError(
                f"{printable(os.fsdecode(error.filename or path))} cannot be read: {error.strerror}.",
                hint="Ask whoever holds this copy, or copy it to where you may read all of it.",
            ) from error
    return Sources(
        ledgers=_each_once([part.ledgers for part in parts]),
        folders=_each_once([part.folders for part in parts]),
        loose=_each_once([part.loose for part in parts]),
        roots=_each_once([part.roots for part in parts]),
        whole=any(part.whole for part in parts),
        stores=_each_once([part.stores for part in parts]),
        archived=frozenset(path for part in parts for path in part.ledgers if part.stores),
        without_ledger=tuple(
            WithoutLedger(path=path, folders=tuple(part.folders), loose=tuple(part.loose))
            for path, part in zip(paths, parts, strict=True)
            if path.is_dir() and not part.ledgers and not part.clips
        ),
        clips=_each_once([part.clips for part in parts]),
    )


def _find(path: Path) -> "_Found":
    hint = "Give a unit's folder, a ledger or a segment."
    found = _Found()
    if not path.exists():
        raise OperatorError(f"There is no {path}.", hint=hint)
    if path.is_dir():
        found.walk(path)
        if not found.ledgers and not found.loose and not found.folders and not found.clips:
            raise OperatorError(f"Nothing to verify in {path}.", hint=hint)
    elif not path.is_file() or not found.file(path):
        raise OperatorError(f"{path} is neither a ledger nor a segment.", hint="Leave it out.")
    elif found.roots:
        raise OperatorError(f"{path} is a certificate, and nothing to verify.", hint="Give it with --trust.")
    return found


def _each_once(parts: Sequence[dict[Path, None]]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path for part in parts for path in part))


class _Found:
    """Collects, each thing once."""

    def __init__(self) -> None:
        self.ledgers: dict[Path, None] = {}
        self.folders: dict[Path, None] = {}
        self.loose: dict[Path, None] = {}
        self.roots: dict[Path, None] = {}
        self.stores: dict[Path, None] = {}
        self.clips: dict[Path, None] = {}
        self.whole = False

    def walk(self, folder: Path) -> None:
        """Everything in a folder. Media in their places are not listed, since there are many.

        Of an archive's data folder it is the ledgers, and of one of its ledgers' folders also the media beside them.
        """
        if _is_archive(folder):
            folder = folder / "ledgers"
        elif _is_fetched(folder):
            self.stores[folder.resolve() / "media"] = None
            self.whole = True
            folder = folder / "ledger"
        for data in folder.resolve().parents:
            if _is_archive(data) and folder.resolve().is_relative_to(data / "ledgers"):
                self.stores[data / "cas"] = None
                self.whole = True
        self.whole = self.whole or (folder / "media").is_dir()
        for parent, names in _directories(folder):
            placed = _PLACED_FOLDER.fullmatch(parent.as_posix()) is not None
            if "media" in names and (parent / "media").is_dir():  # a link to another disk
                self.folders[parent.resolve()] = None
                self.whole = True
            for name in names:
                if Path(name).suffix not in _SUFFIXES:
                    continue
                if placed and _PLACED_NAME.fullmatch(name):
                    self.folders[parent.parents[3].resolve()] = None
                    self.whole = True
                elif (parent / name).is_file():
                    self.file(parent / name)
                    self.whole = self.whole or (parent / name).resolve() in self.loose

    def file(self, path: Path) -> bool:
        """A file, by its name, or by its first bytes where the name says nothing. False where it is none of ours."""
        with open_regular(path) as opened:
            head = opened.read(MAX_BYTES)
        if path.suffix == ".pem":
            self.roots[path] = None
        elif is_clip(head):
            self.clips[path.resolve()] = None
        elif path.suffix in _MEDIA_SUFFIXES or head[4:8] in _FIRST_BOXES:
            self.loose[path.resolve()] = None
        elif (path.suffix == ".jws" or head.startswith(b"eyJ")) and not _is_no_ledger(head):
            self.ledgers[path.resolve()] = None
        else:
            return False
        return True


def _is_archive(folder: Path) -> bool:
    """Whether this is the data folder of an archive (docs/reference/archive.md)."""
    return (folder / "cas").is_dir() and (folder / "ledgers").is_dir()


def _is_fetched(folder: Path) -> bool:
    """Whether this is what was fetched from an archive's public site, each file under the path of its address."""
    return (folder / "ledger").is_dir() and (folder / "media").is_dir()


def placed_media(folder: Path) -> Iterator[Placed]:
    """The media files that lie in their places under ``folder``, one directory at a time; no other is looked into."""
    parents = [folder / "media"]
    for pattern in _PLACED_PARTS:
        parents = [parent / name for parent in parents for name in _scan(parent)[0] if pattern.fullmatch(name)]
    for parent in parents:
        session, camera, run = parent.parts[-3:]
        for name in _scan(parent)[1]:
            match = _PLACED_NAME.fullmatch(name)
            if match is not None:
                index = None if match[1] is None else int(match[1])
                yield Placed(path=parent / name, session=session, camera=camera, run=int(run), index=index)


def _directories(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each directory below ``folder`` and the names in it that are no directories; links are not followed."""
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        folders, names = _scan(parent)
        yield parent, names
        waiting += [parent / name for name in reversed(folders)]


def _scan(folder: Path) -> tuple[list[str], list[str]]:
    """The names of a directory, sorted: directories, and everything else. Of none, none."""
    folders: list[str] = []
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else names).append(entry.name)
    except (FileNotFoundError, NotADirectoryError):  # deleted in the meantime
        return [], []
    return sorted(folders), sorted(names)


def _is_no_ledger(head: bytes) -> bool:
    """A signed profile is a file of one line, which is no ledger's; so are receipts, one or many."""
    for text, typ in ((head.removesuffix(b"\n"), PROFILE_TYP), (head.split(b"\n", 1)[0], RECEIPT_TYP)):
        try:
            unseal(text, typ)
        except EvidenceError:
            continue
        return True
    return False
