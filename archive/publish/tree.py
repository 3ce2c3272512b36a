"""The published tree: what the public host may serve, and nothing else. ``ab/SHA256.m4s``, and ``.mp4`` for a run.

Digests stand in public ledgers, so whoever could reach the store by digest could reach what is held back. Therefore the
store is never served, and only what is released has a name here: a hard link, or a copy where that cannot be.

Nothing here is evidence and nothing is synced: the publisher names its newest again at every start, and what a power
cut has left shorter than it should be is made anew.
"""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from cmaf.content import ContentReader
from cmaf.track import Track, init_segment
from evidence.verify.content import read_claim

_HEAD_BYTES = 1 << 16


class PublishedTree:
    """One process writes, any read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._content = ContentReader()

    def path(self, sha256: str) -> Path:
        """Where a segment lies, if it is public."""
        return self.folder / sha256[:2] / f"{sha256}.m4s"

    def init_path(self, sha256: str) -> Path:
        """Where a run's init segment lies, if one of its segments is public."""
        return self.folder / sha256[:2] / f"{sha256}.mp4"

    def has(self, sha256: str, size_bytes: int) -> bool:
        """Whether a segment of that size has its name here."""
        try:
            return self.path(sha256).stat().st_size == size_bytes
        except FileNotFoundError:
            return False

    def link(self, sha256: str, original: Path) -> None:
        """Give ``original`` a name here; a copy where the file systems differ. Idempotent. Raises OSError."""
        path = self._new(self.path(sha256))
        if self.has(sha256, original.stat().st_size):
            return
        draft = path.with_suffix(".part")
        draft.unlink(missing_ok=True)
        try:
            os.link(original, draft)
        except FileNotFoundError:
            raise
        except OSError:
            with original.open("rb") as file:
                self._copy(sha256, file, draft)
        os.replace(draft, path)
        # A link replaced by another link to the same file is left where it was.
        draft.unlink(missing_ok=True)

    def copy(self, sha256: str, file: BinaryIO) -> None:
        """The bytes of ``file``, if they are what their name says, whatever was here. Raises OSError."""
        path = self._new(self.path(sha256))
        draft = path.with_suffix(".part")
        self._copy(sha256, file, draft)
        os.replace(draft, path)

    def put_init(self, sha256: str, of_segment: str) -> bool:
        """The init segment of a run, from one of its segments, which is here. False where they do not fit."""
        path = self._new(self.init_path(sha256))
        with contextlib.suppress(FileNotFoundError):
            if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                return True
        with self.path(of_segment).open("rb") as file:
            claim = read_claim(file.read(_HEAD_BYTES), self._content)
        if claim is None:
            return False
        with contextlib.suppress(ValueError):
            track = Track(width=claim.width, height=claim.height, timescale=claim.timescale, avcc=claim.avcc)
            data = init_segment(track)
            if hashlib.sha256(data).hexdigest() == sha256:
                draft = path.with_suffix(".mp4.part")
                draft.write_bytes(data)
                os.replace(draft, path)
                return True
        return False

    def _new(self, path: Path) -> Path:
        path.parent.mkdir(exist_ok=True)
        return path

    def _copy(self, sha256: str, file: BinaryIO, draft: Path) -> None:
        with draft.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        with draft.open("rb") as copy:
            if hashlib.file_digest(copy, "sha256").hexdigest() != sha256:
                draft.unlink()
                raise OSError(f"the store has other bytes under {sha256}")
