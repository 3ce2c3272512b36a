"""Media: what a kept line names goes to its place, whole segments that none names go to ``unnamed/``."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.salvage.medium import Bytes
from audit.salvage.wanted import Key, Named, RunKey, Wanted
from base.durable import Disk
from cmaf.errors import MediaError
from cmaf.read import complete_length, read_identity
from cmaf.track import Track, init_segment
from evidence import identity as identities
from evidence.errors import EvidenceError
from evidence.identity import Identity
from evidence.lines import MAX_SEGMENT_BYTES

UNNAMED = "unnamed"
MOST_UNNAMED = 100_000
_IDENTITY_BYTES = 12_288
"""More than any identity box of ours needs."""
_INIT_BYTES = 1 << 16
_PARTS = (b"styp", b"moof", b"mdat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed:
    """A whole segment that no kept line names: its file, what it claims to be, and where it was found."""

    file: str
    identity: Identity
    size: int
    where: str
    cut_bytes: int
    """What lay behind the last whole fragment and was left out."""


class Rescue:
    """Writes media into ``folder`` as they turn up. Every file is durable on return, its name after ``settle``."""

    def __init__(self, disk: Disk, folder: Path, wanted: Wanted, most_bytes: int) -> None:
        """``most_bytes`` is how much unnamed video is kept at most: what can be in the sources."""
        self._disk, self._folder, self._wanted = disk, folder, wanted
        self._left_bytes = most_bytes
        self._folders: set[Path] = set()
        self.kept: set[Named] = set()
        self.inits: set[RunKey] = set()
        self.rebuilt_inits = 0
        self.unnamed: dict[str, Unnamed] = {}
        """By digest."""
        self.unnamed_left_out = 0
        self._damaged: dict[Key, str] = {}
        self._identities: dict[RunKey, Identity] = {}
        """Of one kept segment for each run."""
        self.broken: dict[str, str] = {}
        """Files that begin as segments and are none, and no place is known for them: where, and why."""

    def damaged(self) -> Iterator[tuple[Named, str]]:
        """Named segments of which only damaged copies turned up, and where the first of them is."""
        for key, where in self._damaged.items():
            for named in self._wanted.by_key(key):
                if named not in self.kept and not self._wanted.pruned(key):
                    yield named, where

    def offer_segment(self, versions: Sequence[Bytes], where: str) -> None:
        """A file that begins with an identity box, or several, the longest first, that begin with the same one.

        What its place in the record already has is not read again.
        """
        versions = [file for file in versions if file.size <= MAX_SEGMENT_BYTES]
        if not versions:
            self.broken[where] = "too long for a segment"
            return
        identity = read_claim(versions[0].read(0, _IDENTITY_BYTES))
        named = [] if identity is None else self._wanted.by_key(_key(identity))
        if not named:
            self._offer(versions[0].read(0, versions[0].size), where)
        for file in versions if named else ():
            if all(each in self.kept or self._wanted.barred(each.key) for each in named):
                return
            self._offer(file.read(0, file.size), where)

    def offer_init(self, file: Bytes) -> None:
        """A file that may be an init segment."""
        if file.size <= _INIT_BYTES:
            self._keep_init(file.read(0, file.size))

    def offer_at(self, source: Bytes, at: int, where: str) -> None:
        """An identity box in raw bytes. What its place in the record already has is not read again."""
        identity = read_claim(source.read(at, _IDENTITY_BYTES))
        if identity is None:
            return
        named = self._wanted.by_key(_key(identity))
        if not named:
            length = _length(source, at)
            if length:
                self._offer(source.read(at, length), where)
        for each in named:
            if each not in self.kept and not self._wanted.barred(each.key):
                self._offer(source.read(at, each.size), where)

    def settle(self) -> None:
        """Init segments that did not turn up are rebuilt where a kept segment tells their bytes; names are durable."""
        for run, identity in self._identities.items():
            self._rebuild_init(run, identity)
        for folder in sorted(self._folders):
            self._disk.sync_directory(folder)

    def _offer(self, data: bytes, where: str) -> None:
        identity = read_claim(data)
        here = [] if identity is None else self._wanted.by_key(_key(identity))
        # What lies behind the length that a line says may be what recovery cut off, or what a file system put there.
        sizes = {len(data)} | {each.size for each in here if each.size < len(data)}
        kept = [self._keep(data[:size], identity) for size in sorted(sizes)]
        if any(kept):
            return
        if identity is not None and self._wanted.pruned(_key(identity)):
            return
        length = complete_length(data)
        if identity is not None and here:
            self._damaged.setdefault(_key(identity), where)
        elif identity is None or not length:
            self.broken.setdefault(where, "no identity that can be read" if identity is None else "no whole fragment")
        else:
            self._keep_unnamed(data[:length], identity, where, len(data) - length)

    def _keep(self, data: bytes, identity: Identity | None) -> bool:
        """Put the bytes wherever a kept line names their digest; whether there is such a place."""
        named = self._wanted.by_digest(hashlib.sha256(data).hexdigest())
        for each in named:
            if each not in self.kept:
                self._write(each.path, data)
                self.kept.add(each)
                self._wanted.came_back(each.key)
                if identity is not None:
                    self._identities.setdefault(each.key[:3], identity)
        return bool(named)

    def _keep_unnamed(self, data: bytes, identity: Identity, where: str, cut_bytes: int) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in self.unnamed:
            return
        if len(self.unnamed) >= MOST_UNNAMED or len(data) > self._left_bytes:
            self.unnamed_left_out += 1
            return
        self._left_bytes -= len(data)
        path = f"{UNNAMED}/{sha256}.m4s"
        self._write(path, data)
        self.unnamed[sha256] = Unnamed(file=path, identity=identity, size=len(data), where=where, cut_bytes=cut_bytes)

    def _keep_init(self, data: bytes) -> bool:
        sha256 = hashlib.sha256(data).hexdigest()
        runs = [run for run, wanted in self._wanted.inits.items() if wanted == sha256 and run not in self.inits]
        for run in runs:
            session, camera, number = run
            self._write(f"media/{session}/{camera}/{number}/init.mp4", data)
            self.inits.add(run)
        return bool(runs)

    def _rebuild_init(self, run: RunKey, identity: Identity) -> None:
        """The init segment follows from any segment of its run (spec/segment.md, section 5), or it is another one."""
        if run in self.inits or run not in self._wanted.inits:
            return
        track = Track(width=identity.width, height=identity.height, timescale=identity.timescale, avcc=identity.avcc)
        try:
            data = init_segment(track)
        except MediaError:
            return
        self.rebuilt_inits += self._keep_init(data)

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        self._disk.make_directory(path.parent)
        file = self._disk.create(path)
        try:
            file.write(data)
            file.sync()
        finally:
            file.close()
        self._folders.add(path.parent)


def read_claim(data: bytes) -> Identity | None:
    """What a segment says of itself, or None where that cannot be read. It proves nothing."""
    try:
        return identities.read_identity(read_identity(data))
    except (MediaError, EvidenceError):
        return None


def _key(identity: Identity) -> Key:
    return identity.session, identity.camera, identity.run, identity.index


def _length(source: Bytes, at: int) -> int:
    """How long a segment that begins at ``at`` is by its boxes; 0 where no fragment follows. Judges nothing."""
    end = at + int.from_bytes(source.read(at, 4), "big")
    fragments = 0
    wanted = _PARTS[:1]
    while end - at <= MAX_SEGMENT_BYTES:
        head = source.read(end, 8)
        size = int.from_bytes(head[:4], "big")
        if len(head) < 8 or head[4:] not in wanted or size < 8 or end + size > at + MAX_SEGMENT_BYTES:
            break
        end += size
        fragments += head[4:] == b"mdat"
        wanted = _PARTS[2:] if head[4:] == b"moof" else _PARTS[1:2]
    return end - at if fragments else 0
