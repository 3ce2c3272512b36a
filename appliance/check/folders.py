"""What lies in the folders of a unit's disk, listed once each."""

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

_MOST_KEPT = 16
_SEGMENT = re.compile(r"[0-9]{6,16}\.m4s")


class Folders:
    """Which files lie in a folder. The newest few listings are kept: a ledger names the files of a run together.

    A listing is never older than the first question about its folder, so a file whose line had been read by then is
    in it, however much is recorded meanwhile.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, frozenset[str]] = OrderedDict()

    def holds(self, path: Path) -> bool:
        """Whether a regular file of this name is there. Raises OSError where the folder cannot be read."""
        names = self._kept.get(path.parent)
        if names is None:
            names = self._kept[path.parent] = _files(path.parent)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(path.parent)
        return path.name in names


def media_files(media: Path, unread: Callable[[Path, OSError], None]) -> Iterator[Path]:
    """Every file below the media folder, one folder at a time, in the order of names. ``unread`` is told of folders
    that cannot be listed.
    """
    waiting = [media]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except FileNotFoundError:  # taken away meanwhile
            continue
        except OSError as error:
            unread(folder, error)
            continue
        yield from (folder / name for name, is_folder in found if not is_folder)
        waiting += [folder / name for name, is_folder in reversed(found) if is_folder]


def place_of(media: Path, path: Path) -> tuple[str, str, int, int | None] | None:
    """Session, camera, run and index that a name below the media folder says; the index is None for an init segment.
    None where the name is not of the layout.
    """
    parts = path.relative_to(media).parts
    if len(parts) != 4 or not parts[2].isdecimal() or len(parts[2]) > 16:
        return None
    session, camera, run, name = parts
    if name == "init.mp4":
        return session, camera, int(run), None
    return (session, camera, int(run), int(name.removesuffix(".m4s"))) if _SEGMENT.fullmatch(name) else None


def _files(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
