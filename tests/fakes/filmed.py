"""A station in the hands of a test, with pictures worth watching: the test card and its caption, through libx264."""

from appliance.capture.camera import Picture
from appliance.capture.libx264 import Encoder
from appliance.capture.mask import Mask
from appliance.capture.paint import Painter
from appliance.capture.pattern import TestCard
from appliance.capture.picture import Canvas, new_buffer
from cmaf.annexb import parameter_sets, sample, split
from cmaf.avc import codec_string
from cmaf.fragment import Sample, ticks
from cmaf.track import track_of
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.clock import FakeClock
from tests.fakes.station import CameraState, Station

FPS = 5
PICTURE = Picture(width=320, height=180, fps=FPS, bitrate=120_000, gop=FPS * 60)
"""Groups are made by asking for keyframes: one at the beginning of each segment."""


class FilmedStation(Station):
    """As ``Station``; a film costs a few milliseconds for each of its pictures."""

    def __init__(self, by: Authority, **options: object) -> None:
        super().__init__(by, fps=FPS, **options)  # type: ignore[arg-type]
        self._films = {camera: _Film(self.station, camera) for camera in self.camera_ids}
        self._film = self._films[self.camera_ids[0]]
        self.track = self._film.track
        self._codec = codec_string(self._film.sps)

    def run(self, camera: str = "cam-0", **changes: object) -> None:
        super().run(camera, codec=self._codec, **changes)

    def encode(self, camera: str, state: CameraState, from_ns: int, to_ns: int, mode: Mode) -> bytes:
        self._film, self._shown = self._films[camera], mode
        return super().encode(camera, state, from_ns, to_ns, mode)

    def _sample(self, from_ns: int, to_ns: int, first: bool) -> Sample:
        stamp = self.stamp(from_ns)
        data = self._film.shoot(from_ns, stamp.utc_us, stamp.error_us, self._shown, keyframe=first)
        return Sample(data=sample(split(data)), duration=ticks(to_ns) - ticks(from_ns), keyframe=first)


class _Film:
    """What stands before the lens, and the encoder behind it."""

    def __init__(self, station: str, camera: str) -> None:
        self._clock = FakeClock()
        self._card = TestCard(PICTURE.width, PICTURE.height)
        self._painter = Painter(picture=PICTURE, mask=Mask.parse([]), station=station, camera=camera, clock=self._clock)
        self._encoder = Encoder(PICTURE)
        first = parameter_sets(split(self.shoot(0, None, None, Mode.UNARMED, keyframe=True)))
        assert first is not None
        self.sps, self.track = first.sps, track_of(first.sps, first.pps)

    def shoot(self, boot_ns: int, utc_us: int | None, error_us: int | None, mode: Mode, *, keyframe: bool) -> bytes:
        """One coded picture, Annex B."""
        self._clock.advance(boot_ns - self._clock.boot_ns())
        self._clock.set_utc(utc_us)
        self._clock.error_us = error_us
        buffer = new_buffer(PICTURE.width, PICTURE.height)
        canvas = Canvas.over(buffer, PICTURE.width, PICTURE.height)
        self._card.draw(canvas, boot_ns=boot_ns, elapsed_ns=boot_ns)
        assert self._painter.paint(canvas, boot_ns, mode)
        (unit,) = self._encoder.encode(buffer, boot_ns=boot_ns, mode=mode, keyframe=keyframe)
        return unit.data
