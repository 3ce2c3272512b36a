"""Segment files of a few hundred grey pixels, down to the last box (spec/segment.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cmaf.annexb
import cmaf.avc
from cmaf.fragment import Sample, fragment, segment_type, ticks
from cmaf.identity import identity_box
from cmaf.track import Track, init_segment, track_of
from evidence.identity import Identity, read_identity, write_identity
from tests.fakes.tinyh264 import TinyEncoder

_FRAGMENT_NS = 500_000_000


class Take:
    """The pictures of one run: one encoder, one track, fragments numbered through."""

    def __init__(self, *, width: int = 32, height: int = 16, high: bool = True) -> None:
        self._encoder = TinyEncoder(width, height, high=high)
        self.track: Track = track_of(self._encoder.sps, [self._encoder.pps])
        self.init = init_segment(self.track)
        self.codec = cmaf.avc.codec_string(self._encoder.sps)
        self._sequence = 1

    def segment(
        self, identity: Identity, times_ns: Sequence[int], end_ns: int, *, level: int = 128, key_every: int = 0
    ) -> bytes:
        """A segment file of one picture at each time, the last one shown until ``end_ns``.

        ``key_every`` makes every n-th picture an IDR picture, which the format forbids.
        """
        parts = [identity_box(write_identity(identity)), segment_type()]
        for piece in _fragments(times_ns, end_ns):
            samples = []
            for number, begin_ns, until_ns in piece:
                key = number == 0 or (key_every > 0 and number % key_every == 0)
                unit = self._encoder.idr((level + number) % 256) if key else self._encoder.p()
                data = cmaf.annexb.sample(cmaf.annexb.split(unit))
                samples.append(Sample(data=data, duration=ticks(until_ns) - ticks(begin_ns), keyframe=key))
            parts.append(fragment(sequence=self._sequence, decode_time=ticks(piece[0][1]), samples=samples))
            self._sequence += 1
        return b"".join(parts)


def _fragments(times_ns: Sequence[int], end_ns: int) -> list[list[tuple[int, int, int]]]:
    """Pictures as (number, begin, end), in groups of at most 500 ms or one picture."""
    pieces: list[list[tuple[int, int, int]]] = []
    for number, (begin, until) in enumerate(zip(times_ns, [*times_ns[1:], end_ns], strict=True)):
        if pieces and until - pieces[-1][0][1] <= _FRAGMENT_NS:
            pieces[-1].append((number, begin, until))
        else:
            pieces.append([(number, begin, until)])
    return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLine:
    """One box of a listing: where it begins, how long it is, its type."""

    offset: int
    size: int
    kind: str


def list_boxes(data: bytes) -> list[BoxLine]:
    """The top-level boxes of a file."""
    found = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(BoxLine(offset=at, size=size, kind=data[at + 4 : at + 8].decode("ascii")))
        at += size
    return found


def relabel(data: bytes, **members: object) -> bytes:
    """A segment file with another identity box, everything behind it unchanged."""

    end = int.from_bytes(data[:4], "big")
    identity = replace(read_identity(data[24:end]), **members)  # type: ignore[arg-type]
    return identity_box(write_identity(identity)) + data[end:]
