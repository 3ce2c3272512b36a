"""Software H.264 through PyAV: the only module that talks to libx264."""

from collections import deque
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from appliance.capture.camera import AccessUnit, Picture
from appliance.capture.picture import Plane
from base.errors import OperatorError
from evidence.words import Mode

_BT709 = 1
"""Matrix, primaries and transfer of ITU-R BT.709 have the same number in H.264 (Annex E)."""


class Encoder:
    """One uninterrupted encode: closed groups of fixed length, no B-frames, parameter sets before every keyframe.

    High profile where the preset allows it (``ultrafast`` makes Constrained Baseline). The bitrate is a mean and,
    over the length of a group, a cap. Used from one thread.
    """

    def __init__(self, picture: Picture, *, preset: str = "ultrafast", threads: int = 1) -> None:
        """Raises OperatorError where libx264 is missing or refuses the size, rate or preset."""
        self._pending: deque[tuple[int, int, Mode]] = deque()
        self._count = 0
        self._tick = Fraction(1, picture.fps)
        parameters = {
            "keyint": picture.gop,
            "min-keyint": picture.gop,
            "scenecut": 0,
            "open-gop": 0,
            "bframes": 0,
            "repeat-headers": 1,
            "annexb": 1,
            "threads": threads,
        }
        try:
            context = av.CodecContext.create("libx264", "w")
            assert isinstance(context, VideoCodecContext)
            context.width, context.height = picture.width, picture.height
            context.pix_fmt = "yuv420p"
            # The encoder counts pictures and never sees real time: its rate control then does not depend on
            # jitter and holes, and no timestamp is rounded on its way through.
            context.time_base = self._tick
            context.framerate = Fraction(picture.fps, 1)
            context.bit_rate = picture.bitrate
            context.gop_size = picture.gop
            context.color_range = ColorRange.MPEG
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            # No "profile": FFmpeg 7 refuses the name, and 8-bit 4:2:0 never goes beyond High by itself.
            context.options = {
                "preset": preset,
                "tune": "zerolatency",
                "forced-idr": "1",
                # Not among the x264-params: FFmpeg passes a change of the bitrate on only where it knows of these two.
                "maxrate": str(picture.bitrate),
                "bufsize": str(picture.bitrate * picture.gop // picture.fps),
                "x264-params": ":".join(f"{name}={value}" for name, value in parameters.items()),
            }
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise OperatorError(
                f"libx264 cannot encode {picture.width}x{picture.height} at {picture.fps} fps: {error}.",
                hint="Width and height must be even; check the camera's size, rate, bitrate and preset.",
            ) from error
        self._context = context
        self._bitrate = picture.bitrate

    def set_bitrate(self, bitrate: int) -> None:
        """Aim at so many bits per second from the next picture on, at most what the encode began with.

        Takes some seconds to show; the parameter sets stay the same. From any thread.
        """
        self._bitrate = bitrate

    def encode(self, buffer: Plane, *, boot_ns: int, mode: Mode, keyframe: bool) -> list[AccessUnit]:
        """Encode one I420 picture (shape (height * 3/2, stride)); returns what the encoder has ready, in order.

        ``keyframe`` forces one. Every picture comes out exactly once, here or from ``flush``, with the ``boot_ns`` and
        ``mode`` that it went in with. ``buffer`` may be reused as soon as this returns.
        """
        if self._context.bit_rate != self._bitrate:
            self._context.bit_rate = self._bitrate
        frame = av.VideoFrame.from_numpy_buffer(buffer, format="yuv420p", width=self._context.width)
        frame.pts = self._count
        frame.time_base = self._tick
        if keyframe:
            frame.pict_type = PictureType.I
        self._pending.append((self._count, boot_ns, mode))
        self._count += 1
        return self._collect(frame)

    def flush(self) -> list[AccessUnit]:
        """End the encode: the pictures still inside. Nothing can be encoded afterwards."""
        return self._collect(None)

    def _collect(self, frame: av.VideoFrame | None) -> list[AccessUnit]:
        units = []
        for packet in self._context.encode(frame):
            number, boot_ns, mode = self._pending.popleft()
            if packet.pts != number:
                raise RuntimeError(f"the encoder returned picture {packet.pts}, expected {number}")
            units.append(AccessUnit(data=bytes(packet), boot_ns=boot_ns, keyframe=packet.is_keyframe, mode=mode))
        return units
