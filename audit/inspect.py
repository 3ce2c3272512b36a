"""What a media file holds: hashed while it is read, taken apart, judged against its line. Runs in worker processes."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.files import open_regular
from cmaf.content import ContentReader
from evidence.codes import Code
from evidence.identity import Identity
from evidence.lines import MAX_SEGMENT_BYTES
from evidence.verify.content import read_claim, read_facts
from evidence.verify.media import Expected, ExpectedInit, Facts, Fault, judge

_HEAD_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_INIT_BYTES = 1 << 20

Faults = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A file to be looked at: where it may lie, and what it should be. ``decode`` asks for its pictures, too."""

    paths: tuple[str, ...]
    expected: Expected | ExpectedInit
    decode: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """What a loose file is: its digest, and the session, camera, run and index that it claims. Of one that is too
    long for a segment, or that cannot be read, the digest is empty.
    """

    path: str
    sha256: str
    claim: tuple[str, str, int, int] | None


class Inspector:
    """Reads files through one buffer, and rebuilds each init segment once while it stays the same."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._container = ContentReader()

    def look(self, look: Look) -> Faults | None:
        """No faults where one of the copies checks; else those of the first copy, or None where there is none."""
        first: Faults | None = None
        for path in look.paths:
            try:
                faults = self._judge(Path(path), look)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if isinstance(look.expected, ExpectedInit):
                    continue
                detail = f"{look.expected.path} cannot be read: {error.strerror}"
                faults = (Fault(code=Code.MEDIA_MISSING, detail=detail),)
            if not faults:
                return faults
            first = first or faults
        return first

    def facts(self, path: Path) -> Facts:
        """What the segment file at ``path`` holds. Raises OSError.

        One that is too long for a segment is not read to its end: a file can claim any length and take no room.
        """
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_SEGMENT_BYTES:
                identity = read_claim(file.read(_HEAD_BYTES), self._container)
                return Facts(size=size, sha256="", identity=identity, malformed="too long for a segment")
            if len(self._buffer) < size:
                self._buffer = bytearray(min(max(size, 2 * len(self._buffer), _BUFFER_BYTES), MAX_SEGMENT_BYTES))
            with memoryview(self._buffer) as whole:
                length = 0
                while length < size and (count := file.readinto(whole[length:size])):
                    length += count
                with whole[:length] as view:
                    return read_facts(view, self._container)

    def _judge(self, path: Path, look: Look) -> Faults:
        expected = look.expected
        if isinstance(expected, ExpectedInit):
            with open_regular(path) as file:
                data = file.read(_INIT_BYTES)
            if hashlib.sha256(data).hexdigest() == expected.sha256:
                return ()
            return (Fault(code=Code.INIT_CHANGED, detail=expected.path),)
        faults = judge(expected, self.facts(path))
        if look.decode and not faults:
            from audit.decode import decode_fault

            with open_regular(path) as file:
                faults = decode_fault(file.read(MAX_SEGMENT_BYTES), expected)
        return faults


def look_at(looks: Sequence[Look]) -> list[Faults | None]:
    """``Inspector.look`` for many files, in one go of a worker."""
    inspector = Inspector()
    return [inspector.look(look) for look in looks]


def label_files(paths: Sequence[str]) -> list[Label]:
    """What loose files are."""
    labels: list[Label] = []
    for path in paths:
        try:
            identity, sha256 = _label(Path(path))
        except OSError:  # gone since it was listed
            identity, sha256 = None, ""
        claim = None if identity is None else (identity.session, identity.camera, identity.run, identity.index)
        labels.append(Label(path=path, sha256=sha256, claim=claim))
    return labels


def peek(path: Path) -> Identity | None:
    """The identity that a file begins with, or None where it has none or cannot be read."""
    try:
        with open_regular(path) as file:
            return read_claim(file.read(_HEAD_BYTES), ContentReader())
    except OSError:
        return None


def is_film(path: Path) -> bool:
    """Whether a file begins as films of any maker do (ISO/IEC 14496-12), and not as a segment."""
    with open_regular(path) as file:
        return file.read(8)[4:] == b"ftyp"


def _label(path: Path) -> tuple[Identity | None, str]:
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES)
        if os.fstat(file.fileno()).st_size > MAX_SEGMENT_BYTES:
            return read_claim(head, ContentReader()), ""
        digest = hashlib.sha256(head)
        left = MAX_SEGMENT_BYTES
        while left and (block := file.read(1 << 20)):
            digest.update(block)
            left -= min(len(block), left)
    return read_claim(head, ContentReader()), digest.hexdigest()
