"""Replaying a video file as if a camera saw it: decoded, painted and encoded again."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from appliance.capture.camera import Picture
from appliance.capture.paint import Painter
from appliance.capture.picture import Canvas
from appliance.capture.scene import SceneCamera
from base.clock import Clock
from base.errors import OperatorError

_SECOND_NS = 1_000_000_000


class ReplayCamera(SceneCamera):
    """Any video file that PyAV reads, looped at real speed, scaled to the configured size without distortion."""

    def __init__(
        self, path: Path, *, picture: Picture, painter: Painter, clock: Clock, preset: str = "ultrafast"
    ) -> None:
        super().__init__(
            source="replay",
            open_scene=lambda: Film(path),
            picture=picture,
            painter=painter,
            clock=clock,
            preset=preset,
        )


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """The file and its first video stream. Raises OperatorError where there is none."""
    if not path.is_file():
        raise OperatorError(f"There is no file {path}.", hint="Give the path of a video file after replay:.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise OperatorError(
            f"{path} cannot be opened as video: {error}.", hint="Give a file that ffprobe reads."
        ) from error
    if not container.streams.video:
        container.close()
        raise OperatorError(f"{path} holds no video.", hint="Give a file with a video track.")
    return container, container.streams.video[0]


def picture_ns(stream: VideoStream) -> int:
    """How long a picture lasts in a stream of constant rate; a byte stream without times has this alone."""
    return int(_SECOND_NS / (stream.guessed_rate or stream.average_rate or 25))


class Film:
    """A looped file as a scene. Shows, at every moment, the newest picture of the file that is due by then."""

    def __init__(self, path: Path) -> None:
        """Raises OperatorError where not one picture can be decoded."""
        self._path = path
        self._container, self._stream = open_video(path)
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            self._container.close()
            raise OperatorError(f"{path} holds no picture that can be decoded.", hint="Give a complete video file.")
        self._next = first
        self._shown: VideoFrame | None = None
        self._scaled: VideoFrame | None = None

    def draw(self, canvas: Canvas, *, boot_ns: int, elapsed_ns: int) -> None:
        while self._next[0] <= elapsed_ns:
            self._shown, self._scaled = self._next[1], None
            following = next(self._frames, None)
            if following is None:
                raise OSError(f"{self._path} can no longer be read")
            self._next = following
        if self._scaled is None:
            self._scaled = _fit(self._shown or self._next[1], *canvas.size)
        _lay(self._scaled, canvas)

    def close(self) -> None:
        self._container.close()

    def _decode(self) -> Iterator[tuple[int, VideoFrame]]:
        """(time since the first picture of the first loop, picture), for ever; ends where a loop yields nothing.

        A file that breaks off or turns bad in the middle is looped up to there.
        """
        period_ns = picture_ns(self._stream)
        start_ns = 0
        while True:
            first_ns: int | None = None
            at_ns = start_ns - period_ns
            try:
                for frame in self._container.decode(self._stream):
                    stamp_ns = _stamp_ns(frame)
                    if stamp_ns is None:
                        at_ns += period_ns
                    else:
                        first_ns = stamp_ns - start_ns if first_ns is None else first_ns
                        at_ns = max(at_ns + 1, stamp_ns - first_ns)
                    yield at_ns, frame
            except av.FFmpegError:
                pass
            if at_ns < start_ns:
                return
            start_ns = at_ns + period_ns
            self._container.close()
            try:
                self._container, self._stream = open_video(self._path)
            except OperatorError:
                return


def _stamp_ns(frame: VideoFrame) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return int(frame.pts * frame.time_base * _SECOND_NS)


def _fit(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """The picture in I420, as large as it fits into ``width`` x ``height`` at its own proportions."""
    scale = min(width / frame.width, height / frame.height)
    return frame.reformat(
        width=min(width, max(2, round(frame.width * scale / 2) * 2)),
        height=min(height, max(2, round(frame.height * scale / 2) * 2)),
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )


def _lay(frame: VideoFrame, canvas: Canvas) -> None:
    """Copy the picture into the middle of the canvas, black around it."""
    width, height = canvas.size
    left, top = (width - frame.width) // 4 * 2, (height - frame.height) // 4 * 2
    if (frame.width, frame.height) != canvas.size:
        canvas.blank()
    pixels = frame.to_ndarray().astype(np.uint8, copy=False)
    source = Canvas.over(pixels, frame.width, frame.height)
    canvas.y[top : top + frame.height, left : left + frame.width] = source.y
    canvas.u[top // 2 : (top + frame.height) // 2, left // 2 : (left + frame.width) // 2] = source.u
    canvas.v[top // 2 : (top + frame.height) // 2, left // 2 : (left + frame.width) // 2] = source.v
