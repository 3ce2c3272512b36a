"""Units whose segments have the size of real ones and cost little to make: what varies is small, the rest is shared."""

import random
from dataclasses import dataclass, replace
from functools import lru_cache

from cmaf.fragment import Sample
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.station import NOON_US, CameraState, Station

SEGMENT_S = 2
CAMERA = "cam1"
_FILLER_NAL = b"\x0c"
"""Filler data (ITU-T H.264, table 7-1): decoders skip it."""
_HEADER_BYTES = 5
"""Length and type of a NAL unit."""

Place = tuple[str, str, int, int]
"""Session, camera, run and index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """A segment: ``head`` is its own, ``tail`` may be the same bytes for many. ``line`` names it, without LF."""

    sha256: str
    place: Place
    head: bytes
    tail: bytes
    line: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.head) + len(self.tail)


class HeavyStation(Station):
    """An armed unit whose opening lines are written. A segment is ``filler_bytes`` longer than what a grey picture
    takes: filler data in the last picture. ``utc_us`` is the true time at boot time 0.
    """

    def __init__(
        self, by: Authority, filler_bytes: int, *, station: str, unit: str, utc_us: int | None = NOON_US
    ) -> None:
        super().__init__(by, station=station, unit=unit, cameras=(CAMERA,), seed=f"{station} {unit}", utc_us=utc_us)
        self._filler = filler(filler_bytes)
        self._end_ns = 0
        self.begin()
        self.arm()

    def encode(self, camera: str, state: CameraState, from_ns: int, to_ns: int, mode: Mode) -> bytes:
        self._end_ns = to_ns
        return super().encode(camera, state, from_ns, to_ns, mode)

    def heavy(self) -> Heavy:
        """Record the next segment and sign its line. The segment is not kept in ``files``."""
        segment = self.record(CAMERA, SEGMENT_S)
        place = self.kid, CAMERA, segment.run, segment.index
        data = self.files.pop("media/{}/{}/{}/{:06d}.m4s".format(*place))
        cut = len(data) - len(self._filler)
        return Heavy(sha256=segment.sha256, place=place, head=data[:cut], tail=self._filler, line=self.append(segment))

    def _sample(self, from_ns: int, to_ns: int, first: bool) -> Sample:
        light = super()._sample(from_ns, to_ns, first)
        return replace(light, data=light.data + self._filler) if to_ns == self._end_ns else light


@lru_cache(maxsize=16)
def filler(size_bytes: int) -> bytes:
    """A NAL unit of about so many bytes that nobody can compress; empty for 0."""
    if size_bytes == 0:
        return b""
    length = max(size_bytes - _HEADER_BYTES, 1)
    return (length + 1).to_bytes(4, "big") + _FILLER_NAL + random.Random(length).randbytes(length)
