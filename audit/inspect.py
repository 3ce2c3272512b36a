"""What a media file holds: hashed while it is read, taken apart, judged against its line. Runs in worker processes."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.files import open_regular
from cmaf.errors import MediaError
from cmaf.pictures import require_pictures
from cmaf.read import Data, SegmentLayout, read_identity, read_segment
from cmaf.track import TIMESCALE, Track, init_segment
from evidence import identity as identities
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.identity import Identity
from evidence.lines import MAX_SEGMENT_BYTES
from evidence.verify.media import Expected, ExpectedInit, Facts, Fault, judge

_HEAD_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_INIT_BYTES = 1 << 20
_MAX_FRAGMENT_MS = 500

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
        self._track: tuple[int, int, int, bytes] | None = None
        self._init_sha256 = ""

    def look(self, look: Look) -> Faults | None:
        """No faults where one of the copies checks; else those of the first copy, or None where there is none."""
        first: Faults | None = None
        for path in look.paths:
            try:
                faults = self._judge(Path(path), look)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                code = Code.INIT_MISSING if isinstance(look.expected, ExpectedInit) else Code.MEDIA_MISSING
                faults = (Fault(code=code, detail=f"{look.expected.path} cannot be read: {error.strerror}"),)
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
                identity = _identity(file.read(_HEAD_BYTES))
                return Facts(size=size, sha256="", identity=identity, malformed="too long for a segment")
            if len(self._buffer) < size:
                self._buffer = bytearray(min(max(size, 2 * len(self._buffer), _BUFFER_BYTES), MAX_SEGMENT_BYTES))
            with memoryview(self._buffer) as whole:
                length = 0
                while length < size and (count := file.readinto(whole[length:size])):
                    length += count
                with whole[:length] as view:
                    return self._facts(view)

    def _facts(self, data: memoryview) -> Facts:
        sha256 = hashlib.sha256(data).hexdigest()
        identity = _identity(data)
        try:
            layout = read_segment(data)
            if identity is None:
                raise MediaError("the identity cannot be read")
            _require_form(layout, identity.timescale)
            require_pictures(data)
            init_sha256 = self._rebuilt(identity)
        except MediaError as error:
            return Facts(size=len(data), sha256=sha256, identity=identity, malformed=str(error))
        return Facts(
            size=len(data),
            sha256=sha256,
            identity=identity,
            malformed=None,
            decode_time=layout.decode_time,
            duration=layout.duration,
            pictures=layout.samples,
            spacing=max(layout.durations, default=0),
            init_sha256=init_sha256,
        )

    def _rebuilt(self, identity: Identity) -> str:
        """The digest of the init segment that follows from the identity."""
        wanted = (identity.width, identity.height, identity.timescale, identity.avcc)
        if wanted != self._track:
            track = Track(width=wanted[0], height=wanted[1], timescale=wanted[2], avcc=wanted[3])
            self._init_sha256 = hashlib.sha256(init_segment(track)).hexdigest()
            self._track = wanted
        return self._init_sha256

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
            return _identity(file.read(_HEAD_BYTES))
    except OSError:
        return None


def _label(path: Path) -> tuple[Identity | None, str]:
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES)
        if os.fstat(file.fileno()).st_size > MAX_SEGMENT_BYTES:
            return _identity(head), ""
        digest = hashlib.sha256(head)
        left = MAX_SEGMENT_BYTES
        while left and (block := file.read(1 << 20)):
            digest.update(block)
            left -= min(len(block), left)
    return _identity(head), digest.hexdigest()


def _identity(data: Data) -> Identity | None:
    try:
        return identities.read_identity(read_identity(data))
    except (MediaError, EvidenceError):
        return None


def _require_form(layout: SegmentLayout, timescale: int) -> None:
    """What spec/segment.md, section 3 asks beyond the boxes. Raises MediaError."""
    if timescale != TIMESCALE:
        raise MediaError(f"the timescale is {timescale}, not {TIMESCALE}")
    if not layout.first_is_keyframe or layout.keyframes != 1:
        raise MediaError(f"{layout.keyframes} key pictures; exactly the first must be one")
    longest = _MAX_FRAGMENT_MS * timescale // 1_000 + 2
    if any(part.duration > longest and part.samples > 1 for part in layout.fragments):
        raise MediaError("a fragment of several pictures is longer than 500 ms")
