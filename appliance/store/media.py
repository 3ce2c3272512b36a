"""Media files on their way to their final names."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from appliance.store.layout import Layout, part_of
from appliance.store.reserve import Reserve
from base.durable import Disk, DurableFile


@dataclass(slots=True)
class _Part:
    """A file being written. ``dirty`` until its last write has been synced."""

    final: Path
    file: DurableFile
    digest: "hashlib._Hash"
    size_bytes: int = 0
    dirty: bool = False
    named: bool = False
    """Whether the folder has been synced since the file was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A finished file: what the ledger will say of it, once ``settle`` has returned."""

    sha256: str
    size_bytes: int


class MediaFiles:
    """The media of one session. One thread calls it."""

    def __init__(self, disk: Disk, layout: Layout, session: str, reserve: Reserve) -> None:
        self._disk = disk
        self._layout = layout
        self._session = session
        self._reserve = reserve
        self._open: dict[str, _Part] = {}
        self._finished: list[_Part] = []

    @property
    def dirty(self) -> bool:
        """Whether ``settle`` would sync anything."""
        return bool(self._finished) or any(part.dirty for part in self._open.values())

    def begin_run(self, camera: str, run: int, init: bytes) -> Written:
        """Write the init segment of a run. Durable after ``settle``."""
        path = self._layout.init(self._session, camera, run)
        self._reserve.create(lambda: self._disk.make_directory(path.parent))
        part = self._create(path)
        self._write(part, init)
        self._finished.append(part)
        return Written(sha256=part.digest.hexdigest(), size_bytes=part.size_bytes)

    def append(self, camera: str, run: int, index: int, data: bytes) -> None:
        """Add a chunk to the camera's open segment; the first chunk creates it."""
        part = self._open.get(camera)
        if part is None:
            part = self._create(self._layout.segment(self._session, camera, run, index))
            self._open[camera] = part
        self._write(part, data)

    def finish(self, camera: str) -> Written:
        """The camera's open segment is complete. It has its final name and is durable after ``settle``."""
        part = self._open.pop(camera)
        self._finished.append(part)
        return Written(sha256=part.digest.hexdigest(), size_bytes=part.size_bytes)

    def settle(self) -> None:
        """Make everything written durable, and everything finished under its final name.

        An OSError is final: see ``base.durable``.
        """
        folders: set[Path] = set()
        for part in self._finished:
            part.file.sync()
            part.file.close()
            # Power fails here: a whole file under its part name; recovery takes it up.
            self._disk.rename(part_of(part.final), part.final)
            folders.add(part.final.parent)
        self._finished = []
        for part in self._open.values():
            if part.dirty:
                part.file.sync()
                part.dirty = False
                if not part.named:
                    part.named = True
                    folders.add(part.final.parent)
        for folder in sorted(folders):
            self._disk.sync_directory(folder)

    def _create(self, final: Path) -> _Part:
        return _Part(final, self._reserve.create(lambda: self._disk.create(part_of(final))), hashlib.sha256())

    def _write(self, part: _Part, data: bytes) -> None:
        self._reserve.append(part.file, data, part.size_bytes)
        part.digest.update(data)
        part.size_bytes += len(data)
        part.dirty = True
