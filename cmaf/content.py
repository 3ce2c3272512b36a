"""What a whole segment file holds, in a few numbers; and that it is all that spec/segment.md, section 3 asks for."""

import hashlib
from dataclasses import dataclass

from cmaf.errors import MediaError
from cmaf.pictures import require_pictures
from cmaf.read import Data, SegmentLayout, read_identity, read_segment
from cmaf.track import TIMESCALE, Track, init_segment

_MAX_FRAGMENT_MS = 500

Stream = tuple[int, int, int, bytes]
"""Width, height, timescale and decoder configuration record, as the segment's identity gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Times in ticks of the timescale. ``spacing`` is the longest time from one picture to the next, ``init_sha256``
    the digest of the init segment that follows from the stream.
    """

    decode_time: int
    duration: int
    pictures: int
    spacing: int
    init_sha256: str


class ContentReader:
    """Takes segment files apart. Rebuilds an init segment once while the stream stays the same; one thread calls it."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._init_sha256 = ""

    def identity(self, data: Data) -> bytes:
        """The payload of the identity box that ``data`` begins with. Raises MediaError."""
        return read_identity(data)

    def content(self, data: Data, stream: Stream | None) -> Content:
        """What the whole file ``data`` holds. Raises MediaError; so it does where its identity gave no ``stream``."""
        layout = read_segment(data)
        if stream is None:
            raise MediaError("the identity cannot be read")
        _require_form(layout, stream[2])
        require_pictures(data)
        return Content(
            decode_time=layout.decode_time,
            duration=layout.duration,
            pictures=layout.samples,
            spacing=max(layout.durations, default=0),
            init_sha256=self._rebuilt(stream),
        )

    def _rebuilt(self, stream: Stream) -> str:
        if stream != self._stream:
            width, height, timescale, avcc = stream
            track = Track(width=width, height=height, timescale=timescale, avcc=avcc)
            self._init_sha256 = hashlib.sha256(init_segment(track)).hexdigest()
            self._stream = stream
        return self._init_sha256


def _require_form(layout: SegmentLayout, timescale: int) -> None:
    """What spec/segment.md, section 3 asks beyond the boxes. Raises MediaError."""
    if timescale != TIMESCALE:
        raise MediaError(f"the timescale is {timescale}, not {TIMESCALE}")
    if not layout.first_is_keyframe or layout.keyframes != 1:
        raise MediaError(f"{layout.keyframes} key pictures; exactly the first must be one")
    longest = _MAX_FRAGMENT_MS * timescale // 1_000 + 2
    if any(part.duration > longest and part.samples > 1 for part in layout.fragments):
        raise MediaError("a fragment of several pictures is longer than 500 ms")
