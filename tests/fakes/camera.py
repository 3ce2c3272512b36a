"""A camera without threads: pictures come when the test lets time pass."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.capture.camera import AccessUnit, Picture, Sink
from appliance.capture.group import GroupOfPictures
from evidence.words import Mode
from tests.fakes.tinyh264 import TinyEncoder

Edit = Callable[[AccessUnit], AccessUnit | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A coded picture, for tests of the segmenter alone."""

    data: bytes
    boot_ns: int
    keyframe: bool
    mode: Mode = Mode.UNARMED


class ScriptedCamera:
    """Tiny H.264 on a fixed grid. ``edit`` may change a picture or, by None, leave it out; ``failing`` stops it."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.failing: str | None = None
        self.edit: Edit = lambda unit: unit
        self.bitrates: list[int] = []
        """What was asked for."""
        self.changes_bitrate = True
        """Whether that is possible without a new encode."""
        self._mode = Mode.UNARMED
        self._encoder = TinyEncoder(picture.width, picture.height)
        self._group = GroupOfPictures(picture.gop, self._mode)
        self._sink: Sink | None = None
        self._next_ns = 0

    @property
    def source(self) -> str:
        return "scripted"

    def start(self, sink: Sink) -> None:
        """Pictures come from the next ``shoot`` on."""
        self._sink = sink
        self._group = GroupOfPictures(self.picture.gop, self._mode)
        self._next_ns = 0

    def stop(self) -> None:
        self._sink = None

    def set_mode(self, mode: Mode) -> None:
        self._mode = mode
        self._group.ask(mode)

    def set_bitrate(self, bitrate: int) -> bool:
        self.bitrates.append(bitrate)
        return self.changes_bitrate

    def failure(self) -> str | None:
        return self.failing

    def shoot(self, now_ns: int) -> None:
        """Deliver every picture that is due by ``now_ns``; the first one is due at once."""
        frame_ns = 10**9 // self.picture.fps
        if self._sink is None or self.failing:
            self._next_ns = 0
            return
        self._next_ns = self._next_ns or now_ns
        while self._next_ns <= now_ns:
            place = self._group.place(self._next_ns)
            data = self._encoder.idr(self._next_ns // 10**9 % 200) if place.begins else self._encoder.p()
            unit = self.edit(AccessUnit(data, self._next_ns, place.begins, place.mode))
            if unit is not None:
                self._sink(unit)
            self._next_ns += frame_ns
