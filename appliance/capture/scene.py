"""A camera made of software: something that draws, at real speed, through paint and libx264."""

import threading
from collections.abc import Callable
from typing import Protocol

from appliance.capture.camera import Picture, Sink
from appliance.capture.group import GroupOfPictures
from appliance.capture.libx264 import Encoder
from appliance.capture.paint import Painter
from appliance.capture.picture import Canvas, new_buffer
from base.clock import Clock
from evidence.words import Mode

_SECOND_NS = 1_000_000_000


class Scene(Protocol):
    """What stands in front of the lens."""

    def draw(self, canvas: Canvas, *, boot_ns: int, elapsed_ns: int) -> None:
        """Fill the whole picture as it looks at ``boot_ns``, ``elapsed_ns`` after the first."""

    def close(self) -> None:
        """Let go of files. Idempotent."""


class SceneCamera:
    """Paces a scene on the clock, paints masks and caption, encodes, and hands access units to the sink.

    Pictures are due on a fixed grid. One that comes late takes the newest place on the grid and those between are
    left out: nothing piles up, and the hole shows in the timestamps.
    """

    def __init__(
        self,
        *,
        source: str,
        open_scene: Callable[[], Scene],
        picture: Picture,
        painter: Painter,
        clock: Clock,
        preset: str = "ultrafast",
    ) -> None:
        self._source = source
        self._open_scene = open_scene
        self._picture = picture
        self._painter = painter
        self._clock = clock
        self._preset = preset
        self._mode = Mode.UNARMED
        self._group = GroupOfPictures(picture.gop, self._mode)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._encoder: Encoder | None = None
        self._bitrate = picture.bitrate

    @property
    def source(self) -> str:
        return self._source

    def start(self, sink: Sink) -> None:
        if self._thread is not None:
            raise RuntimeError("the camera is already running")
        encoder = self._encoder = Encoder(self._picture, preset=self._preset)
        encoder.set_bitrate(self._bitrate)
        scene = self._open_scene()
        self._failure = None
        self._group = GroupOfPictures(self._picture.gop, self._mode)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(scene, encoder, sink), name=self._source, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = None

    def set_mode(self, mode: Mode) -> None:
        self._mode = mode
        self._group.ask(mode)

    def set_bitrate(self, bitrate: int) -> bool:
        self._bitrate = bitrate
        if self._encoder is not None:
            self._encoder.set_bitrate(bitrate)
        return True

    def failure(self) -> str | None:
        return self._failure

    def _run(self, scene: Scene, encoder: Encoder, sink: Sink) -> None:
        try:
            self._shoot(scene, encoder, sink)
            for unit in encoder.flush():
                sink(unit)
        except Exception as error:
            self._failure = f"{self._source} stopped: {type(error).__name__}: {error}"
        finally:
            scene.close()

    def _shoot(self, scene: Scene, encoder: Encoder, sink: Sink) -> None:
        buffer = new_buffer(self._picture.width, self._picture.height)
        canvas = Canvas.over(buffer, self._picture.width, self._picture.height)
        start_ns = self._clock.boot_ns()
        number = 0
        while not self._stopping.is_set():
            boot_ns = self._clock.boot_ns()
            scene.draw(canvas, boot_ns=boot_ns, elapsed_ns=boot_ns - start_ns)
            place = self._group.place(boot_ns)
            if not self._painter.paint(canvas, boot_ns, place.mode):
                raise RuntimeError(f"a picture could be neither painted nor blanked: {self._painter.last_failure}")
            for unit in encoder.encode(buffer, boot_ns=boot_ns, mode=place.mode, keyframe=place.begins):
                sink(unit)
            number = self._wait_for_next(start_ns, number)

    def _wait_for_next(self, start_ns: int, number: int) -> int:
        """Wait for the next place on the grid that is not yet past, and return its number."""
        now_ns = self._clock.boot_ns()
        number = max(number + 1, (now_ns - start_ns) * self._picture.fps // _SECOND_NS)
        # Rounded up, so that the clock has really reached the place when the wait is over.
        due_ns = start_ns - (-number * _SECOND_NS // self._picture.fps)
        if due_ns > now_ns:
            self._clock.wait(self._stopping, (due_ns - now_ns) / _SECOND_NS)
        return number
