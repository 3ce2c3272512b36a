"""Damaged cards: whatever lies on one, salvage ends, and what it keeps is what a line that checks says."""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from audit.salvage.ext4 import INODE_BYTES, SUPERBLOCK_BYTES, InodeFile, read_inode, read_superblock
from audit.salvage.report import as_json, in_words
from audit.salvage.salvage import salvage
from base.durable import Disk
from evidence.certificate import Trust
from tests.fakes.station import Station, authority

T = TypeVar("T")
_CARD_BYTES = 96 << 10


class Fleeting(Disk):
    """Writes, and syncs nothing: a fuzzer has no power cuts."""

    def _do(self, step: str, path: Path, action: Callable[[], T]) -> T:
        return super()._do(step, path, action if not step.startswith("sync") else lambda: None)  # type: ignore[return-value]


class _Memory:
    """Bytes in memory as a source."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, at: int, size: int) -> bytes:
        return self._data[at : at + max(0, size)]

    def stretches(self) -> Iterator[tuple[int, int]]:
        yield 0, len(self._data)


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-cards-"))


@functools.cache
def _station() -> Station:
    station = Station(authority())
    station.begin()
    station.segments(2)
    return station


@functools.cache
def _trust() -> Trust:
    return Trust.from_pem(authority().root_pem)


def card(data: bytes) -> None:
    """A whole card through all of salvage."""
    image, out = _folder() / "card.img", _folder() / "out"
    image.write_bytes(data)
    shutil.rmtree(out, ignore_errors=True)
    found = salvage([image], out, trust=_trust(), disk=Fleeting())
    as_json(found)
    in_words(found, "out")
    named = {each.sha256 for each in found.wanted}
    for path in out.glob("media/*/*/*/*.m4s"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in named
    written = {path.relative_to(out).parts[0] for path in out.rglob("*")}
    assert written <= {"ledger.jws", "branches", "media", "unit.json", "unnamed"}


def file_system(data: bytes) -> None:
    """The tables of an ext4 file system: whatever they say, reading ends and stays within the source."""
    geometry = read_superblock(data[SUPERBLOCK_BYTES : 2 * SUPERBLOCK_BYTES], SUPERBLOCK_BYTES)
    if geometry is None:
        return
    source = _Memory(data)
    for at in range(0, len(data), INODE_BYTES):
        inode = read_inode(source, geometry, at)
        if inode is not None:
            file = InodeFile(source, inode)
            assert len(file.read(0, 1 << 16)) == min(file.size, 1 << 16)
            assert all(begin <= end <= file.size for begin, end in file.stretches())


def cards() -> list[bytes]:
    """A ledger and segments as raw bytes, whole and cut; and a file system."""
    station = _station()
    segments = [data for name, data in station.files.items() if name.endswith(".m4s")]
    raw = station.ledger + b"".join(segments)
    return [raw, raw[: len(raw) // 2], segments[0], *file_systems()]


@functools.cache
def _file_system() -> bytes:
    """A small ext4 file system made by e2fsprogs."""
    with tempfile.TemporaryDirectory() as folder:
        unit = _station().write(Path(folder) / "unit")
        image = Path(folder) / "image"
        path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
        program = shutil.which("mkfs.ext4", path=path)
        assert program is not None, "mkfs.ext4 is missing: tools/setup test"
        options = ["-q", "-b", "1024", "-I", "128", "-N", "24", "-O", "^has_journal,^resize_inode"]
        subprocess.run([program, *options, "-d", unit, image, f"{_CARD_BYTES >> 10}k"], check=True)
        return image.read_bytes()


def file_systems() -> list[bytes]:
    """One, and one whose superblock points beyond its end."""
    whole = _file_system()
    return [whole, whole[: len(whole) * 2 // 3]]
