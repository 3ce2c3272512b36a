"""Media in a local folder: ``cas/ab/SHA256``, ``ab`` being the first two digits of the digest."""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from archive.store.spool import Draft
from base.durable import Disk

_DIGEST = re.compile(r"[0-9a-f]{64}")


class LocalStore:
    """A ``Store`` on the file system of its spool."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        disk.make_directory(folder)

    def put(self, drafts: Sequence[Draft]) -> Sequence[str]:
        for draft in drafts:
            draft.sync()
        # Here the bytes are durable, under names that the next start removes.
        folders: set[Path] = set()
        replaced: list[str] = []
        for draft in drafts:
            path = self.path(draft.sha256)
            self._disk.make_directory(path.parent)
            folders.add(path.parent)
            try:
                self._disk.rename(draft.path, path)
            except FileExistsError:
                # As the disk itself has it: memory may remember better bytes, and a block that cannot be read is none.
                with self._disk.reread(path) as file:
                    there = hashlib.file_digest(file, "sha256").hexdigest()
                if there == draft.sha256:
                    draft.discard()
                else:
                    folders.add(self._set_aside(path))
                    self._disk.rename(draft.path, path)
                    replaced.append(draft.sha256)
        for folder in sorted(folders):
            self._disk.sync_directory(folder)
        # COMMIT: the objects are there after a power cut, also those that an earlier process had renamed and not more.
        return replaced

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def missing(self, digests: Collection[str]) -> set[str]:
        return {sha256 for sha256 in digests if not self.has(sha256)}

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def digests(self, after: str = "") -> Iterator[str]:
        for folder in sorted(self._folder.iterdir()):
            if len(folder.name) == 2 and folder.name >= after[:2]:
                found = [each.name for each in folder.iterdir() if _DIGEST.fullmatch(each.name)]
                yield from sorted(each for each in found if each > after)

    def path(self, sha256: str) -> Path:
        """Where an object lies, if it is there."""
        if not _DIGEST.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no digest")
        return self._folder / sha256[:2] / sha256

    def _set_aside(self, path: Path) -> Path:
        """Bytes that are not what their name says are kept apart; returns the folder. Nothing is ever deleted."""
        folder = self._folder / "damaged"
        self._disk.make_directory(folder)
        number = sum(1 for each in folder.iterdir() if each.name.startswith(path.name))
        self._disk.rename(path, folder / f"{path.name}.{number}")
        return folder
