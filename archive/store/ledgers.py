"""Ledgers as files, ``STATION/UNIT/BRANCH.jws``: each branch whole, byte for byte as the station has it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.names import UnitName
from base.durable import Disk, DurableFile

_BRANCH = re.compile(r"(0|[1-9][0-9]{0,5})\.jws")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Lines for the end of a branch's file, which is ``at`` bytes long by now; None where there is no file yet.

    Then ``data`` is all that the file shall hold.
    """

    name: UnitName
    branch: int
    at: int | None
    data: bytes


class LedgerFiles:
    """The folder of all ledgers. ``write`` and ``settle`` are called by one thread, the others by any."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        disk.make_directory(folder)

    def write(self, pieces: Sequence[Piece]) -> None:
        """All are durable on return. An OSError is final: what is behind ``at`` is unknown, and the next start looks.

        Raises ValueError where a file is not as long as it must be.
        """
        grown: list[DurableFile] = []
        try:
            for piece in pieces:
                if piece.at is None:
                    self._begin(piece)
                else:
                    grown.append(self._append(piece, piece.at))
            for file in grown:
                file.sync()
        finally:
            for file in grown:
                file.close()

    def settle(self, name: UnitName, branch: int, size_bytes: int) -> None:
        """What is behind ``size_bytes`` goes; the rest of the file, and its name, are durable on return."""
        path = self.path(name, branch)
        file = self._disk.append(path)
        try:
            if path.stat().st_size > size_bytes:
                file.cut(size_bytes)
            file.sync()
        finally:
            file.close()
        self._disk.sync_directory(path.parent)

    def keep_aside(self, name: UnitName, branch: int, offset: int, data: bytes) -> None:
        """Bytes that are to be cut off stay beside the file; durable on return."""
        path = self.path(name, branch)
        self._disk.put(path.with_name(f"{path.name}.{offset}.cut"), data)

    def reread(self, name: UnitName, branch: int, offset: int) -> bytes:
        """Bytes of a file to its end, as the disk itself holds them."""
        with self._disk.reread(self.path(name, branch)) as file:
            file.seek(offset)
            return file.read()

    def read(self, name: UnitName, branch: int, offset: int = 0, size_bytes: int | None = None) -> bytes:
        """Bytes of a file, to its end where no size is given. Raises FileNotFoundError."""
        with self.path(name, branch).open("rb") as file:
            file.seek(offset)
            return file.read() if size_bytes is None else file.read(size_bytes)

    def sizes(self, name: UnitName) -> dict[int, int]:
        """The unit's branches that have a file, and how long each is, in ascending order."""
        folder = self._folder / name.station / name.unit
        if not folder.is_dir():
            return {}
        found = {
            int(match[1]): each.stat().st_size for each in folder.iterdir() if (match := _BRANCH.fullmatch(each.name))
        }
        return dict(sorted(found.items()))

    def units(self) -> list[UnitName]:
        """Every unit that has a folder."""
        stations = sorted(each for each in self._folder.iterdir() if each.is_dir())
        return [
            UnitName(station=station.name, unit=unit.name)
            for station in stations
            for unit in sorted(station.iterdir())
            if unit.is_dir()
        ]

    def path(self, name: UnitName, branch: int) -> Path:
        """Where a branch lies."""
        return self._folder / name.station / name.unit / f"{branch}.jws"

    def _append(self, piece: Piece, at: int) -> DurableFile:
        path = self.path(piece.name, piece.branch)
        if path.stat().st_size != at:
            raise ValueError(f"{path} is not {at} bytes long")
        file = self._disk.append(path)
        try:
            file.write(piece.data)
        except BaseException:
            file.close()
            raise
        return file

    def _begin(self, piece: Piece) -> None:
        path = self.path(piece.name, piece.branch)
        self._disk.make_directory(path.parent)
        draft = path.with_name(path.name + ".part")
        if draft.exists():
            self._disk.remove(draft)
        file = self._disk.create(draft)
        try:
            file.write(piece.data)
            file.sync()
        finally:
            file.close()
        self._disk.rename(draft, path)
        self._disk.sync_directory(path.parent)
